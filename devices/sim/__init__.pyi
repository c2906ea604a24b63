from .devices import SimulatedAxis as SimulatedAxis
from .devices import SimulatedSpectrometer as SimulatedSpectrometer
from .samples import MeasuredSample as MeasuredSample
from .samples import Sample as Sample
from .samples import make_sample as make_sample
from .synthetic import SyntheticEELS as SyntheticEELS
from .synthetic import SyntheticFerroelectric as SyntheticFerroelectric
