r"""The course of a target in time: a Gaussian process of its own, common to all pixels, beside that of the map.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
Z       knots among the times of the values, in seconds           (q,)
F       weights of the knots at the values, linear in between     (m, q)
w       share of the values that each knot has, mean of F         (q,)
C       covariance of b at the knots                              (q, q)
R       root of the covariance among the values, F C F^T = R R^T  (m, r)
======  ========================================================  ============

.. math:: y = f(x) + b(t) + noise, \qquad b(t) = g(t) - w^T g(Z), \qquad g \sim GP(0, k)

So b is zero on average, and f the map as it was on average while it was measured: the level at any one moment would be
known by the few values of that moment alone. With as many knots as there are times nothing is approximated.

A root by pivots: Harbrecht, Peters & Schneider 2012, Appl. Numer. Math. 62, 428.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from scipy.linalg import lapack, solve_triangular
from scipy.sparse import csr_array
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.typing import Floats, Indices

KNOTS = 128  # at most: a run is some tens of time scales long
_REST = 1e-4  # of the largest variance of b, that a root may lack: it is then of some tens of columns


class Rows(NamedTuple):
    """Rows of R at some times, and the variance of b there that they lack."""

    rows: Floats  # (k, r)
    rest: Floats  # (k,)


@dataclass(frozen=True)
class Course:
    """Times of values, and the knots between which what they have in common is linear."""

    first: float
    Z: Floats
    F: csr_array = field(repr=False)
    w: Floats = field(repr=False)

    @classmethod
    def of(cls, times: Floats) -> Self:
        """Choose knots among times, shape ``(m,)``, in seconds; NaN, of a failed pixel, has no part in b."""
        known = np.isfinite(times)
        first = float(times[known].min()) if known.any() else 0.0
        t = times[known] - first
        Z = np.unique(np.append(t, 0.0))
        if len(Z) > KNOTS:
            Z = Z[np.linspace(0, len(Z) - 1, KNOTS).astype(np.intp)]
        hats = _hats(t, np.flatnonzero(known), Z, len(times))
        return cls(first, Z, hats, np.asarray(hats.sum(axis=0)) / max(len(t), 1))

    def of_some(self, chosen: Indices) -> Self:
        """Return the course of some of the values, with the same knots."""
        return replace(self, F=self.F[chosen])

    def covariance(self, kernel: Kernel) -> Floats:
        """Return C of a kernel of seconds."""
        return self._centred(kernel(self.Z[:, None]))

    def gradient(self, kernel: Kernel) -> Floats:
        """Return the derivative of C by theta, shape ``(q, q, n_theta)``."""
        return self._centred(kernel(self.Z[:, None], eval_gradient=True)[1])

    def root(self, kernel: Kernel) -> Floats:
        """Return R."""
        return np.asarray(self.F @ _root(self.covariance(kernel))[0])

    def rows(self, kernel: Kernel, times: Floats) -> Rows:
        """Return R at other times, shape ``(k,)``, b at the knots given; zeros where a time is NaN."""
        known, Z = np.isfinite(times), self.Z[:, None]
        t = np.where(known, times - self.first, 0.0)[:, None]
        K, across = kernel(Z), kernel(t, Z)
        root, pivots = _root(self._centred(K))
        apart = across - K @ self.w
        rows = solve_triangular(root[pivots], (apart - (apart @ self.w)[:, None])[:, pivots].T, lower=True).T
        whole = kernel.diag(t) - 2.0 * across @ self.w + self.w @ K @ self.w
        return Rows(np.where(known[:, None], rows, 0.0), np.maximum(whole - np.square(rows).sum(axis=1), 0.0) * known)

    def _centred(self, k: Floats) -> Floats:
        """Return the covariance of differences from the mean, or its derivative."""
        mean = np.tensordot(self.w, k, axes=1)
        return np.asarray(k - mean[None] - mean[:, None] + np.tensordot(self.w, mean, axes=1))


def _hats(t: Floats, places: Indices, Z: Floats, m: int) -> csr_array:
    """Return the weights of linear interpolation, two in each row of some places."""
    if len(Z) == 1:
        return csr_array((np.ones(len(t)), (places, np.zeros(len(t), dtype=np.intp))), shape=(m, 1))
    left = np.clip(np.searchsorted(Z, t, side="right") - 1, 0, len(Z) - 2)
    share = (t - Z[left]) / (Z[left + 1] - Z[left])
    weights = np.concatenate([1.0 - share, share])
    return csr_array((weights, (np.tile(places, 2), np.concatenate([left, left + 1]))), shape=(m, len(Z)))


def _root(covariance: Floats) -> tuple[Floats, Indices]:
    """Return a root, shape ``(q, r)``, and the pivots at which it is lower triangular, shape ``(r,)``."""
    least = _REST * float(np.diagonal(covariance).max())
    if len(covariance) == 1 or not least > 0.0:  # of one time nothing differs from the average
        return np.empty((len(covariance), 0)), np.empty(0, dtype=np.intp)
    factor, order, rank, _ = lapack.dpstrf(covariance, tol=least, lower=1)
    root = np.empty((len(covariance), rank))
    root[order - 1] = np.tril(factor)[:, :rank]
    return root, order[:rank] - 1
