from .dataset import left_out as left_out
from .dataset import to_dataset as to_dataset
from .hyperspy_signal import to_signal as to_signal
from .writing import SUFFIXES as SUFFIXES
from .writing import export as export
