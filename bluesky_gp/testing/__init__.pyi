from .acquisitions import AcquisitionContract as AcquisitionContract
from .detectors import DetectorContract as DetectorContract
from .flyers import FlyerContract as FlyerContract
from .optimizers import ListOptimizer as ListOptimizer
from .stages import StageContract as StageContract
