from .lines import IterationLine as IterationLine
from .lines import ProgressBar as ProgressBar
from .live_maps import LiveMaps as LiveMaps
from .picture import draw as draw
from .progress import ProgressReader as ProgressReader
from .progress import RunProgress as RunProgress
from .run_reader import LiveReader as LiveReader
from .so_far import RunSoFar as RunSoFar
