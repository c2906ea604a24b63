"""Regions of a grid, as people say them: a rectangle, a polygon, pixels, a mask, or where the map is above a value."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.masks import outside
from bluesky_gp.packed import bits_as_text, bits_from_text
from bluesky_gp.run import Decision

Mask = npt.NDArray[np.bool_]


def region_of(said: Any, grid: PixelGrid, decision: Decision | None) -> tuple[Any, Mask]:
    """Return a region as plain data, and as a mask of shape ``grid.shape``, True inside.

    Parameters
    ----------
    said : Mapping or array_like of bool
        ``{"rectangle": corners}``, two opposite ones, both inside; ``{"polygon": corners}``, two axes, edges inside;
        ``{"pixels": [...]}``; ``{"mask": ...}`` or the mask itself, True inside; ``{"above": value}`` and ``{"below":
        value}``, of the posterior mean, in the target's unit. Corners are in pixels.
    grid : PixelGrid
    decision : Decision or None
        The latest, for the mean.

    Raises
    ------
    TypeError, ValueError
        If it is none, has no pixel, or lies outside the grid.
    """
    if not isinstance(said, Mapping):
        said = {"mask": said}
    if len(said) != 1 or next(iter(said)) not in _KINDS:
        raise ValueError(f"a region has one of the keys {', '.join(_KINDS)}, as in {{'above': 0.3}}, got {said!r:.80}")
    ((kind, value),) = said.items()
    mask = _KINDS[kind](value, grid, decision)
    if not mask.any():
        raise ValueError(f"the region {said!r:.80} has no pixel of the grid {grid!r}")
    plain = np.asarray(value).tolist() if kind != "mask" else bits_as_text(mask)
    return {kind: plain}, mask


def pixels_of(said: Any, grid: PixelGrid) -> list[list[int]]:
    """Return pixels as plain data; ValueError unless each is one of the grid that may be measured."""
    try:
        rows = np.asarray(said)
    except ValueError:
        rows = np.empty(0)
    if rows.ndim != 2 or rows.shape[1] != grid.ndim or rows.dtype.kind not in "iu" or not len(rows):
        raise ValueError(
            f"pixels are a list such as [[{', '.join(grid.axes)}], ...] of whole numbers, got {said!r:.80}"
        )
    masked = rows[~grid.allowed[grid.ravel(rows)]]
    if len(masked):
        raise ValueError(f"the pixels {masked.tolist()} are masked, so they are never measured")
    return [[int(i) for i in row] for row in rows]


def _rectangle(corners: Any, grid: PixelGrid, _: Decision | None) -> Mask:
    ends = np.asarray(corners)
    if ends.shape != (2, grid.ndim) or ends.dtype.kind not in "iu":
        raise ValueError(
            f"a rectangle has two corners of whole numbers, {', '.join(grid.axes)} each, got {corners!r:.80}"
        )
    grid.ravel(ends)  # raises outside the grid
    places = grid.coordinates
    return np.asarray(((places >= ends.min(axis=0)) & (places <= ends.max(axis=0))).all(axis=1).reshape(grid.shape))


def _polygon(corners: Any, grid: PixelGrid, _: Decision | None) -> Mask:
    places = np.asarray(corners, dtype=np.float64)
    if grid.ndim != 2 or places.ndim != 2 or places.shape[1] != 2:
        raise ValueError(f"a polygon has corners (row, col) on a grid of two axes, got {corners!r:.80}")
    return ~outside(grid.position(places).tolist(), grid)


def _pixels(said: Any, grid: PixelGrid, _: Decision | None) -> Mask:
    mask = np.zeros(grid.size, dtype=bool)
    mask[grid.ravel(pixels_of(said, grid))] = True
    return mask.reshape(grid.shape)


def _mask(said: Any, grid: PixelGrid, _: Decision | None) -> Mask:
    if isinstance(said, str):
        return bits_from_text(said, grid.shape)
    mask = np.asarray(said)
    if mask.shape != grid.shape or (mask.dtype != bool and not np.isin(mask, (0, 1)).all()):
        raise ValueError(f"a mask has the grid's shape {grid.shape}, True inside, got {mask.dtype} of {mask.shape}")
    return mask.astype(bool)


def _compared(above: bool) -> Callable[[Any, PixelGrid, Decision | None], Mask]:
    def compare(value: Any, grid: PixelGrid, decision: Decision | None) -> Mask:
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise ValueError(f"the map is compared with a number in the target's unit, got {value!r:.80}")
        if decision is None or not decision.state.n_measured:
            raise ValueError("nothing is known of the map yet: say the region in pixels")
        mean = np.asarray(decision.state.mean).reshape(grid.shape)
        return np.asarray(mean > value if above else mean < value)

    return compare


_KINDS: dict[str, Callable[[Any, PixelGrid, Decision | None], Mask]] = {
    "rectangle": _rectangle,
    "polygon": _polygon,
    "pixels": _pixels,
    "mask": _mask,
    "above": _compared(above=True),
    "below": _compared(above=False),
}
