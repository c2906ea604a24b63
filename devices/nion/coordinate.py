"""One coordinate of a position as an axis, for plans that move one at a time."""

import time
from typing import Any

from bluesky.protocols import Hints, Reading
from ophyd.status import StatusBase

from bluesky_gp.devices.axes import Limits
from bluesky_gp.devices.nion.instrument import Position


class NionCoordinate:
    """One of the two coordinates of a position; setting it leaves the other where it is."""

    parent = None

    def __init__(self, position: Position, index: int, *, name: str) -> None:
        self._position, self._index, self.name = position, index, name

    @property
    def limits(self) -> Limits:
        """Lowest and highest value, nm."""
        return self._position.limits()[self._index]

    def set(self, value: float) -> StatusBase:
        """Go there along one axis."""
        status = StatusBase()
        point = list(self._position.get())
        point[self._index] = float(value)
        self._position.put((point[0], point[1]))
        status.set_finished()
        return status

    def read(self) -> dict[str, Reading[float]]:
        """Return where it is."""
        return {self.name: {"value": self._position.get()[self._index], "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """Return the data key of `read`."""
        key = {"source": f"NION:{self.name}", "dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "nm"}
        return {self.name: key}

    @property
    def hints(self) -> Hints:
        """Plots and tables show it."""
        return {"fields": [self.name]}
