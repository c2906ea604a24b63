"""A drift that was followed in an earlier run, out of its record, to be followed further in another session."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from event_model import DocumentRouter, Event

from bluesky_gp.drift.track import REFERENCE, DriftLimits, Track
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
    """Return the track with which a run ended.

    Parameters
    ----------
    run
        See `documents_of`.

    Raises
    ------
    ValueError
        If no drift was followed in it.
    """
    reader = _Reader(name)
    for kind, doc in documents_of(run):
        reader(kind, dict(doc))
    if {name, REFERENCE} - reader.latest.keys():
        raise ValueError(f"drift: the run has no streams {name!r} and {REFERENCE!r}: nothing followed its drift")
    data = {key.removeprefix(f"{name}_"): value for key, value in reader.latest[name].items()}
    images = [np.asarray(v, dtype=np.float64) for v in reader.latest[REFERENCE].values() if np.ndim(v) == 2]
    return Track(
        images[0],
        np.asarray(data["origin"], dtype=np.float64),
        np.asarray(data["displacement"], dtype=np.float64),
        float(data["seconds"]),
        np.asarray(data["velocity"], dtype=np.float64),
        float(data["interval"]),
        float(data["ahead"]),
        number=int(data["image"]),
        compared=int(data["compared_with"]),
        renewed=False,
        limits=limits,
    )
