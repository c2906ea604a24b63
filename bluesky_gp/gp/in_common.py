"""Predictions of what values have in common beside the map, and of values with it.

======  ==================================================  ============
symbol  meaning                                             shape
======  ==================================================  ============
R       root of what the measured values have in common     (m, r)
rows    of R, for other values                              (k, r)
======  ==================================================  ============

Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eqs. 2.25 and 2.26, of a sum of two processes.
"""

import numpy as np

from bluesky_gp.gp.posterior import GridPosterior
from bluesky_gp.typing import Floats, Indices


def common_part(posterior: GridPosterior, rows: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of what values have beside the map, shape ``(k,)`` each."""
    across = posterior.common[np.isfinite(posterior.values)] @ rows.T
    variance = np.square(rows).sum(axis=1) - posterior.mean_solver.reduce(across)
    return _mean(posterior, rows), np.maximum(variance, 0.0)


def predicted(posterior: GridPosterior, pixels: Indices, rows: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance, noise apart, of new values of some pixels, shape ``(k,)`` each."""
    if not posterior.common.shape[1]:
        return posterior.mean[pixels], posterior.variance[pixels]
    prior = posterior.prior
    across = prior.block(posterior.pixels, pixels) + posterior.common @ rows.T
    variance = prior.variance[pixels] + np.square(rows).sum(axis=1) - posterior.solver.reduce(across)
    return posterior.mean[pixels] + _mean(posterior, rows), np.maximum(variance, 0.0)


def _mean(posterior: GridPosterior, rows: Floats) -> Floats:
    alpha = posterior.trend.estimate(*posterior.measured, posterior.mean_solver, posterior.dual).alpha
    return np.asarray(rows @ (posterior.common[np.isfinite(posterior.values)].T @ alpha))
