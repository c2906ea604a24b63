"""The prior mean: a known map, or a basis whose coefficients are estimated with the rest.

======  =====================================================  ===============
symbol  meaning                                                shape
======  =====================================================  ===============
S       flat indices of the pixels that have a value           (m,)
H       basis of the trend at all pixels                       (N, q)
beta    its coefficients by generalised least squares          (q,)
alpha   K^-1 (y - trend)                                       (m,)
======  =====================================================  ===============

Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eqs. 2.41 and 2.42.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from bluesky_gp.gp.block_diagonal import block_diagonal
from bluesky_gp.gp.interfaces import Covariance, Solver, Solving
from bluesky_gp.typing import Floats, Indices

_SINGULAR = 1e-12  # smallest singular value, relative to the largest, of what a trend is estimated from
_UNKNOWN = 1e-12  # eigenvalue of what the pixels say of the coefficients, relative to the largest, that is none


@dataclass(frozen=True)
class Trend:
    """The prior mean: a known map, plus a basis whose coefficients are estimated with the rest."""

    offset: Floats  # (N,)
    basis: Floats  # (N, q); q = 0: the mean is known
    uncertain: bool = False  # whether the variance includes that of the coefficients (universal kriging)

    @classmethod
    def constant(cls, n_pixels: int) -> Self:
        """One unknown constant."""
        return cls(np.zeros(n_pixels), np.ones((n_pixels, 1)))

    @classmethod
    def polynomial(cls, coordinates: Floats, degree: int) -> Self:
        """All monomials of the coordinates, shape ``(N, ndim)``, up to a degree: universal kriging."""
        if degree not in (0, 1, 2):
            raise ValueError(f"the trend is a polynomial of degree 0, 1 or 2, got {degree}")
        span = np.maximum(np.ptp(coordinates, axis=0), 1.0)
        centred = 2.0 * (coordinates - coordinates.mean(axis=0)) / span
        ndim = centred.shape[1]
        columns = [np.ones(len(centred))]
        columns += [centred[:, i] for i in range(ndim)] if degree > 0 else []
        columns += [centred[:, i] * centred[:, j] for i in range(ndim) for j in range(i + 1)] if degree > 1 else []
        return cls(np.zeros(len(centred)), np.stack(columns, axis=1), uncertain=True)

    @classmethod
    def known(cls, offset: Floats) -> Self:
        """Take a map, shape ``(N,)``, as it is."""
        return cls(offset, np.empty((len(offset), 0)))

    def of(self, blocks: Sequence[Indices]) -> Self:
        """Return the trend of blocks of pixels, one after another, each with coefficients of its own."""
        basis = block_diagonal(*[self.basis[block] for block in blocks])
        return type(self)(self.offset[np.concatenate(blocks)], basis, self.uncertain)

    def estimate(self, S: Indices, y: Floats, solver: Solving, start: Floats | None = None) -> "TrendEstimate":
        """Estimate the coefficients by generalised least squares; `start` is the `dual` of an earlier estimate."""
        H, y = self.basis[S], y - self.offset[S]
        dual = solver.solve(np.column_stack([H, y]), start)
        weighted, q = dual[:, :-1], H.shape[1]
        # Least squares: the pixels measured so far may lie where the basis cannot tell its columns apart.
        beta = np.zeros(q)
        if q and len(S):
            beta = np.asarray(np.linalg.lstsq(H.T @ weighted, weighted.T @ y, rcond=_SINGULAR)[0])
        return TrendEstimate(beta, y - H @ beta, dual[:, -1] - weighted @ beta, dual)

    def uncertainty(self, prior: Covariance, S: Indices, solver: Solver) -> Floats:
        """Root R of what uncertain coefficients add to the covariance of all pixels, ``R R^T``; (0, 0): nothing.

        Rasmussen & Williams (2006), eq. 2.42, with a vague prior on the coefficients.
        """
        if not self.uncertain or not len(S):
            return np.empty((0, 0))
        H = self.basis[S]
        weighted = solver.solve(H)
        gap = self.basis - np.stack([prior.dot(S, column) for column in weighted.T], axis=1)
        return np.asarray(gap @ np.linalg.pinv(_root(H.T @ weighted)))

    def at(self, beta: Floats) -> Floats:
        """Return the trend of every pixel, shape ``(N,)``."""
        return np.asarray(self.offset + self.basis @ beta)


class TrendEstimate(NamedTuple):
    """Coefficients by generalised least squares, and the solutions that they come from."""

    beta: Floats  # (q,)
    residual: Floats  # (m,), of y
    alpha: Floats  # (m,), K^-1 residual
    dual: Floats  # (m, q + 1), K^-1 of the basis and of y


def _root(information: Floats) -> Floats:
    """R with ``R^T R`` the matrix; directions of which the pixels say nothing are left out."""
    values, vectors = np.linalg.eigh(information)
    known = values > _UNKNOWN * values[-1]
    return np.asarray(np.sqrt(np.where(known, values, 0.0))[:, None] * vectors.T)
