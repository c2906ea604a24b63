from .devices import NionEELSDetector as NionEELSDetector
from .devices import NionScanStage as NionScanStage
from .image import NionControl as NionControl
from .image import NionOverview as NionOverview
from .simulator import usim as usim
