from .acquisitions import AcquisitionContract as AcquisitionContract
from .detectors import DetectorContract as DetectorContract
from .optimizers import ListOptimizer as ListOptimizer
from .stages import StageContract as StageContract
