"""The course of a run, for stopping rules and forecasts."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bluesky_gp.typing import Floats

REMEMBERED = 10  # changes of the map
_PREDICTIONS = 25  # latest predictions whose errors are remembered: five of each batch of ten
_LARGEST = 9.0  # that the square of a standardised error counts: one outlier says little of the map


@dataclass(frozen=True, eq=False)
class Diary:
    """The course of a run: how the map changed, and how wrongly it predicted."""

    seconds: float = 0.0  # from the beginning of the run to the latest pixel, where the points say so
    before: Floats | None = None  # the mean before the latest pixels; None: there was none
    changes: tuple[float, ...] = ()  # of the map, each time that pixels were learnt before the latest
    errors: tuple[float, ...] = ()  # squares of the latest standardised errors of prediction, of the less certain half

    def after(self, seconds: float, mean: Floats, change: float, errors: tuple[float, ...]) -> Self:
        """Return the diary of a map that is about to learn."""
        changes = (*self.changes, change)[-REMEMBERED:]
        return type(self)(seconds, mean, changes, (*self.errors, *errors)[-_PREDICTIONS:])


def squared_errors(error: Floats, variance: Floats, of_map: Floats) -> tuple[float, ...]:
    """Return squares of standardised errors of prediction, of the half of the pixels whose map is less certain."""
    known = np.flatnonzero(np.isfinite(error) & (variance > 0.0))
    known = known[np.argsort(-of_map[known], kind="stable")]
    known = known[: -(-len(known) // 2)]
    return tuple(np.minimum(np.square(error[known]) / variance[known], _LARGEST).tolist())
