"""Shapes of the arrays that are shorter than their column in a store, by which documents have them as they came."""

from collections.abc import Iterable, Iterator, Mapping
from math import nan
from typing import Any, Final

import numpy as np

__all__ = ["CUT", "Shapes", "as_it_came", "uncut"]

CUT: Final = "_cut_arrays"
"""Key of a stream's metadata: by event key and number of the event, the shape of an array that was filled up."""

Shapes = Mapping[str, Mapping[str, list[int]]]


def uncut(documents: Iterable[tuple[str, Any]], shapes: Mapping[str, Shapes]) -> Iterator[tuple[str, Any]]:
    """Yield the documents of a run without what was filled up in their arrays.

    Parameters
    ----------
    documents : iterable of (name, document)
        As a store has them, each array of the shape of its column.
    shapes : mapping
        By stream, what its metadata say under `CUT`.
    """
    streams: dict[str, Shapes] = {}
    for name, doc in documents:
        if name == "descriptor":
            streams[doc["uid"]] = shapes.get(doc["name"], {})
        elif name == "event" and (cut := _in_event(streams.get(doc["descriptor"], {}), str(doc["seq_num"]))):
            data = {key: as_it_came(value, cut[key]) if key in cut else value for key, value in doc["data"].items()}
            doc = type(doc)({**doc, "data": data})
        yield name, doc


def _in_event(shapes: Shapes, number: str) -> dict[str, list[int]]:
    return {key: by_number[number] for key, by_number in shapes.items() if number in by_number}


def as_it_came(value: Any, shape: list[int]) -> Any:
    """Return the part of a stored array that an event had, an array of `shape`."""
    stored = np.asarray(value)
    if stored.dtype == object:  # JSON has no NaN
        stored = np.asarray(value, dtype=float)
    if stored.ndim < len(shape):
        return np.full(shape, nan) if not np.prod(shape) else stored
    whole = (1,) * (stored.ndim - len(shape)) + tuple(shape)
    return stored[tuple(slice(n) for n in whole)].reshape(shape)
