"""Pixels of the events of a scan that no agent steered, by what its start document states.

A pattern of bluesky's states every point in its order: event number k is point k. So a scan that was stopped early, a
relative one, whose positions all lie elsewhere by a constant, and uneven steps are placed alike, and the positions only
have to agree. Where no more than a lattice is stated, positions say which of its points an event is; where not even
that, the scan must be complete. What does not fit is refused: a map with two pixels exchanged looks like any other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np
from bluesky.plan_patterns import spiral_square_pattern
from bluesky.utils import snake_cyclers
from cycler import cycler

from bluesky_gp.typing import Floats, Indices

Levels = tuple[Floats, ...]
"""Positions of the rows, of the columns and so on, increasing."""

_ASIDE = 0.45  # of a step: how far beside its point a stage may stop
_LARGEST = 2**24  # points


@dataclass(frozen=True, eq=False)
class ScanLattice:
    """Points that a start document states; pixels are counted from the lowest position of each axis.

    Parameters
    ----------
    shape : tuple of int
    levels : tuple of ndarray, optional
        None if no positions are stated.
    order : ndarray of int, shape (n_points, ndim), optional
        Pixels in the order of the plan, where a pattern states it.
    """

    shape: tuple[int, ...]
    levels: Levels | None = None
    order: Indices | None = None
    absolute: bool = True  # False: the levels are those of a relative scan, which began nobody knows where

    @classmethod
    def of(cls, start: Mapping[str, Any]) -> Self:
        """Read a start document that has a shape.

        Raises
        ------
        ValueError
            If it contradicts itself, or goes to one position twice.
        """
        shape = _checked_shape(start)
        absolute = not str(start.get("plan_name", "")).startswith("rel")
        points = _POINTS.get(start.get("plan_pattern", ""), _no_order)(start)
        if points is None:
            return cls(shape, _evenly(shape, start.get("extents")), None, absolute)
        levels = tuple(np.unique(axis) for axis in points.T)
        if tuple(map(len, levels)) != shape or len(points) != prod(shape):
            raise ValueError(f"its start document states a shape of {shape}, but not so many different positions")
        order = np.stack([np.searchsorted(level, axis) for level, axis in zip(levels, points.T, strict=True)], axis=1)
        return cls(shape, levels, order, absolute)

    def place(self, numbers: Indices, positions: Floats) -> Indices:
        """Return the pixels of events, shape ``(k, ndim)``.

        Parameters
        ----------
        numbers : ndarray of int, shape (k,)
            Their ``seq_num``, each once.
        positions : ndarray, shape (k, ndim)

        Raises
        ------
        ValueError
            If they do not fit what the start document states.
        """
        pixels = self._in_order(numbers, positions)
        if pixels is None:
            pixels = self._nearest(positions)
        if pixels is None:
            pixels = self._complete(positions)
        if pixels is None:
            raise ValueError(
                "the positions of its events are not those that its start document states, and it is not complete: "
                "which pixels were measured cannot be told"
            )
        different, counts = np.unique(pixels, axis=0, return_counts=True)
        if len(different) < len(pixels):
            twice = different[counts > 1][0].tolist()
            raise ValueError(f"it has more than one event at pixel {tuple(twice)}: which one is meant cannot be told")
        return pixels

    @property
    def is_even(self) -> bool:
        """Whether the steps of each axis are alike, as far as they are stated."""
        steps = [np.diff(level) for level in self.levels or () if len(level) > 1]
        return all(step.max() <= 1.01 * step.min() for step in steps)

    def _in_order(self, numbers: Indices, positions: Floats) -> Indices | None:
        """Take event k for point k, if the positions agree up to a constant."""
        if self.order is None or self.levels is None or numbers.max() > len(self.order):
            return None
        pixels = self.order[numbers - 1]
        beside = positions - _stated(self.levels, pixels)
        fits = np.abs(beside - np.median(beside, axis=0)) <= _ASIDE * _steps(self.levels)
        return pixels if fits.all() else None

    def _nearest(self, positions: Floats) -> Indices | None:
        """Take each event for the nearest point, if all are near one."""
        return _nearest(self.levels, positions) if self.levels is not None and self.absolute else None

    def _complete(self, positions: Floats) -> Indices | None:
        """Find the lattice in the positions, if there are as many events as points."""
        if len(positions) != prod(self.shape):
            return None
        found = tuple(_clusters(axis, n) for axis, n in zip(positions.T, self.shape, strict=True))
        return _nearest(found, positions)


def _nearest(levels: Levels, positions: Floats) -> Indices | None:
    pairs = list(zip(levels, positions.T, strict=True))
    pixels = np.stack([np.abs(axis[:, np.newaxis] - level).argmin(axis=1) for level, axis in pairs], axis=1)
    beside = positions - _stated(levels, pixels)
    return pixels if (np.abs(beside) <= _ASIDE * _steps(levels)).all() else None


def _stated(levels: Levels, pixels: Indices) -> Floats:
    """Return the positions of pixels, shape ``(k, ndim)``."""
    return np.stack([level[index] for level, index in zip(levels, pixels.T, strict=True)], axis=1)


def _steps(levels: Levels) -> Floats:
    """Return the smallest step of each axis; infinite where there is none."""
    return np.array([np.diff(level).min(initial=np.inf) for level in levels])


def _clusters(positions: Floats, n: int) -> Floats:
    """Return the middles of `n` groups, parted at the largest gaps."""
    ordered = np.sort(positions)
    cuts = np.sort(np.argsort(np.diff(ordered), kind="stable")[len(ordered) - n :]) + 1
    return np.array([group.mean() for group in np.split(ordered, cuts)])


def _evenly(shape: Sequence[int], extents: Any) -> Levels | None:
    if extents is None or np.shape(extents) != (len(shape), 2):
        return None
    return tuple(np.linspace(min(ends), max(ends), n) for ends, n in zip(extents, shape, strict=True))


def _checked_shape(start: Mapping[str, Any]) -> tuple[int, ...]:
    shape = tuple(int(n) for n in start["shape"])
    if not 1 <= len(shape) <= 3 or min(shape) < 1 or prod(shape) > _LARGEST:
        raise ValueError(f"a map of shape {shape} cannot be rehearsed: one to three axes are, {_LARGEST} pixels")
    return shape


def _no_order(start: Mapping[str, Any]) -> Floats | None:
    return None


def _outer_product(start: Mapping[str, Any]) -> Floats:
    """Points of ``grid_scan`` and its relatives, whose extents run from start to stop."""
    lines = [np.linspace(first, last, n) for (first, last), n in zip(start["extents"], start["shape"], strict=True)]
    return _product(lines, start.get("snaking", [False] * len(lines)))


def _outer_list_product(start: Mapping[str, Any]) -> Floats:
    """Points of ``list_grid_scan`` and its relatives."""
    arguments = start["plan_pattern_args"]
    motors, lines = arguments["args"][::2], arguments["args"][1::2]
    snaking = str(arguments.get("snake_axes", False))  # "True", "False", or the motors that snake
    return _product(lines, [i > 0 and (snaking == "True" or str(motor) in snaking) for i, motor in enumerate(motors)])


def _product(lines: Sequence[Any], snaking: Sequence[bool]) -> Floats:
    names = [str(axis) for axis in range(len(lines))]
    points = snake_cyclers([cycler(name, line) for name, line in zip(names, lines, strict=True)], list(snaking))
    return np.array([[point[name] for name in names] for point in points], dtype=np.float64)


def _spiral_square(start: Mapping[str, Any]) -> Floats:
    given = {key: start["plan_args"][key] for key in ("x_center", "y_center", "x_range", "y_range", "x_num", "y_num")}
    points = np.array([[point["y"], point["x"]] for point in spiral_square_pattern("x", "y", **given)])
    return np.round(
        points, 12 - int(np.ceil(np.log10(np.abs(points).max() or 1.0)))
    )  # equal rows differ in the last bit


_POINTS: Mapping[str, Callable[[Mapping[str, Any]], Floats | None]] = {
    "outer_product": _outer_product,
    "outer_list_product": _outer_list_product,
    "spiral_square": _spiral_square,
}
"""Points in the order of the plan, shape ``(n_points, ndim)``, by the name of the pattern."""
