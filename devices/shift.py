"""The displacement of a sample that a stage follows: pixels stay those of the sample, positions move with it."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Location, Reading

from bluesky_gp.status import FutureStatus, finished


class StageShift:
    """How far the sample of a stage lies from where the grid has it, in pixels: at first not at all.

    Set by what corrects drift. A pixel is then found at the position of ``pixel + shift`` on the grid, and a position
    is read as the pixel that lies there now; nothing moves before the next move of the stage.

    Event key: ``STAGE_shift``, shape ``(ndim,)``.

    Examples
    --------
    >>> from bluesky_gp.devices import PixelStage
    >>> stage = PixelStage(grid={"shape": [8, 8], "step": [0.5, 0.5]}, name="stage")
    >>> status = stage.shift.set((1.0, -0.5))
    >>> stage.set((2, 3)).wait()
    >>> [axis.position for axis in stage.axes], stage.locate()["readback"]
    ([1.5, 1.25], (2.0, 3.0))
    """

    parent = None

    def __init__(self, stage: str, ndim: int) -> None:
        self.name = f"{stage}_shift"
        self._pixels = (0.0,) * ndim
        self._timestamp = time.time()

    @property
    def position(self) -> tuple[float, ...]:
        """The displacement, in pixels."""
        return self._pixels

    def check_value(self, pixels: Sequence[float]) -> None:
        """Raise ValueError unless there is a finite number of pixels for each axis."""
        wanted = np.asarray(pixels, dtype=np.float64)
        if wanted.shape != (len(self._pixels),) or not np.isfinite(wanted).all():
            raise ValueError(f"{self.name}: expected {len(self._pixels)} numbers of pixels, got {pixels!r}")

    def set(self, pixels: Sequence[float]) -> FutureStatus:
        """Take a displacement; done at once."""
        self.check_value(pixels)
        self._pixels, self._timestamp = tuple(float(p) for p in pixels), time.time()
        return finished(self.name)

    def locate(self) -> Location[tuple[float, ...]]:
        """Return the displacement."""
        return {"setpoint": self._pixels, "readback": self._pixels}

    def read(self) -> dict[str, Reading[Any]]:
        """Return the displacement."""
        return {self.name: {"value": list(self._pixels), "timestamp": self._timestamp}}

    def describe(self) -> dict[str, Any]:
        """Return the data key of `read`."""
        shape = [len(self._pixels)]
        key = {"source": f"PY:{self.name}", "dtype": "array", "dtype_numpy": "<f8", "shape": shape, "units": "px"}
        return {self.name: key}

    @property
    def hints(self) -> Hints:
        """Nothing that a plot could show."""
        return {"fields": []}


def place_of(stage: Any, pixel: Sequence[float]) -> tuple[float, ...]:
    """Return where on the grid of a stage a pixel of the sample lies now, in pixels."""
    shift = getattr(stage, "shift", None)
    return tuple(pixel) if shift is None else tuple(float(p) for p in np.add(pixel, shift.position))
