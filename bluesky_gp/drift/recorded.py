"""A drift that was followed in an earlier run, out of its record, to be followed further in another session."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from event_model import DocumentRouter, Event

from bluesky_gp.drift.course import DriftLimits
from bluesky_gp.drift.landmark_track import LandmarkTrack
from bluesky_gp.drift.track import REFERENCE, Track
from bluesky_gp.recording import documents_of


class _Reader(DocumentRouter):
    """Keeps the latest event of the stream ``drift``, and that of the images that others are compared with."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._names = {name, REFERENCE}
        self._streams: dict[str, str] = {}
        self.latest: dict[str, Mapping[str, Any]] = {}

    def descriptor(self, doc: Any) -> None:
        if doc["name"] in self._names:
            self._streams[doc["uid"]] = doc["name"]

    def event(self, doc: Event) -> Event:
        if doc["descriptor"] in self._streams:
            self.latest[self._streams[doc["descriptor"]]] = doc["data"]
        return doc


def recorded_track(run: Any, limits: DriftLimits, *, name: str = "drift") -> Track:
    """Return the track with which a run ended whose drift images told.

    Parameters
    ----------
    run
        See `documents_of`.

    Raises
    ------
    ValueError
        If no drift was followed in it, or not by images.
    """
    data, reference = _latest(run, name)
    images = [np.asarray(v, dtype=np.float64) for v in reference.values() if np.ndim(v) == 2]
    if "refused" in data or not images:
        raise ValueError(
            "drift: the drift of the run was followed by landmarks: correct_drift_by_pixels goes on with it"
        )
    return Track(reference=images[0], limits=limits, renewed=False, **_course(data))


def recorded_landmarks(run: Any, limits: DriftLimits, *, name: str = "drift") -> LandmarkTrack:
    """Return the track with which a run ended whose drift landmarks told; see `recorded_track`."""
    data, reference = _latest(run, name)
    if "refused" not in data:
        raise ValueError("drift: the drift of the run was followed by images: correct_drift goes on with it")
    told = {key.removeprefix(f"{REFERENCE}_"): value for key, value in reference.items()}
    return LandmarkTrack(
        pixels=np.asarray(told["pixels"], dtype=np.float64),
        values=np.asarray(told["values"], dtype=np.float64),
        before=float(told["before"]),
        covariance=np.asarray(data["covariance"], dtype=np.float64),
        pace=float(data["pace"]),
        held=np.asarray(data["correction"], dtype=np.float64),
        refused=str(data["refused"]),
        limits=limits,
        renewed=False,
        **_course(data),
    )


def _latest(run: Any, name: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return the latest event of the drift, without the beginning of its keys, and the latest reference."""
    reader = _Reader(name)
    for kind, doc in documents_of(run):
        reader(kind, dict(doc))
    if {name, REFERENCE} - reader.latest.keys():
        raise ValueError(f"drift: the run has no streams {name!r} and {REFERENCE!r}: nothing followed its drift")
    return {key.removeprefix(f"{name}_"): v for key, v in reader.latest[name].items()}, reader.latest[REFERENCE]


def _course(data: Mapping[str, Any]) -> dict[str, Any]:
    arrays = {key: np.asarray(data[key], dtype=np.float64) for key in ("origin", "displacement", "velocity")}
    return {
        **arrays, "time": float(data["seconds"]), "interval": float(data["interval"]), "ahead": float(data["ahead"]),
        "number": int(data["image"]), "compared": int(data["compared_with"]),
    }  # fmt: skip
