"""Windows on the axis of a spectrum: two numbers, start and end, the end left out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats

Window = tuple[float, float]
Channels = npt.NDArray[np.bool_]


def checked_windows(scalarizer: object, *fields: str) -> None:
    """Make the named fields of a frozen dataclass windows; ValueError names the field that is none."""
    for field in fields:
        object.__setattr__(scalarizer, field, _window(scalarizer, field))


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
