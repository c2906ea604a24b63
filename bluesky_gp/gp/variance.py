"""The posterior variance of every pixel: exactly, or from each one's nearest measured pixels."""

import numpy as np

from bluesky_gp.gp.interfaces import Covariance, Solver
from bluesky_gp.gp.tiles import tiled
from bluesky_gp.typing import Floats, Indices

_CHECKED = 3  # pixels at which a variance from nearest pixels is compared with the exact one
_LEAST_EXCESS = 1e-12  # relative; more than zero, which says that the variance is exact
_LEAST_VARIANCE = 1e-12  # relative to the prior's


def variance_given(
    prior: Covariance, S: Indices, noise: Floats, solver: Solver, *, exact: bool
) -> tuple[Floats, float]:
    """Variance of all pixels, and its largest relative excess over the exact one at a few of them; 0: it is exact."""
    n = len(prior.variance)
    near = None if exact else prior.nearest_variance(S, noise)
    if near is None:
        return np.concatenate([_exact(prior, S, solver, tile) for tile in tiled(n, len(S))]), 0.0
    some = np.random.default_rng(len(S)).choice(n, _CHECKED, replace=False)
    least = _LEAST_VARIANCE * prior.variance[some]
    excess = near[some] / np.maximum(_exact(prior, S, solver, some), least) - 1.0
    return near, max(float(excess.max()), _LEAST_EXCESS)


def _exact(prior: Covariance, S: Indices, solver: Solver, pixels: Indices) -> Floats:
    reduction = solver.reduce(prior.block(S, pixels))
    return np.asarray(np.maximum(prior.variance[pixels] - reduction, 0.0))
