"""Frames that a detector wrote to an HDF5 file beside the events, looked up by the event they belong to."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.recording.detector_files import EXTRA, path_of, reason

__all__ = ["FrameError", "Frames", "check_readable"]

HDF5 = "application/x-hdf5"
_BLOCK = 64  # frames that are read at once


class FrameError(ValueError):
    """The frame of an event is missing or broken."""


@dataclass(frozen=True)
class _Span:
    """Frames of a file that belong to events, one after another."""

    resource: str
    index: int  # of the first frame
    number: int  # of the first event
    end: int  # number of the event behind the last

    def index_of(self, number: int) -> int:
        return self.index + number - self.number


class Frames:
    """The frames of one data key, as the documents of a run name them.

    Parameters
    ----------
    key : str
        Data key.
    shape : sequence of int
        As the descriptor states it, see `_rows_an_event`.
    """

    def __init__(self, key: str, shape: Sequence[int | None]) -> None:
        self._key = key
        self._shape = shape
        self._files: dict[str, Mapping[str, Any]] = {}
        self._spans: dict[str, list[_Span]] = {}  # by descriptor
        self._read: tuple[str, int, npt.NDArray[Any]] = "", 0, np.empty(0)  # resource, first index, rows of each event

    def resource(self, doc: Mapping[str, Any]) -> None:
        """Take a stream resource in; raise ValueError if it is not of a kind that can be read."""
        if doc["data_key"] != self._key:
            return
        if doc["mimetype"] != HDF5 or "dataset" not in doc["parameters"]:
            raise ValueError(f"{self._key} is written as {doc['mimetype']}, and frames are read from {HDF5} alone")
        self._files[doc["uid"]] = doc

    def datum(self, doc: Mapping[str, Any]) -> None:
        """Take in which frames belong to which events."""
        if doc["stream_resource"] in self._files:
            indices, numbers = doc["indices"], doc["seq_nums"]
            span = _Span(doc["stream_resource"], indices["start"], numbers["start"], numbers["stop"])
            self._spans.setdefault(doc["descriptor"], []).append(span)

    def of(self, descriptor: str, number: int) -> npt.NDArray[Any]:
        """Return the rows of an event; raise `FrameError`, which says of what frame of what file, if there are none."""
        for span in reversed(self._spans.get(descriptor, [])):
            if span.number <= number < span.end:
                return self._of(span, number)
        raise FrameError(f"{self._key} of event {number} is in a file that nothing is said of")

    def _of(self, span: _Span, number: int) -> npt.NDArray[Any]:
        index = span.index_of(number)
        resource, first, events = self._read
        if resource != span.resource or not first <= index < first + len(events):
            first, events = index, self._block(span, index, span.index_of(span.end))
            self._read = span.resource, first, events
        event: npt.NDArray[Any] = events[index - first]
        return event

    def _block(self, span: _Span, index: int, stop: int) -> npt.NDArray[Any]:
        """Read the rows of events from `index` on, of so many as are whole; raise if that one is not."""
        doc = self._files[span.resource]
        last = min(stop, index + _BLOCK)
        try:
            try:
                events = self._events_of(doc, index, last)
            except OSError:  # one of them is broken: perhaps another
                events = self._events_of(doc, index, index + 1)
        except Exception as error:
            raise FrameError(f"frame {index}: {reason(error, [doc['uri']])}") from error
        if not len(events):
            raise FrameError(f"frame {index} is not in {path_of(doc)}")
        return events

    def _events_of(self, doc: Mapping[str, Any], index: int, stop: int) -> npt.NDArray[Any]:
        import h5py

        with suppress(ModuleNotFoundError):
            import_module("hdf5plugin")  # registers the filters of compressed frames
        path = path_of(doc)
        try:
            file = h5py.File(path, "r", libver="latest", swmr=True)  # it is still being written
        except (OSError, ValueError):
            file = h5py.File(path, "r")
        with file:
            data = file[doc["parameters"]["dataset"]]
            data.id.refresh()
            each = _rows_an_event(self._shape, data.ndim, doc["parameters"])
            rows: npt.NDArray[Any] = data[index * each : stop * each]
        whole = len(rows) // each
        return rows[: whole * each].reshape(whole, each, *rows.shape[1:])


def _rows_an_event(shape: Sequence[int | None], ndim: int, parameters: Mapping[str, Any]) -> int:
    """Return how many rows of a data set belong to an event.

    A shape of as many axes as the data set has begins with that number, as ophyd-async writes it; one of fewer axes is
    that of a row, and the number is the parameter ``multiplier`` of older files, or one.
    """
    stated = shape[0] if len(shape) == ndim else parameters.get("multiplier")
    return int(stated or 1)


def check_readable(agent: str, key: str) -> None:
    """Raise ValueError unless frames can be read here."""
    if find_spec("h5py") is None:
        raise ValueError(f"{agent}: {key} is written to a file, and to read it needs the package h5py: {EXTRA}")
