from .axis import EpicsAxis as EpicsAxis
from .flyer import EpicsFlyer as EpicsFlyer
from .imager import EpicsImager as EpicsImager
from .spectrometer import EpicsSpectrometer as EpicsSpectrometer
from .stage import EpicsStage as EpicsStage
