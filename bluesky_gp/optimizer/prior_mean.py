"""The prior mean that a user gives, as a trend in the units of the posterior."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bluesky_gp.gp import Trend
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.units import Units
from bluesky_gp.typing import Floats

Mean = int | float | npt.NDArray[np.float64] | Callable[[Floats], Floats] | None
"""Prior mean: None, an unknown constant; 1 or 2, a polynomial of that degree; a float, a map of shape grid.shape or a
callable of positions ``(n_pixels, ndim)`` in the grid's units, each known, in the target's unit."""


def trend_of(mean: Mean, grid: PixelGrid, units: Units) -> Trend:
    """Return the trend of a prior mean; raise ValueError if it does not fit the grid."""
    if mean is None:
        return Trend.constant(grid.size)
    if isinstance(mean, int) and not isinstance(mean, bool):
        return Trend.polynomial(grid.coordinates, mean)
    known = np.asarray(mean(grid.position(grid.coordinates)) if callable(mean) else mean, dtype=np.float64)
    if known.shape not in ((), (grid.size,), grid.shape):
        raise ValueError(
            f"PixelOptimizer: mean must be None, 1, 2, a float, a map of shape {grid.shape} or a callable that gives "
            f"one, got shape {known.shape}"
        )
    values = np.broadcast_to(known.ravel(), grid.size)
    if not np.isfinite(values).all():
        raise ValueError("PixelOptimizer: mean must be finite everywhere")
    return Trend.known(units.inward(values))
