"""Positions of measurements put on a lattice, by their indices or by where they lie; refused if they make none.

=========  ==========================================================================
name       meaning
=========  ==========================================================================
indices    of each position along each dimension, shape ``(n_dimensions, n)``
values     where that is, in the unit of the dimension, of the same shape
places     indices on the lattice, from 0
=========  ==========================================================================
"""

from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bluesky_gp.files.limits import LONGEST
from bluesky_gp.typing import Floats

_SPARSEST = 0.05  # share of a lattice that must be measured for it to be one
_WITHIN = 0.1  # of a step: as near positions lie to the pixels of a lattice that is found from them


class Placed(NamedTuple):
    """Places of the positions, ``(n_dimensions, n)``, and the values along each axis of the lattice."""

    places: npt.NDArray[np.intp]
    values: tuple[Floats, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each dimension."""
        return tuple(len(v) for v in self.values)


def on_lattice(indices: npt.NDArray[np.int64], values: Floats) -> Placed:
    """Return where positions lie on a lattice: by their indices if these are of one, else by the nearest pixel.

    A region that was cut out of a map has indices that begin anywhere. A sparse set of positions may be numbered along
    both axes at once, so that its indices lie on a diagonal: the lattice is then that of the values.

    Raises
    ------
    ValueError
        If there is none; the message says how many positions there are, on how many pixels.
    """
    places = indices - indices.min(axis=1, keepdims=True)
    if _is_lattice(places):
        return Placed(places.astype(np.intp), tuple(_by_place(p, v) for p, v in zip(places, values, strict=True)))
    found = [_nearest(v) for v in values]
    if all(f is not None for f in found):
        nearest = np.array([f[0] for f in found if f is not None])
        if _is_lattice(nearest):
            return Placed(nearest.astype(np.intp), tuple(f[1] for f in found if f is not None))
    shape = " x ".join(str(int(n)) for n in places.max(axis=1) + 1)
    raise ValueError(
        f"{indices.shape[1]} positions are no lattice of pixels, neither by their indices (of {shape}) nor by where "
        "they lie; expected rows and columns, each pixel once"
    )


def by_step(indices: npt.NDArray[np.int64], values: Floats) -> Placed:
    """Return where the steps of a sweep lie along each of its dimensions, by their indices.

    Raises
    ------
    ValueError
        If indices have gaps or one index stands for several values.
    """
    places = indices - indices.min(axis=1, keepdims=True)
    if not len(indices):
        return Placed(places.astype(np.intp), ())
    shape = _shape(places)
    if prod(shape) != places.shape[1] or not _is_lattice(places):
        raise ValueError(f"{places.shape[1]} steps do not fill their dimensions, {' x '.join(map(str, shape))}")
    found = tuple(_by_place(p, v) for p, v in zip(places, values, strict=True))
    for axis, place, value in zip(found, places, values, strict=True):
        if np.abs(axis[place] - value).max() > 1e-6 * max(float(np.ptp(value)), 1e-300):
            raise ValueError("steps of one index have several values")
    return Placed(places.astype(np.intp), found)


def _shape(places: npt.NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(n) + 1 for n in places.max(axis=1))


def _is_lattice(places: npt.NDArray[np.int64]) -> bool:
    """Whether places fill enough of a lattice, and more than one of its rows, each pixel once."""
    shape, n = _shape(places), places.shape[1]
    size = prod(shape)  # of Python's integers: an index may be anything
    if size > LONGEST or n < _SPARSEST * size:
        return False
    if len(np.unique(np.ravel_multi_index(tuple(places.astype(np.intp)), shape))) != n:
        return False
    return size == n or len(shape) == 1 or n > max(shape)


def _by_place(places: npt.NDArray[np.int64], values: Floats) -> Floats:
    """Return the mean value at each place; where there is none, what lies between its neighbours."""
    n = np.bincount(places)
    sums = np.bincount(places, weights=values)
    there = np.flatnonzero(n)
    return np.interp(np.arange(len(n)), there, sums[there] / n[there])


def _nearest(values: Floats) -> tuple[npt.NDArray[np.int64], Floats] | None:
    """Return places on the finest axis of even steps on which all values lie, and that axis; None if there is none."""
    start, span = float(values.min()), float(np.ptp(values))
    gaps = np.diff(np.unique(values))
    gaps = gaps[gaps > 1e-6 * span]
    if not np.isfinite(span) or not len(gaps) or span / gaps.min() > LONGEST:
        return None
    step = span / round(span / float(gaps.min()))
    places = np.rint((values - start) / step)
    if np.abs(values - start - places * step).max() > _WITHIN * step:
        return None
    return places.astype(np.int64), np.asarray(start + step * np.arange(int(places.max()) + 1), dtype=np.float64)
