"""The readable of whole maps: stream ``gp_maps``."""

from collections.abc import Callable
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Reading
from event_model import DataKey

from bluesky_gp.agent.data_keys import readings
from bluesky_gp.agent.decision_events import DecisionEvents
from bluesky_gp.run import Decision


class Maps:
    """Mean, standard deviation and acquisition function on every pixel, as of the latest decision.

    Parameters
    ----------
    record : DecisionEvents
        How they are written.
    latest : callable
        Returns the latest decision, None before the first.
    every : int
        Write every so many iterations, and at the end; 0: never.
    """

    parent = None

    def __init__(self, record: DecisionEvents, latest: Callable[[], Decision | None], *, every: int) -> None:
        if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 0:
            raise ValueError(f"{record.name}: maps= must be 0 (never) or a number of iterations, got {every!r}")
        self.name = f"{record.name}_maps"
        self._record = record
        self._latest = latest
        self._every = every

    @property
    def due(self) -> bool:
        """Whether the latest maps are to be written: not before there are any, and none that are not numbers."""
        decision = self._latest()
        if decision is None or not self._every or not decision.state.n_measured:
            return False
        due = decision.is_last or decision.iteration % self._every == 0
        return due and bool(np.isfinite(decision.state.mean).all() and np.isfinite(decision.state.std).all())

    def read(self) -> dict[str, Reading[Any]]:
        """Return the maps, each of the grid's shape, in the target's unit."""
        decision = self._latest()
        if decision is None:
            raise RuntimeError(f"{self.name}: there are no maps before the agent was asked for pixels")
        return readings(self._record.maps(decision), decision.timestamp)

    def describe(self) -> dict[str, DataKey]:
        """Describe what `read` returns."""
        return self._record.map_keys()

    @property
    def hints(self) -> Hints:
        """Nothing: a map plotted against time says nothing."""
        return {"fields": []}
