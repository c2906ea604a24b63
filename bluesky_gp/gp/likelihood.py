"""The marginal likelihood of hyperparameters.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
theta   log hyperparameters, in scikit-learn's order              (n_theta,)
y, S    values and flat indices of the pixels that have one       (m,)
alpha   K^-1 (y - trend)                                          (m,)
======  ========================================================  ============
"""

from typing import NamedTuple

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.interfaces import Pairs
from bluesky_gp.gp.trend import Trend
from bluesky_gp.typing import Floats, Indices


class Likelihood(NamedTuple):
    """Log marginal likelihood of theta and its gradient."""

    value: float
    gradient: Floats


def log_marginal_likelihood(
    kernel: Kernel, pairs: Pairs, trend: Trend, S: Indices, y: Floats, noise: Floats
) -> Likelihood:
    r"""Logarithm of the probability of the values at S, the trend's coefficients at their estimate.

    .. math:: -\tfrac12 r^T K^{-1} r - \tfrac12 \log\det K - \tfrac m2 \log 2\pi, \quad
              \partial_\theta = \tfrac12 \mathrm{tr}\,(\alpha\alpha^T - K^{-1})\,\partial_\theta K

    Rasmussen & Williams (2006), eqs. 5.8 and 5.9. The estimate of the trend minimises the first term, so that the
    gradient has no part from it.

    Parameters
    ----------
    kernel : scikit-learn kernel
    pairs : Pairs
        What the covariance has among S, from ``covariance.among(S)``.
    trend : Trend
    S, y, noise : ndarray, shape (m,)
        Pixels, their values, and noise variances beside the kernel's.
    """
    K = pairs.matrix(kernel)
    K[np.diag_indices(len(S))] += noise
    solver = CholeskySolver.factorise(K)
    fitted = trend.estimate(S, y, solver)
    quadratic = float(fitted.residual @ fitted.alpha)
    value = -0.5 * (quadratic + solver.log_determinant + len(y) * np.log(2.0 * np.pi))
    W = np.outer(fitted.alpha, fitted.alpha) - solver.inverse()
    return Likelihood(float(value), 0.5 * pairs.contract(kernel, W))
