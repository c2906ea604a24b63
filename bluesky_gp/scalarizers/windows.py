"""Windows on the axis of a spectrum: two numbers, start and end, the end left out."""

from collections.abc import Sequence
from typing import get_type_hints

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats

Window = tuple[float, float]
Channels = npt.NDArray[np.bool_]


def checked_windows(scalarizer: object, *fields: str) -> None:
    """Make the named fields of a frozen dataclass windows; ValueError names the field that is none."""
    for field in fields:
        object.__setattr__(scalarizer, field, _window(scalarizer, field))


def windows_of(scalarizer: object) -> dict[str, Window]:
    """Return the windows of a scalarizer that are set, by the names of its parameters.

    >>> from bluesky_gp.scalarizers import NetCounts
    >>> windows_of(NetCounts())
    {'edge': (454.0, 472.0), 'background': (400.0, 450.0)}
    """
    hints = get_type_hints(type(scalarizer)) if hasattr(type(scalarizer), "__dataclass_fields__") else {}
    named = {name: getattr(scalarizer, name) for name, hint in hints.items() if hint in (Window, Window | None)}
    return {name: window for name, window in named.items() if window is not None}


def _window(scalarizer: object, field: str) -> Window:
    value: Sequence[float] = getattr(scalarizer, field)
    message = f"{scalarizer_name(scalarizer)}: {field} must be two numbers, start and end, got {value!r}"
    try:
        start, end = (float(v) for v in value)
    except (TypeError, ValueError) as error:
        raise ValueError(message) from error
    if not start < end:
        raise ValueError(message)
    return start, end


def channels(scalarizer: object, axis: Floats, window: Window | None) -> Channels:
    """Return which channels lie in a window, all without one; ValueError if none does."""
    if window is None:
        return np.ones(len(axis), dtype=bool)
    chosen = (axis >= window[0]) & (axis < window[1])
    if not chosen.any():
        raise ValueError(
            f"{scalarizer_name(scalarizer)}: window {window} lies outside the axis, {axis.min():g} to {axis.max():g}"
        )
    return np.asarray(chosen)


def channel_width(axis: Floats) -> float:
    """Return the distance of neighbouring channels, in the unit of the axis."""
    return float(abs(axis[-1] - axis[0]) / (len(axis) - 1))


def scalarizer_name(scalarizer: object) -> str:
    """Return what a scalarizer is called: its `name`, that of a function, or that of its class."""
    named = getattr(scalarizer, "name", None) or getattr(scalarizer, "__name__", None)
    return str(named or type(scalarizer).__name__)
