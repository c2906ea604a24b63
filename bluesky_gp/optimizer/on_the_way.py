"""A batch for a slow stage: pixels on the way are measured where that gains more a second than to go farther."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.batch import Mixed, Place, Ranking, WhilePromising
from bluesky_gp.optimizer.short_path import short_path
from bluesky_gp.settings import check_number
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class OnTheWay:
    """The acquisition function's share goes where it is worth most, the rest where the map gains most a second.

    A pixel takes its exposure, the settling, and what the way through the batch so far becomes longer by it: none, if
    the stage passes it. So a slow stage measures some of what it passes, and a batch stays together; with a fast one
    the choice is that of `WhilePromising` or `Mixed`. The axes move at once, so the slowest counts, also for the order
    in which a batch is visited.

    Parameters
    ----------
    speed : float or sequence of float
        Of the axes, in the grid's units a second.
    exposure : float
        Seconds a pixel, reading included.
    settle : float
        Seconds after a move, starting and braking included.
    share : float, optional
        As of `Mixed`. Default: as `WhilePromising`.

    Examples
    --------
    >>> OnTheWay(speed=(0.5, 5.0), exposure=0.1, settle=0.05)
    OnTheWay(speed=(0.5, 5.0), exposure=0.1, settle=0.05, share=None)
    """

    speed: float | Sequence[float]
    exposure: float
    settle: float = 0.0
    share: float | None = None

    def __post_init__(self) -> None:
        check_number("OnTheWay", "exposure", self.exposure, above=0.0)
        check_number("OnTheWay", "settle", self.settle)
        if self.settle < 0.0:
            raise ValueError(f"OnTheWay: settle must be 0 s or more, got {self.settle}")
        if np.ndim(self.speed) > 1 or not np.all(np.asarray(self.speed, dtype=float) > 0.0):
            raise ValueError(f"OnTheWay: speed must be above 0, one number or one an axis, got {self.speed}")
        if np.ndim(self.speed):  # a list, as a record has it, is no different run
            object.__setattr__(self, "speed", tuple(float(speed) for speed in np.asarray(self.speed)))
        if self.share is not None:
            Mixed(self.share)

    def __call__(self, place: Place) -> Ranking:
        """Rank by the acquisition function while it is its turn; else by what the map gains a second."""
        ranking = (WhilePromising() if self.share is None else Mixed(self.share))(place)
        return ranking if ranking.scores is not None else Ranking(ranking.values / self.seconds(place))

    def seconds(self, place: Place) -> Floats:
        """Return the seconds by which each candidate makes the batch so far longer, shape ``(k,)``."""
        start = np.concatenate([place.before.pixels, place.before.fantasised])[-1:]
        order = self.path(place.grid, place.chosen, start)
        stops = self.ways(place.grid, np.concatenate([start, place.chosen[order]]))
        away = cdist(self.ways(place.grid, place.candidates), stops, "chebyshev")
        legs = np.abs(np.diff(stops, axis=0)).max(axis=1)
        detours = away[:, :-1] + away[:, 1:] - legs
        return np.asarray(np.minimum(away[:, -1], detours.min(axis=1, initial=np.inf)) + self.settle + self.exposure)

    def path(self, grid: PixelGrid, pixels: Indices, start: Indices) -> Indices:
        """Return an order of pixels, flat indices, that takes the stage a short time from `start`, one or none."""
        if len(pixels) < 2:
            return np.arange(len(pixels))
        last = self.ways(grid, start)
        return short_path(self.ways(grid, pixels), last[0] if len(last) else None, metric="chebyshev")

    def ways(self, grid: PixelGrid, pixels: Indices) -> Floats:
        """Return how many seconds pixels, flat indices, lie from the origin of each axis, shape ``(k, ndim)``."""
        if np.ndim(self.speed) and len(np.atleast_1d(self.speed)) != grid.ndim:
            raise ValueError(f"OnTheWay: speed must have one number for each of the {grid.ndim} axes, got {self.speed}")
        return np.asarray(grid.position(grid.unravel(pixels)) / np.asarray(self.speed, dtype=float))
