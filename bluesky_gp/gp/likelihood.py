"""The marginal likelihood of hyperparameters.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
theta   log hyperparameters, in scikit-learn's order              (n_theta,)
y, S    values and flat indices of the pixels that have one       (m,)
alpha   K^-1 (y - trend)                                          (m,)
======  ========================================================  ============
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.interfaces import Pairs
from bluesky_gp.gp.trend import Trend, TrendEstimate
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
    evidence = Evidence.of(kernel, pairs, trend, S, y, noise)
    return Likelihood(evidence.log_likelihood, evidence.gradient)


@dataclass(frozen=True)
class Evidence:
    """One factorisation for the likelihood of theta, its gradient, and how the values say that it curves."""

    kernel: Kernel
    pairs: Pairs
    solver: CholeskySolver
    fitted: TrendEstimate

    @classmethod
    def of(cls, kernel: Kernel, pairs: Pairs, trend: Trend, S: Indices, y: Floats, noise: Floats) -> Self:
        """Factorise; see `log_marginal_likelihood`."""
        K = pairs.matrix(kernel)
        K[np.diag_indices(len(S))] += noise
        solver = CholeskySolver.factorise(K)
        return cls(kernel, pairs, solver, trend.estimate(S, y, solver))

    @property
    def log_likelihood(self) -> float:
        """The first formula of `log_marginal_likelihood`."""
        quadratic, m = float(self.fitted.residual @ self.fitted.alpha), len(self.fitted.alpha)
        return float(-0.5 * (quadratic + self.solver.log_determinant + m * np.log(2.0 * np.pi)))

    @property
    def gradient(self) -> Floats:
        """The second, shape ``(n_theta,)``."""
        alpha = self.fitted.alpha
        W = np.outer(alpha, alpha).T - self.solver.inverse()  # laid out as the inverse is
        return 0.5 * self.pairs.contract(self.kernel, W)

    @property
    def information(self) -> Floats:
        r"""Average information, shape ``(n_theta, n_theta)``: minus the curvature, nearly, for O(m^2).

        .. math:: \tfrac12 \alpha^T \partial_i K \, K^{-1} \partial_j K \, \alpha

        The mean of the observed information and the expected one where K is linear in theta, and expected to be the
        latter everywhere (Gilmour, Thompson & Cullis 1995, Biometrics 51, 1440). Never negative.
        """
        changed = self.pairs.times(self.kernel, self.fitted.alpha)
        return 0.5 * changed.T @ self.solver.solve(changed)
