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

from bluesky_gp.gp import lapack
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


def log_probability(fitted: TrendEstimate, log_determinant: float) -> float:
    """Return the first formula of `log_marginal_likelihood`."""
    quadratic, m = float(fitted.residual @ fitted.alpha), len(fitted.alpha)
    return float(-0.5 * (quadratic + log_determinant + m * np.log(2.0 * np.pi)))


@dataclass(frozen=True)
class Evidence:
    """One factorisation for the likelihood of theta, its gradient, and how the values say that it curves."""

    kernel: Kernel
    pairs: Pairs
    solver: CholeskySolver
    fitted: TrendEstimate

    @classmethod
    def of(
        cls, kernel: Kernel, pairs: Pairs, trend: Trend, S: Indices, y: Floats, noise: Floats, *, quick: bool = False
    ) -> Self:
        """Factorise; see `log_marginal_likelihood`, and `Covariance.quick`."""
        K = pairs.matrix(kernel)
        K[np.diag_indices(len(S))] += noise
        solver = CholeskySolver.factorise(K, quick=quick)
        return cls(kernel, pairs, solver, trend.estimate(S, y, solver))

    @property
    def log_likelihood(self) -> float:
        """The first formula of `log_marginal_likelihood`."""
        return log_probability(self.fitted, self.solver.log_determinant)

    @property
    def gradient(self) -> Floats:
        """The second, shape ``(n_theta,)``."""
        alpha, W = self.fitted.alpha, self.solver.inverse()
        if self.solver.quick:
            lapack.subtract_square(W, alpha)
            return -0.5 * self.pairs.contract(self.kernel, W)
        np.subtract(np.outer(alpha, alpha).T, W, out=W)
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

    @property
    def left_out(self) -> Floats:
        """Error at each value of its prediction from all others, shape ``(m,)``.

        Rasmussen & Williams (2006), eq. 5.12.
        """
        return self.fitted.alpha / self.solver.precision()


@dataclass(frozen=True)
class BlockEvidence:
    """That of blocks of values, taken as independent."""

    blocks: tuple[Evidence, ...]

    @property
    def log_likelihood(self) -> float:
        """The sum over the blocks."""
        return sum(block.log_likelihood for block in self.blocks)

    @property
    def gradient(self) -> Floats:
        """Its derivative by theta, shape ``(n_theta,)``."""
        return np.asarray(np.sum([block.gradient for block in self.blocks], axis=0))

    @property
    def information(self) -> Floats:
        """Minus its curvature, nearly, shape ``(n_theta, n_theta)``."""
        return np.asarray(np.sum([block.information for block in self.blocks], axis=0))

    @property
    def left_out(self) -> Floats:
        """Error at each value of its prediction from all others in its block, shape ``(m,)``."""
        return np.concatenate([block.left_out for block in self.blocks])
