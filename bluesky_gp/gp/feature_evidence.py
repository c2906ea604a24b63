r"""The marginal likelihood of blocks of values that have nothing in common but features.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
A       covariance of the values by the lattice, block by block   (m, m)
V       features times the root of their relevance                (m, r)
K       A + V V^T                                                 (m, m)
Z, M    A^-1 V, and 1 + V^T Z                                     (m, r), (r, r)
Y       Z by the root of M: K^-1 = A^-1 - Y Y^T                   (m, r)
alpha   K^-1 (y - trend)                                          (m,)
======  ========================================================  ============

What a pixel has in common with its neighbours ends with its block; what its features say is learnt from all of them,
and costs r numbers a value more. Woodbury's identity: Rasmussen & Williams, Gaussian Processes for Machine Learning
(2006), eqs. A.9 and A.10.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.gaussian_process.kernels import Sum

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.interfaces import Pairs
from bluesky_gp.gp.kernel_gradients import n_free
from bluesky_gp.gp.likelihood import log_probability
from bluesky_gp.gp.trend import Trend, TrendEstimate
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class BlockSolver:
    """Solutions with K, by a factor of each block and one of what the features add."""

    parts: tuple[slice, ...]  # places of the values of each block
    solvers: tuple[CholeskySolver, ...]  # of A
    V: Floats

    def divided(self, b: Floats) -> Floats:
        """Return ``A^-1 b``."""
        each = zip(self.parts, self.solvers, strict=True)
        return np.concatenate([solver.solve(b[part]) for part, solver in each])

    @cached_property
    def Z(self) -> Floats:
        """``A^-1 V``, shape ``(m, r)``."""
        return self.divided(self.V)

    @cached_property
    def inner(self) -> CholeskySolver:
        """Factor of M, shape ``(r, r)``."""
        return CholeskySolver.factorise(np.eye(self.V.shape[1]) + self.V.T @ self.Z)

    @cached_property
    def Y(self) -> Floats:
        """Root of what the features take off ``A^-1``, shape ``(m, r)``."""
        return self.inner.half(self.Z.T).T

    def solve(self, b: Floats, start: Floats | None = None, *, rough: bool = False) -> Floats:
        """Return ``K^-1 b``, shape ``(m,)`` or ``(m, k)``."""
        return np.asarray(self.divided(b) - self.Y @ (self.Y.T @ b))

    def inverse(self, block: int) -> Floats:
        """Return ``K^-1`` of the values of one block, its lower triangle."""
        Y = self.Y[self.parts[block]]
        inverse = self.solvers[block].inverse()
        inverse -= Y @ Y.T
        return inverse

    @property
    def log_determinant(self) -> float:
        """``log det K``."""
        return self.inner.log_determinant + sum(solver.log_determinant for solver in self.solvers)


@dataclass(frozen=True)
class FeatureEvidence:
    """Likelihood of theta, its gradient and how it curves, as `Evidence` has them of one block."""

    kernel: Sum  # of the lattice's kernel and a `FeatureKernel`
    pairs: tuple[Pairs, ...]  # of the lattice, in each block
    solver: BlockSolver
    fitted: TrendEstimate

    @property
    def log_likelihood(self) -> float:
        """Logarithm of the probability of the values."""
        return log_probability(self.fitted, self.solver.log_determinant)

    @property
    def gradient(self) -> Floats:
        r"""Its derivative by theta; by a relevance :math:`\tfrac12 \sum_j (V_j^T \alpha)^2 - 1 + (M^{-1})_{jj}`."""
        alpha, solver = self.fitted.alpha, self.solver
        by_lattice = np.zeros(n_free(self.kernel.k1))
        for i, (pairs, part) in enumerate(zip(self.pairs, solver.parts, strict=True)):
            W = solver.inverse(i)
            np.subtract(np.outer(alpha[part], alpha[part]).T, W, out=W)
            by_lattice += pairs.contract(self.kernel.k1, W)
        by_feature = np.square(solver.V.T @ alpha) - 1.0 + solver.inner.precision()
        return 0.5 * np.concatenate([by_lattice, self._of_groups(by_feature)])

    @property
    def information(self) -> Floats:
        """Average information, see `Evidence`."""
        alpha, V = self.fitted.alpha, self.solver.V
        each = zip(self.pairs, self.solver.parts, strict=True)
        by_lattice = np.concatenate([pairs.times(self.kernel.k1, alpha[part]) for pairs, part in each])
        by_group = self._of_groups(V * (V.T @ alpha))
        changed = np.column_stack([by_lattice, by_group])
        return 0.5 * changed.T @ self.solver.solve(changed)

    @property
    def left_out(self) -> Floats:
        """Error at each value of its prediction from all others, shape ``(m,)``."""
        precision = [np.diagonal(self.solver.inverse(i)) for i in range(len(self.pairs))]
        return self.fitted.alpha / np.concatenate(precision)

    def _of_groups(self, by_feature: Floats) -> Floats:
        """Return the sums over the features of each group, along the last axis; none where relevances are fixed."""
        features = self.kernel.k2
        if features.hyperparameter_relevance.fixed:
            return np.empty((*by_feature.shape[:-1], 0))
        starts = np.cumsum([0, *features.ranks[:-1]])
        return np.asarray(np.add.reduceat(by_feature, starts, axis=-1))


@dataclass(frozen=True)
class SharingBlocks:
    """Blocks of values that share features, whatever the hyperparameters."""

    pairs: tuple[Pairs, ...]  # of the lattice, in each block
    sizes: tuple[int, ...]  # values in each, one after another
    U: Floats  # (m, r)
    trend: Trend  # of the m values
    y: Floats
    noise: Floats

    def __call__(self, kernel: Sum) -> FeatureEvidence:
        """Factorise."""
        ends = np.cumsum(self.sizes)
        parts = tuple(slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True))
        solvers = tuple(
            CholeskySolver.factorise(self._noisy(kernel, pairs, part), quick=True)
            for pairs, part in zip(self.pairs, parts, strict=True)
        )
        solver = BlockSolver(parts, solvers, self.U * np.sqrt(kernel.k2.weights))
        return FeatureEvidence(kernel, self.pairs, solver, self.trend.estimate(np.arange(len(self.y)), self.y, solver))

    def _noisy(self, kernel: Sum, pairs: Pairs, part: slice) -> Floats:
        A = pairs.matrix(kernel.k1)
        A[np.diag_indices(len(A))] += self.noise[part]
        return A
