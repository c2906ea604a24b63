r"""Solutions with the covariance of values that have something in common beside their pixels.

======  ==================================================  ============
symbol  meaning                                             shape
======  ==================================================  ============
A       covariance of the measured pixels, noise included   (m, m)
R       root of what the values have in common              (m, r)
L       lower factor of ``1 + R^T A^-1 R``                  (r, r)
D       ``A^-1 R L^-T``                                     (m, r)
======  ==================================================  ============

.. math:: (A + R R^T)^{-1} = A^{-1} - D D^T

The identity of Woodbury: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eq. A.9.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from bluesky_gp.gp.features_left import FeaturesLeft, Nearest
from bluesky_gp.gp.interfaces import Covariance, Solver
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class CommonSolver:
    """Solver of ``A + R R^T`` over one of A."""

    alone: Solver
    R: Floats = field(repr=False)
    D: Floats = field(repr=False)

    @classmethod
    def of(cls, alone: Solver, common: Floats) -> Self:
        """Solve for what the values have in common: r right-hand sides."""
        weighted = alone.solve(common)
        L = cholesky(np.eye(common.shape[1]) + common.T @ weighted, lower=True)
        return cls(alone, common, solve_triangular(L, weighted.T, lower=True).T)

    @property
    def jitter(self) -> float:
        """Of A."""
        return self.alone.jitter

    @property
    def notes(self) -> str:
        """Of A."""
        return self.alone.notes

    def solve(self, b: Floats, start: Floats | None = None, *, rough: bool = False) -> Floats:
        """Return ``(A + R R^T)^-1 b``, shape ``(m,)`` or ``(m, k)``; `start` is of another equation."""
        return np.asarray(self.alone.solve(b, rough=rough) - self.D @ (self.D.T @ b))

    def reduce(self, cross: Floats) -> Floats:
        """Return ``diag(cross^T (A + R R^T)^-1 cross)``, shape ``(k,)``."""
        return np.asarray(self.alone.reduce(cross) - np.square(self.D.T @ cross).sum(axis=0))

    def halves(self, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Return a and b with ``a^T b = left^T (A + R R^T)^-1 right``."""
        first, second = self.alone.halves(left, right)
        return np.vstack([first, -self.D.T @ left]), np.vstack([second, self.D.T @ right])

    def precision(self) -> Floats | None:
        """Return ``diag((A + R R^T)^-1)``, shape ``(m,)``; None where that of A costs too much."""
        alone = self.alone.precision()
        return None if alone is None else alone - np.square(self.D).sum(axis=1)

    def extend(self, prior: Covariance, S: Indices, new: Indices, noise: Floats) -> Self:
        """Return the solver of some pixels more, which have nothing in common with those of this one but the map."""
        alone = self.alone.extend(prior, S, new, noise)
        return self.of(alone, np.vstack([self.R, np.zeros((len(new), self.R.shape[1]))]))


def solver_given(prior: Covariance, S: Indices, noise: Floats, common: Floats, earlier: Solver | None = None) -> Solver:
    """Return the solver of measured pixels whose values have a root in common, shape ``(m, r)``; r = 0: nothing."""
    alone = prior.solver(S, noise, earlier.alone if isinstance(earlier, CommonSolver) else earlier)
    return CommonSolver.of(alone, common) if common.shape[1] else alone


def with_common(nearest: Nearest, prior: Covariance, S: Indices, noise: Floats, solver: Solver) -> Nearest:
    """Return a variance by nearest pixels with what comes of not knowing what the values have in common.

    It adds ``G G^T``, with ``G = K_NS D``, to the covariance of all pixels, as features do.
    """
    if not isinstance(solver, CommonSolver):
        return nearest
    G = np.stack([prior.dot(S, column) for column in solver.D.T], axis=1)
    alone = prior.quick and nearest.left is None
    left = FeaturesLeft(prior, S, noise, G, np.eye(G.shape[1])) if alone else None
    return Nearest(nearest.variance + np.einsum("ij,ij->i", G, G), left)
