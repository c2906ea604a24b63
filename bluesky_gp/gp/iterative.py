"""Solutions with the covariance of very many pixels: conjugate gradients, preconditioned by a sparse inverse factor.

======  ======================================================================  ============
symbol  meaning                                                                 shape
======  ======================================================================  ============
K       K_SS + noise, never formed: its product is one FFT convolution          (m, m)
U       sparse factor of the inverse, U U^T = K^-1 approximately                (m, m)
======  ======================================================================  ============
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import LinearOperator, cg
from scipy.spatial import KDTree

from bluesky_gp.gp.interfaces import Covariance, StationaryCovariance
from bluesky_gp.gp.vecchia import NEIGHBOURS, columns, conditioning_sets, positions
from bluesky_gp.typing import Floats, Indices

_TOLERANCE = 1e-9  # of the residual, relative to the right-hand side
_ROUGH = 1e-6
_MAX_ITERATIONS = 300
_COMPARED = 64  # columns of U, by which old weights are compared with new ones
_STALE = 0.05  # relative difference beyond which they are renewed: at 0.1 solutions take half as many iterations more


@dataclass(frozen=True)
class IterativeSolver:
    """``K^-1 b`` by preconditioned conjugate gradients; O(N log N) an iteration, 7 to 40 of them, O(m) memory."""

    prior: StationaryCovariance
    S: Indices  # (m,)
    noise: Floats  # (m,), variances, the kernel's included
    order: Indices  # (m,), indices into S
    conditions: Indices  # (m, k), row i: indices into S of c(order[i]), padded with -1
    weights: Floats  # (m, k + 1), row i: what column order[i] of U holds at itself and at c(order[i])
    tolerance: float = _TOLERANCE

    @classmethod
    def build(cls, prior: StationaryCovariance, S: Indices, noise: Floats, *, tolerance: float = _TOLERANCE) -> Self:
        """Order the pixels at random, find each one's conditioning set and factorise those."""
        order = np.random.default_rng(len(S)).permutation(len(S))
        conditions = conditioning_sets(positions(prior, S), order)
        weights = columns(prior, S, noise, order, conditions)
        return cls(prior, S, noise, order, conditions, weights, tolerance)

    @classmethod
    def after(cls, earlier: object, prior: StationaryCovariance, S: Indices, noise: Floats) -> Self:
        """Build, out of an earlier solver as far as there is one that knows the first of S."""
        known = earlier.renewed(prior, S, noise) if prior.quick and isinstance(earlier, cls) else None
        return cls.build(prior, S, noise) if known is None else known

    def extend(self, prior: Covariance, S: Indices, new: Indices, noise: Floats) -> Self:
        """Return the solver of these pixels and some more, which come last in the order."""
        m, k = len(S), len(new)
        if not k:  # asked at the end of a run, whose last pixels are known already
            return self
        S, noise = np.concatenate([S, new]), np.concatenate([self.noise, prior.noise + noise])
        at = positions(self.prior, S)
        order = np.concatenate([self.order, np.arange(m, m + k)])
        if prior.quick:
            nearest = conditioning_sets(at, order, m)
        else:  # only those of before
            nearest = np.atleast_2d(KDTree(at[:m]).query(at[m:], k=min(NEIGHBOURS, m))[1])
        conditions = np.full((k, self.conditions.shape[1]), -1)
        conditions[:, : nearest.shape[1]] = nearest[:, : conditions.shape[1]]
        weights = columns(self.prior, S, noise, order[m:], conditions)
        return replace(
            self,
            S=S,
            noise=noise,
            order=order,
            conditions=np.concatenate([self.conditions, conditions]),
            weights=np.concatenate([self.weights, weights]),
        )

    def renewed(self, prior: StationaryCovariance, S: Indices, noise: Floats) -> Self | None:
        """Return the solver of another covariance; None where S does not begin with the pixels of this one.

        The order stays, as it knows nothing of the covariance. So do the weights while they are nearly the new ones:
        a solution takes one iteration more at most, and to renew them takes as long as ten.
        """
        m = len(self.S)
        if not np.array_equal(S[:m], self.S):
            return None
        grown = self.extend(self.prior, self.S, S[m:], noise[m:] - self.prior.noise)
        some = np.random.default_rng(m).choice(len(S), min(_COMPARED, len(S)), replace=False)
        now, before = columns(prior, S, noise, grown.order[some], grown.conditions[some]), grown.weights[some]
        renewed = replace(grown, prior=prior, noise=noise)
        if np.linalg.norm(now - before) <= _STALE * np.linalg.norm(now):
            return renewed
        return replace(renewed, weights=columns(prior, S, noise, grown.order, grown.conditions))

    @cached_property
    def _factor(self) -> tuple[csr_array, csr_array]:
        """U, and its transpose, both by rows."""
        m = len(self.S)
        rows = np.column_stack([self.order, self.conditions])
        columns = np.broadcast_to(self.order[:, None], rows.shape)
        used = rows >= 0
        U = csc_array((self.weights[used], (rows[used], columns[used])), shape=(m, m))
        return csr_array(U), csr_array(U.T)

    def product(self, v: Floats) -> Floats:
        """Return ``K v``, shape ``(m,)``."""
        return np.asarray(self.prior.dot(self.S, v)[self.S] + self.noise * v)

    def solve(self, b: Floats, start: Floats | None = None, *, rough: bool = False) -> Floats:
        """Return ``K^-1 b``, shape ``(m,)`` or ``(m, q)``, from a first guess if there is one.

        `rough`: to six digits, which is enough for a variance, instead of nine.

        Raises
        ------
        LinAlgError
            If it does not converge: K is numerically singular.
        """
        if b.ndim == 2:
            starts = [None] * b.shape[1] if start is None else start.T
            solutions = [self.solve(column, guess, rough=rough) for column, guess in zip(b.T, starts, strict=True)]
            return np.column_stack(solutions)
        U, U_T = self._factor
        m = len(b)
        x, left = cg(
            LinearOperator((m, m), matvec=self.product, dtype=b.dtype),
            b,
            start,
            rtol=max(self.tolerance, _ROUGH) if rough else self.tolerance,
            maxiter=_MAX_ITERATIONS,
            M=LinearOperator((m, m), matvec=lambda r: U @ (U_T @ r), dtype=b.dtype),
        )
        if left:
            raise np.linalg.LinAlgError(f"no convergence within {_MAX_ITERATIONS} iterations for {m} pixels")
        return np.asarray(x)

    def reduce(self, cross: Floats) -> Floats:
        """Return ``diag(cross^T K^-1 cross)``, shape ``(k,)``."""
        return np.asarray(np.sum(cross * self.solve(cross), axis=0))

    def halves(self, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Return `left` as it is, and ``K^-1 right``: there is no factor to divide."""
        return left, self.solve(right, rough=True)

    def precision(self) -> None:
        """None: it would cost a solution a pixel."""

    @property
    def jitter(self) -> float:
        """Zero: K is taken as it is."""
        return 0.0

    @property
    def notes(self) -> str:
        """Approximation made, in words for the record."""
        return "solved by iteration"
