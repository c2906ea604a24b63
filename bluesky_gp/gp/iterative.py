"""Solutions with the covariance of very many pixels: conjugate gradients, preconditioned by a sparse inverse factor.

======  ======================================================================  ============
symbol  meaning                                                                 shape
======  ======================================================================  ============
K       K_SS + noise, never formed: its product is one FFT convolution          (m, m)
U       sparse factor of the inverse, U U^T = K^-1 approximately                (m, m)
c(i)    up to 30 pixels near pixel i that come before it in the order           (k,)
======  ======================================================================  ============

Each column of U holds the regression of one pixel on its conditioning set c(i), as in Vecchia's approximation; it is
the factor of that sparsity that is nearest in the sense of Kullback and Leibler (Schäfer, Katzfuss & Owhadi 2021,
arXiv:2004.14455, theorem 2.1).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.spatial import KDTree

from bluesky_gp.typing import Floats, Indices

if TYPE_CHECKING:
    from bluesky_gp.gp.covariance import LatticeCovariance

_NEIGHBOURS = 30
_CHUNK = 4096  # pixels whose conditioning sets are factorised together: 30 MB
_TOLERANCE = 1e-9  # of the residual, relative to the right-hand side
_ROUGH = 1e-6
_MAX_ITERATIONS = 300


@dataclass(frozen=True)
class IterativeSolver:
    """``K^-1 b`` by preconditioned conjugate gradients; O(N log N) an iteration, 7 to 40 of them, O(m) memory."""

    prior: "LatticeCovariance"
    S: Indices  # (m,)
    noise: Floats  # (m,), variances, the kernel's included
    order: Indices  # (m,), places in S
    conditions: Indices  # (m, k), row i: places in S of c(order[i]), padded with -1
    weights: Floats  # (m, k + 1), row i: what column order[i] of U holds at itself and at c(order[i])
    tolerance: float = _TOLERANCE

    @classmethod
    def build(cls, prior: "LatticeCovariance", S: Indices, noise: Floats, *, tolerance: float = _TOLERANCE) -> Self:
        """Order the pixels at random, find each one's conditioning set and factorise those."""
        order = np.random.default_rng(len(S)).permutation(len(S))
        conditions = _conditioning_sets(_places(prior, S), order)
        weights = _columns(prior, S, noise, order, conditions)
        return cls(prior, S, noise, order, conditions, weights, tolerance)

    def extend(self, new: Indices, noise: Floats) -> Self:
        """Return the solver of these pixels and some more, which come last in the order."""
        m, k = len(self.S), len(new)
        S, noise = np.concatenate([self.S, new]), np.concatenate([self.noise, noise])
        places = _places(self.prior, S)
        nearest = np.atleast_2d(KDTree(places[:m]).query(places[m:], k=min(_NEIGHBOURS, m))[1])
        conditions = np.full((k, self.conditions.shape[1]), -1)
        conditions[:, : nearest.shape[1]] = nearest
        order = np.arange(m, m + k)
        weights = _columns(self.prior, S, noise, order, conditions)
        return replace(
            self,
            S=S,
            noise=noise,
            order=np.concatenate([self.order, order]),
            conditions=np.concatenate([self.conditions, conditions]),
            weights=np.concatenate([self.weights, weights]),
        )

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
        return np.asarray(self.prior.spread(self.S, v)[self.S] + self.noise * v)

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
        tolerance = max(self.tolerance, _ROUGH) if rough else self.tolerance
        return conjugate_gradients(self.product, lambda r: U @ (U_T @ r), b, start, tolerance)


def conjugate_gradients(
    product: Callable[[Floats], Floats],
    precondition: Callable[[Floats], Floats],
    b: Floats,
    start: Floats | None,
    tolerance: float,
) -> Floats:
    """Solve ``K x = b`` to a relative residual (Saad 2003, Iterative Methods for Sparse Linear Systems, alg. 9.1)."""
    x = np.zeros_like(b) if start is None else start
    r = b - product(x) if start is not None else b
    goal = tolerance * float(np.linalg.norm(b))
    z = precondition(r)
    p, rz = z, float(r @ z)
    for _ in range(_MAX_ITERATIONS):
        if float(np.linalg.norm(r)) <= goal:
            return x
        Kp = product(p)
        step = rz / float(p @ Kp)
        x, r = x + step * p, r - step * Kp
        z = precondition(r)
        rz, before = float(r @ z), rz
        p = z + rz / before * p
    raise np.linalg.LinAlgError(f"no convergence within {_MAX_ITERATIONS} iterations for {len(b)} pixels")


def _places(prior: "LatticeCovariance", S: Indices) -> Floats:
    """Where pixels lie, in pixels; a pixel measured twice lies a little beside itself."""
    return np.stack(np.unravel_index(S, prior.shape), axis=-1).astype(np.float64)


def _conditioning_sets(places: Floats, order: Indices) -> Indices:
    """Nearest pixels among those earlier in the order, shape ``(m, k)``, padded with -1.

    In stretches that double: of the pixels up to the end of a stretch at least half come before it, so that among
    three times as many neighbours there are nearly always enough.
    """
    m = len(places)
    k = min(_NEIGHBOURS, m - 1)
    sets = np.full((m, max(k, 1)), -1)
    ordered = places[order]
    begin = 1
    while begin < m:
        end = min(2 * begin, m)
        near = KDTree(ordered[:end]).query(ordered[begin:end], k=min(3 * k, end))[1].reshape(end - begin, -1)
        later = near >= np.arange(begin, end)[:, None]
        first = np.argsort(later, axis=1, kind="stable")[:, :k]  # earlier ones first, the nearest of them in front
        chosen = np.where(np.take_along_axis(later, first, 1), -1, order[np.take_along_axis(near, first, 1)])
        sets[begin:end, : chosen.shape[1]] = chosen
        begin = end
    return sets


def _columns(prior: "LatticeCovariance", S: Indices, noise: Floats, order: Indices, conditions: Indices) -> Floats:
    """Columns of U, shape ``(m, k + 1)``: for each pixel its own entry, then those of its conditioning set."""
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(order), _CHUNK)]
    return np.concatenate([_chunk(prior, S, noise, order[chunk], conditions[chunk]) for chunk in chunks])


def _chunk(prior: "LatticeCovariance", S: Indices, noise: Floats, i: Indices, c: Indices) -> Floats:
    used = c >= 0
    pixels = S[np.where(used, c, 0)]
    both = used[:, :, None] & used[:, None, :]
    K_cc = np.where(both, prior.pairs(pixels[:, :, None], pixels[:, None, :]), 0.0)
    diagonal = np.arange(c.shape[1])
    K_cc[:, diagonal, diagonal] += np.where(used, noise[np.where(used, c, 0)], 1.0)
    k_ci = np.where(used, prior.pairs(pixels, S[i][:, None]), 0.0)
    regression = np.linalg.solve(K_cc, k_ci[..., None])[..., 0]
    own = prior.pairs(S[i], S[i]) + noise[i]
    left = np.maximum(own - np.sum(regression * k_ci, axis=1), 1e-12 * own)
    return np.asarray(np.column_stack([np.ones(len(i)), -regression]) / np.sqrt(left)[:, None])
