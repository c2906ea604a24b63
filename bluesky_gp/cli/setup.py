"""An instrument, ready to measure: what every instrument of the demonstration hands over."""

from dataclasses import dataclass
from typing import Any

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class Setup:
    """An instrument, ready to measure."""

    detector: Any
    stage: Any
    grid: PixelGrid
    target: str  # key of the number to map, in the detector's events
    truth: Floats  # grid.shape; NaN where nothing is known
    engine: Any = None  # the RunEngine on whose loop the devices live, if they need one
