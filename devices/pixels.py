"""Pixels as a stage is asked for them and tells them, of whichever control system its axes are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats


def checked_pixel(stage: str, grid: PixelGrid, pixel: Sequence[float]) -> Floats:
    """Return a pixel as numbers, fractions allowed; ValueError if it is none of the grid's, or masked."""
    wanted = np.asarray(pixel, dtype=np.float64)
    if wanted.shape != (grid.ndim,) or not np.isfinite(wanted).all():
        raise ValueError(f"{stage}: expected a pixel ({', '.join(grid.axes)}), got {pixel!r}{_added(grid, wanted)}")
    nearest = np.rint(wanted).astype(int)
    if (nearest < 0).any() or (nearest >= grid.shape).any():
        raise ValueError(f"{stage}: pixel {pixel_text(wanted)} lies outside the grid of shape {grid.shape}")
    if grid.mask is not None and grid.mask[tuple(nearest)]:
        raise ValueError(f"{stage}: pixel {pixel_text(wanted)} is masked, it must not be measured")
    return wanted


def pixel_data_keys(stage: str, grid: PixelGrid, source: str) -> dict[str, Any]:
    """Describe the coordinates of the pixel at which a stage is; `source` stands before the key."""
    data_key = {"dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "px", "object_name": stage}
    return {key: {**data_key, "source": f"{source}{key}"} for key in grid.pixel_keys(stage)}


def pixel_text(pixel: Sequence[float] | Floats) -> str:
    """Return a pixel as errors show it."""
    return f"({', '.join(f'{p:g}' for p in pixel)})"


def _added(grid: PixelGrid, wanted: Floats) -> str:
    """Say why a pixel may have come twice as long as it is: tuples that are added stand one behind the other."""
    doubled = wanted.shape == (2 * grid.ndim,)
    return "; a plan that makes moves relative (relative_set_wrapper) cannot go around one" if doubled else ""
