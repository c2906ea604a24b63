r"""The gradient of the map: walls and interfaces.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
f       the noise-free target, standardised                                (N,)
g       its gradient: central differences a pixel, one-sided at the edge   (ndim, N)
======  =================================================================  =====
"""

from dataclasses import dataclass

import numpy as np

from bluesky_gp.acquisition.sampling import gains, joint_samples
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import AcquisitionContext, Posterior
from bluesky_gp.typing import Floats, Indices

_EXACT = 2e9  # operations that the variance of the gradient may take: about a tenth of a second
_SAMPLES = 16


@dataclass(frozen=True)
class MapGradient:
    r"""Steepness of the map where it is unknown: the standard deviation times the root mean square of the gradient.

    .. math:: \sigma \sqrt{ \sum_a \mathrm{E}\, g_a^2 }, \quad
              \mathrm{E}\, g_a^2 = (\mathrm{E}\, g_a)^2 + \mathrm{Var}\, g_a

    Of the standardised target (with a transformation, of the transformed one), a pixel of the lattice being the unit of
    length on every axis. Mean and variance are those of the joint posterior, the pixels of the batch taken as measured;
    where the variance would take more than 2e9 operations (128 x 128 pixels, 250 of them measured) it is that of 16
    joint samples. The steepness of the mean times the deviation is what gpCAM calls "gradient" (Noack et al. 2021, Nat.
    Rev. Phys. 3, 685); the variance of the gradient is added so that walls are looked for where nothing is known too.
    """

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``; without a unit."""
        posterior, pixels = context.posterior, context.pixels
        if len(posterior.mean) * len(context.measured) ** 2 * context.grid.ndim <= _EXACT:
            square = self._exact(context)
        else:
            square = np.mean([_square(context.grid, sample) for sample in joint_samples(context, _SAMPLES)], axis=0)
        return np.asarray(np.sqrt(posterior.variance[pixels] * square[pixels]))

    def _exact(self, context: AcquisitionContext) -> Floats:
        before, variance = context.once(f"{self!r} variance", lambda: _variance(context.posterior, context.grid))
        variance = variance.copy()
        for gain in gains(context.posterior.fantasies[before:], len(variance)):
            variance -= _square(context.grid, gain)  # as f's variance, by the square of what the pixel takes off
        return np.asarray(_square(context.grid, context.posterior.mean) + np.maximum(variance, 0.0))


def _ends(grid: PixelGrid, axis: int) -> tuple[Indices, Indices, Floats]:
    """The two pixels whose difference is the gradient at each, and how far they are apart, each shape ``(N,)``."""
    places = grid.coordinates.astype(np.intp)
    after, before = places.copy(), places.copy()
    after[:, axis] = np.minimum(places[:, axis] + 1, grid.shape[axis] - 1)
    before[:, axis] = np.maximum(places[:, axis] - 1, 0)
    apart = np.maximum(after[:, axis] - before[:, axis], 1)
    return grid.ravel(after), grid.ravel(before), apart.astype(np.float64)


def _square(grid: PixelGrid, field: Floats) -> Floats:
    """Square of the gradient of a field, shape ``(N,)`` both."""
    ends = [_ends(grid, axis) for axis in range(grid.ndim)]
    return np.asarray(sum(((field[after] - field[before]) / apart) ** 2 for after, before, apart in ends))


def _variance(posterior: Posterior, grid: PixelGrid) -> tuple[int, Floats]:
    """Sum of the variances of the gradient's components, ``(N,)``, and the number of fantasies that it knows of."""
    ends = [_ends(grid, axis) for axis in range(grid.ndim)]
    parts = [posterior.difference_variance(after, before) / apart**2 for after, before, apart in ends]
    return len(posterior.fantasies), np.sum(parts, axis=0)
