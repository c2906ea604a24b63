"""Metadata as Tiled's JSON keeps it: integers of 64 bits as they are; longer ones, infinities and NaN as text.

Where they stood is noted, so that whoever reads the run through this package gets them back as they were.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

__all__ = ["EXACT", "Place", "restored", "storable"]

EXACT: Final = "_exact"
"""Key of a run's metadata, beside its documents: places of the numbers that are kept as text."""

Place = list[str | int]
_RANGE = (-(2**63), 2**64)


def storable(value: Any) -> tuple[Any, list[Place]]:
    """Return `value` as plain data that Tiled keeps, and the places of the numbers that are text in it."""
    places: list[Place] = []
    return _plain(value, [], places), places


def _plain(value: Any, place: Place, places: list[Place]) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, [*place, str(key)], places) for key, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = _lists(value)
    if isinstance(value, list | tuple):
        return [_plain(inner, [*place, number], places) for number, inner in enumerate(value)]
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, complex) or _is_beyond(value):
        places.append(place)
        return str(value)
    return value


def _lists(value: Any) -> Any:
    return str(value) if value.dtype.kind in "mM" and not value.ndim else value.tolist()


def _is_beyond(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and not _RANGE[0] <= value < _RANGE[1]


def restored(value: Any, places: Iterable[Place]) -> Any:
    """Return plain data in which what stands at `places` is a number again."""
    for place in places:
        value = _replaced(value, iter(place))
    return value


def _replaced(value: Any, rest: Iterator[str | int]) -> Any:
    """Return a copy with the number at a place restored; unchanged if there is no text at it."""
    step = next(rest, None)
    if step is None:
        return _number(value) if isinstance(value, str) else value
    try:
        inner = _replaced(value[step], rest)
    except (KeyError, IndexError, TypeError):
        return value
    if isinstance(value, Mapping):
        return {**value, step: inner}
    return [inner if number == step else other for number, other in enumerate(value)]


def _number(text: str) -> Any:
    for kind in (int, float, complex):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
