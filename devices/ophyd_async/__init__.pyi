from .axis import AsyncAxis as AsyncAxis
from .detector import AsyncSpectrometer as AsyncSpectrometer
from .flyer import AsyncFlyer as AsyncFlyer
from .stage import AsyncPixelStage as AsyncPixelStage
