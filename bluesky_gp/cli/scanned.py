"""The map of a run that no agent steered: a raster scan, `raster_map` or a plan of bluesky's."""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import click
import numpy as np
from event_model import DocumentRouter, Event, EventDescriptor, RunStart

from bluesky_gp.cli.scan_lattice import ScanLattice
from bluesky_gp.grid import PixelGrid
from bluesky_gp.rehearsal import FullMap
from bluesky_gp.typing import Floats


def scanned_map(documents: Iterable[tuple[str, Mapping[str, Any]]], target: str | None, *, maximize: bool) -> FullMap:
    """Return the map of a scan; a pixel without an event has failed.

    Parameters
    ----------
    documents : iterable of (name, document)
    target : str, optional
        Key of the events. Default: the only number that a detector gave, or the only one that is hinted.
    maximize : bool

    Raises
    ------
    ValueError
        If the run is no map, or its events do not fit what its start document states.
    """
    events = ScanEvents()
    for name, doc in documents:
        events(name, dict(doc))
    try:
        return _map(events, target, maximize=maximize)
    except (ValueError, TypeError, LookupError) as error:
        raise ValueError(f"run {events.uid[:8]} cannot be taken for a map: {error}") from error


def _map(events: "ScanEvents", target: str | None, *, maximize: bool) -> FullMap:
    axes = events.axes()
    lattice = ScanLattice.of(events.start_doc)
    chosen = events.number(target)
    numbers, positions, column = events.columns(axes, chosen)
    values = np.full(lattice.shape, np.nan)
    values[tuple(lattice.place(numbers, positions).T)] = column
    if not lattice.is_even:
        click.echo("the steps of the scan are uneven: rows and columns are taken for evenly spaced", err=True)
    return FullMap(PixelGrid(lattice.shape), values, chosen, events.units(chosen), maximize, chosen)


class ScanEvents(DocumentRouter):
    """Events of the stream of a scan's positions, one by one or in pages; of two with one number the later counts."""

    def __init__(self) -> None:
        super().__init__()
        self.start_doc: Mapping[str, Any] = {}
        self._descriptors: dict[str, Mapping[str, Any]] = {}
        self._data: dict[int, Mapping[str, Any]] = {}

    @property
    def uid(self) -> str:
        """Of the run."""
        return str(self.start_doc.get("uid", ""))

    def start(self, doc: RunStart) -> None:
        """Take the start document."""
        self.start_doc = doc

    def descriptor(self, doc: EventDescriptor) -> None:
        """Take a stream in, if it is that of the positions."""
        if doc.get("name") == self._stream:
            self._descriptors[doc["uid"]] = doc

    def event(self, doc: Event) -> Event:
        """Take an event in."""
        if doc["descriptor"] in self._descriptors:
            self._data[doc["seq_num"]] = doc["data"]
        return doc

    @property
    def _dimensions(self) -> list[tuple[list[str], str]]:
        return list(self.start_doc.get("hints", {}).get("dimensions", []))

    @property
    def _stream(self) -> str:
        return next((str(stream) for _, stream in self._dimensions), "primary")

    @property
    def _keys(self) -> dict[str, Mapping[str, Any]]:
        return {key: about for doc in self._descriptors.values() for key, about in doc["data_keys"].items()}

    def axes(self) -> list[str]:
        """Return the key of the events that is the position along each axis.

        Raises
        ------
        ValueError
            If the start document states no map, or there are no events.
        """
        axes = [fields[0] for fields, _ in self._dimensions]
        if not axes or len(axes) != len(self.start_doc.get("shape", ())):
            raise ValueError("it is no map: its start document has no 'shape', or not the axes of one")
        if not self._data:
            raise ValueError(f"it has no event in stream {self._stream!r}; it ended before its first point")
        missing = [axis for axis in axes if axis not in self._keys]
        if missing:
            raise ValueError(f"it is no map: its events have no {', '.join(map(repr, missing))}")
        return axes

    def number(self, target: str | None) -> str:
        """Return the key of the number that is meant."""
        numbers = [key for key in self._of_detectors() if _is_number(self._keys[key])]
        if target is not None:
            meant = [target] if target in self._keys and _is_number(self._keys[target]) else []
        else:
            hinted = [key for key in numbers if key in self._hinted()]
            meant = numbers if len(numbers) == 1 else hinted
        if len(meant) != 1:
            raise ValueError(
                f"--target must name one number of the run's events: {', '.join(numbers) or 'it has none'}"
            )
        return meant[0]

    def _of_detectors(self) -> list[str]:
        """Return the keys that detectors gave, by their names or, in older records, by the beginning of the key."""
        detectors = tuple(self.start_doc.get("detectors", ()))
        named = {
            key for doc in self._descriptors.values() for name in detectors for key in doc["object_keys"].get(name, ())
        }
        return [key for key in self._keys if key in named or (detectors and key.startswith(detectors))]

    def _hinted(self) -> set[str]:
        hints = [hint for doc in self._descriptors.values() for hint in doc.get("hints", {}).values()]
        return {field for hint in hints for field in hint.get("fields", ())}

    def units(self, key: str) -> str:
        """Return the units of a key; "" if it has none."""
        return str(self._keys[key].get("units") or "")

    def columns(self, axes: list[str], target: str) -> tuple[Any, Floats, Floats]:
        """Return numbers, positions of shape ``(k, ndim)`` and values of the events that have a position."""
        ordered = sorted(self._data)
        positions = np.array([[_float(self._data[n].get(axis)) for axis in axes] for n in ordered])
        values = np.array([_float(self._data[n].get(target)) for n in ordered])
        known = np.isfinite(positions).all(axis=1)
        return np.array(ordered)[known], positions[known], values[known]


def _is_number(about: Mapping[str, Any]) -> bool:
    size = prod(n or 0 for n in about.get("shape") or ())
    return about.get("dtype") in ("number", "integer", "boolean", "array") and size == 1 and "external" not in about


def _float(value: Any) -> float:
    """Return a number, also an array of one; NaN for what is none."""
    try:
        return float(np.ravel(value)[0])
    except (TypeError, ValueError, IndexError):
        return float("nan")
