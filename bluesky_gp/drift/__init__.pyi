from .errors import DriftError as DriftError
from .recorded import recorded_track as recorded_track
from .track import REFERENCE as REFERENCE
from .track import DriftLimits as DriftLimits
from .track import Sight as Sight
from .track import Track as Track
from .tracker import DriftTracker as DriftTracker
