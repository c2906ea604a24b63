from .detector import SpectrumDetectorBase as SpectrumDetectorBase
from .sim import MeasuredSample as MeasuredSample
from .sim import SimulatedImager as SimulatedImager
from .sim import SimulatedSpectrometer as SimulatedSpectrometer
from .sim import SyntheticEELS as SyntheticEELS
from .sim import SyntheticFerroelectric as SyntheticFerroelectric
from .simulated_axis import SimulatedAxis as SimulatedAxis
from .stage import PixelStage as PixelStage
