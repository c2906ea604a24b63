"""The readable of values that the agent's own scalarizer made: stream ``gp_values``, an event a decision."""

from time import time
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Reading
from event_model import DataKey

from bluesky_gp.agent.data_keys import array, integer, readings
from bluesky_gp.run import LearntValues
from bluesky_gp.status import FutureStatus, finished


class Values:
    """Says which values the latest decision learnt; a plan sets it, then reads it into an event, as `Failures`.

    Parameters
    ----------
    name : str
    room : int
        Values for which an event has room.
    units : str, optional
        Of the target.
    """

    parent = None

    def __init__(self, name: str, *, room: int, units: str | None) -> None:
        self.name, self.room, self._units = name, room, units
        self._last = LearntValues(-1, 0, ())
        self._timestamp = 0.0

    def set(self, values: LearntValues) -> FutureStatus:
        """Take values; done at once."""
        self._last, self._timestamp = values, time()
        return finished(self.name)

    def read(self) -> dict[str, Reading[Any]]:
        """Return the decision, which of its values is the first here, how many there are, and the values."""
        last = self._last
        padded = np.full(self.room, np.nan)
        padded[: len(last.values)] = last.values
        values = {
            "iteration": last.iteration,
            "first": last.first,
            "num": len(last.values),
            "value": padded.tolist(),
        }
        return readings({f"{self.name}_{key}": value for key, value in values.items()}, self._timestamp)

    def describe(self) -> dict[str, DataKey]:
        """Describe what `read` returns."""
        source = f"bluesky_gp:{self.name}"
        return {
            f"{self.name}_iteration": integer(source),
            f"{self.name}_first": integer(source),
            f"{self.name}_num": integer(source),
            f"{self.name}_value": array(source, (self.room,), units=self._units, dims=("batch",)),
        }

    @property
    def hints(self) -> Hints:
        """Nothing that a plot could show."""
        return {"fields": []}
