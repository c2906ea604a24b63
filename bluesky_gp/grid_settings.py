"""The settings of a grid of pixels, each checked; errors name it, what came and what was expected."""

from collections.abc import Iterable, Sequence
from math import prod
from numbers import Integral

import numpy as np
import numpy.typing as npt

_LARGEST = 2**31  # pixels; a map of them takes 16 GiB


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) > 0


def checked_counts(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of pixels of one to three axes."""
    values = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if not 1 <= len(values) <= 3 or not all(_is_count(n) for n in values):
        raise ValueError(f"PixelGrid: shape must be one to three positive whole numbers, got {shape!r}")
    if (size := prod(int(n) for n in values)) > _LARGEST:
        raise ValueError(
            f"PixelGrid: {' x '.join(map(str, values))} pixels are {size:.0e}, of which a single map takes "
            f"{size * 8 / 2**40:.3g} TiB; {_LARGEST:.0e} are the most"
        )
    return tuple(int(n) for n in values)


def checked_floats(name: str, value: float | Sequence[float], default: float, ndim: int) -> tuple[float, ...]:
    """Return a finite number for each axis, the default where none is given."""
    if np.size(value) == 0:
        return (default,) * ndim
    try:
        values = tuple(np.atleast_1d(np.asarray(value, dtype=np.float64)).tolist())
    except (TypeError, ValueError):
        values = ()
    if len(values) != ndim or not np.all(np.isfinite(values)):
        raise ValueError(f"PixelGrid: {name} must be {ndim} finite numbers, one an axis, got {value!r}")
    return values


def checked_names(axes: Sequence[str], ndim: int) -> tuple[str, ...]:
    """Return the names of the axes, all different."""
    names = ((axes,) if isinstance(axes, str) else tuple(axes)) or ("row", "col", "layer")[:ndim]
    if len(set(names)) != ndim or len(names) != ndim or not all(isinstance(name, str) for name in names):
        raise ValueError(f"PixelGrid: axes must be {ndim} different names, got {axes!r}")
    if "_id" in names:
        raise ValueError("PixelGrid: no axis can be called '_id', which is the flat index of a pixel")
    return names


def checked_units(units: str) -> str:
    """Return the unit of lengths."""
    if not isinstance(units, str):
        raise TypeError(f"PixelGrid: units must be a text such as 'um', got {units!r}")
    return units


def checked_mask(mask: npt.ArrayLike | None, shape: tuple[int, ...]) -> npt.NDArray[np.bool_] | None:
    """Return where never to measure, as an array that nobody can write to."""
    if mask is None:
        return None
    try:
        given = np.asarray(mask)
    except ValueError as error:
        raise ValueError(f"PixelGrid: mask must have the grid's shape {shape}, got rows of unequal length") from error
    array = given.astype(bool)
    if given.dtype.kind not in "biuf" or not np.array_equal(given, array):
        raise ValueError(
            "PixelGrid: mask must hold True and False (or 1 and 0), True where never to measure; got others"
        )
    if array.shape != shape:
        raise ValueError(f"PixelGrid: mask must have the grid's shape {shape}, got {array.shape}")
    if array.all():
        raise ValueError("PixelGrid: the mask leaves no pixel (True means: never measure)")
    array.flags.writeable = False
    return array
