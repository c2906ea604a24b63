from .axis import AsyncAxis as AsyncAxis
from .detector import AsyncSpectrometer as AsyncSpectrometer
from .stage import AsyncPixelStage as AsyncPixelStage
