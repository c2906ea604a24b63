from .axis import EpicsAxis as EpicsAxis
from .spectrometer import EpicsSpectrometer as EpicsSpectrometer
from .stage import EpicsStage as EpicsStage
