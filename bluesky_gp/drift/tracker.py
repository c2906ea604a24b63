"""The readable of a drift that is followed: stream ``drift``, one event an image."""

import logging
from collections.abc import Callable
from time import time
from typing import Any, Generic, TypeVar

import numpy as np
from bluesky.protocols import Hints, Reading

from bluesky_gp.drift.course import Course
from bluesky_gp.grid import PixelGrid
from bluesky_gp.status import DaemonExecutor, FutureStatus
from bluesky_gp.typing import Floats

logger = logging.getLogger("bluesky_gp")

_ARRAYS = {
    "displacement": "px",  # of the sample, as the image shows it
    "correction": "px",  # that stage or beam were told
    "left": "px",  # uncorrected, because of the limit
    "velocity": "px/s",
    "origin": "px",  # displacement that the reference stands for
}

_NUMBERS = {
    "agreement": ("agreement", ""),
    "uncertainty": ("uncertainty", "px"),
    "seconds": ("time", "s"),  # when the image was taken
    "interval": ("interval", "s"),  # since the one before
    "ahead": ("ahead", "s"),  # how far the correction looks
}


S = TypeVar("S")
T = TypeVar("T", bound=Course)


class DriftTracker(Generic[S, T]):
    """Says how far the sample has drifted; a plan sets an image, or landmarks, then reads it into an event.

    The shift is computed on a thread of its own. What is set twice, by a rewind after a pause, counts once.

    Parameters
    ----------
    grid : PixelGrid
        Of the map.
    begin : callable
        Makes the track of what is seen first.
    then : callable
        Makes that of a track and what is seen next; DriftError if it cannot be followed.
    track : optional
        To go on with.
    name : str
        Of the device and the stream, and the beginning of its keys.
    """

    parent = None

    def __init__(
        self,
        grid: PixelGrid,
        begin: Callable[[S], T],
        then: Callable[[T, S], T],
        track: T | None = None,
        *,
        name: str = "drift",
    ) -> None:
        self.name = name
        self.track = track
        self._grid = grid
        self._begin, self._then = begin, then
        self._timestamp = time()
        self._latest: tuple[S, FutureStatus] | None = None

    def set(self, sight: S) -> FutureStatus:
        """Take what is seen; done when its shift is known, fails with `DriftError` if it cannot be corrected."""
        if self._latest is None or self._latest[0] is not sight:
            self._latest = sight, FutureStatus(DaemonExecutor().submit(self._see, sight), name=self.name)
        return self._latest[1]

    def _see(self, sight: S) -> None:
        track = self.track
        self.track = self._begin(sight) if track is None else self._then(track, sight)
        self._timestamp = time()
        self._say(self.track)

    def _say(self, track: T) -> None:
        logger.info("drift: %s px, agreement %.2f", track.displacement.round(2).tolist(), track.agreement)
        if np.any(track.left):
            logger.warning(
                "drift: the correction is clipped at %g pixels: %s are left",
                track.limits.limit, track.left.round(2).tolist(),
            )  # fmt: skip

    @property
    def correction(self) -> Floats:
        """Correction to be made now, shape ``(2,)``, in pixels; zero before the first image."""
        return np.zeros(2) if self.track is None else self.track.correction

    @property
    def position(self) -> list[float]:
        """Position at which pixel (0, 0) lies then, in the units of the grid."""
        return [float(p) for p in self._grid.position(self.correction)]

    def read(self) -> dict[str, Reading[Any]]:
        """Return displacement, correction and position, and how they were found."""
        track = self.track
        values: dict[str, Any] = {
            name: [float(v) for v in getattr(track, name, np.full(2, np.nan))] for name in _ARRAYS
        }
        values |= {
            "position": self.position,
            "clipped": bool(track is not None and np.any(track.left)),
            "image": -1 if track is None else track.number,
            "compared_with": -1 if track is None else track.compared,
            **{key: getattr(track, name, np.nan) for key, (name, _) in _NUMBERS.items()},
        }
        return self._readings(values)

    def _readings(self, values: dict[str, Any]) -> dict[str, Reading[Any]]:
        return {f"{self.name}_{key}": {"value": v, "timestamp": self._timestamp} for key, v in values.items()}

    def describe(self) -> dict[str, Any]:
        """Describe what `read` returns."""
        source = f"bluesky_gp:{self.name}"
        number = {"source": source, "dtype": "number", "dtype_numpy": "<f8", "shape": []}
        array = {"source": source, "dtype": "array", "dtype_numpy": "<f8", "shape": [2]}
        integer = {"source": source, "dtype": "integer", "dtype_numpy": "<i8", "shape": []}
        keys: dict[str, Any] = {name: {**array, "units": units} for name, units in _ARRAYS.items()}
        keys |= {
            "position": {**array, "units": self._grid.units},
            "clipped": {"source": source, "dtype": "boolean", "dtype_numpy": "|b1", "shape": []},
            "image": integer,
            "compared_with": integer,
            **{key: {**number, "units": units} for key, (_, units) in _NUMBERS.items()},
        }
        return {f"{self.name}_{key}": described for key, described in keys.items()}

    @property
    def hints(self) -> Hints:
        """Nothing that a plot could show."""
        return {"fields": []}
