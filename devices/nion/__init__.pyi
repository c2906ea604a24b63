from .control import NionControl as NionControl
from .detector import NionEELSDetector as NionEELSDetector
from .flyer import NionFlyer as NionFlyer
from .image import NionOverview as NionOverview
from .simulator import usim as usim
from .stage import NionScanStage as NionScanStage
