from .instrument import SimulatedInstrument as SimulatedInstrument
from .instrument import serve as serve
