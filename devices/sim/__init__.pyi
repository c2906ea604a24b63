from .flyer import SimulatedFlyer as SimulatedFlyer
from .imager import SimulatedImager as SimulatedImager
from .measured import MeasuredSample as MeasuredSample
from .sample import Sample as Sample
from .samples import make_sample as make_sample
from .spectrometer import SimulatedSpectrometer as SimulatedSpectrometer
from .synthetic import SyntheticEELS as SyntheticEELS
from .synthetic import SyntheticFerroelectric as SyntheticFerroelectric
