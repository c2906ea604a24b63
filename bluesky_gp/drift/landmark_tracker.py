"""The readables of a drift that landmarks tell: streams ``drift`` and ``drift_reference``."""

import logging
from functools import partial
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Reading

from bluesky_gp.drift.course import DriftLimits
from bluesky_gp.drift.landmark_track import LandmarkTrack, Revisit
from bluesky_gp.drift.tracker import DriftTracker
from bluesky_gp.grid import PixelGrid

logger = logging.getLogger("bluesky_gp")


class LandmarkTracker(DriftTracker[Revisit, LandmarkTrack]):
    """Says how far the sample has drifted, by landmarks; beside what is read of images, why nothing was moved.

    Parameters
    ----------
    grid : PixelGrid
        Of the map.
    limits : DriftLimits
    track : LandmarkTrack, optional
        To go on with.
    """

    def __init__(self, grid: PixelGrid, limits: DriftLimits, track: LandmarkTrack | None = None) -> None:
        super().__init__(grid, partial(LandmarkTrack.begin, limits=limits), LandmarkTrack.then, track)

    def _say(self, track: LandmarkTrack) -> None:
        if track.refused:
            logger.warning("drift: %s", track.refused)
        else:
            super()._say(track)

    def read(self) -> dict[str, Reading[Any]]:
        """Return what is read of images; covariance, pace and the reason why nothing was moved."""
        track = self.track
        own: dict[str, Any] = {"covariance": np.zeros((4, 4)).tolist(), "pace": 0.0, "refused": ""}
        if track is not None:
            own = {"covariance": track.covariance.tolist(), "pace": track.pace, "refused": track.refused}
        return super().read() | self._readings(own)

    def describe(self) -> dict[str, Any]:
        """Describe what `read` returns."""
        source = f"bluesky_gp:{self.name}"
        own: dict[str, dict[str, Any]] = {
            "covariance": {"dtype": "array", "dtype_numpy": "<f8", "shape": [4, 4], "units": ""},
            "pace": {"dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "px/s"},
            "refused": {"dtype": "string", "shape": []},
        }
        return super().describe() | {f"{self.name}_{key}": {"source": source, **about} for key, about in own.items()}


class Reference:
    """The values around the landmarks that later ones are compared with, in one event of stream ``drift_reference``."""

    parent = None

    def __init__(self, tracker: LandmarkTracker) -> None:
        self.name = f"{tracker.name}_reference"
        self._tracker = tracker

    def read(self) -> dict[str, Reading[Any]]:
        """Return pixels and values, and how long before the map had begun."""
        track = self._tracker.track
        if track is None:
            raise RuntimeError(f"{self.name}: there is nothing to read before landmarks were measured")
        values = {"pixels": track.pixels.tolist(), "values": track.values.tolist(), "before": track.before}
        return {f"{self.name}_{key}": {"value": v, "timestamp": track.time} for key, v in values.items()}

    def describe(self) -> dict[str, Any]:
        """Describe what `read` returns."""
        n = 0 if self._tracker.track is None else len(self._tracker.track.values)
        shapes: dict[str, tuple[str, list[int]]] = {
            "pixels": ("array", [n, 2]),
            "values": ("array", [n]),
            "before": ("number", []),
        }
        source = f"bluesky_gp:{self.name}"
        return {
            f"{self.name}_{key}": {"source": source, "dtype": dtype, "dtype_numpy": "<f8", "shape": shape}
            for key, (dtype, shape) in shapes.items()
        }

    @property
    def hints(self) -> Hints:
        """Nothing that a plot could show."""
        return {"fields": []}
