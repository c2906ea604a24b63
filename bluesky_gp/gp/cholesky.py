"""Solutions with the covariance of the measured pixels, by a dense factor.

======  =================================================  ==================
symbol  meaning                                            shape
======  =================================================  ==================
K       K_SS + noise, covariance of the m measured pixels  (m, m)
L       lower Cholesky factor of K                         (m, m)
======  =================================================  ==================
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bluesky_gp.gp import lapack
from bluesky_gp.gp.interfaces import Covariance
from bluesky_gp.typing import Floats, Indices

_JITTERS = (0.0, 1e-10, 1e-8, 1e-6, 1e-4)
LOST = 1e-13  # square of a pivot, relative to the diagonal, that is rounding: alpha would be noise divided by it


@dataclass(frozen=True)
class CholeskySolver:
    """``K^-1 b`` by a dense factor that grows by rows; O(m^2) a right-hand side, O(m^3) once."""

    L: Floats
    jitter: float = 0.0  # added to the diagonal, relative to its mean, because K was not positive definite
    quick: bool = False  # whether variances of many pixels come from the inverse of L: other roundings, half the time

    @classmethod
    def of(cls, prior: Covariance, S: Indices, noise: Floats, *, quick: bool = False) -> Self:
        """Factorise the covariance of measured pixels, whose noise variances beside the kernel's are given.

        The factor takes the place of the covariance; only where that needs jitter it is computed anew.
        """
        K = _noisy(prior, S, noise)
        _check(K)
        scale = _scale(K)  # before K is lost
        L = _sound(lapack.factor_of_rows(K), scale) if len(K) else K
        return cls.factorise(_noisy(prior, S, noise), quick=quick) if L is None else cls(L, quick=quick)

    @classmethod
    def factorise(cls, K: Floats, *, quick: bool = False) -> Self:
        """Factorise K, shape ``(m, m)``, with as little jitter on its diagonal as it takes.

        Raises
        ------
        LinAlgError
            If K is not finite, or not positive definite with 1e-4 of its mean diagonal added.
        """
        _check(K)
        scale = _scale(K)
        for jitter in _JITTERS:
            L = _factor(K + jitter * scale * np.eye(len(K)) if jitter else K, scale)
            if L is not None:
                return cls(L, jitter, quick)
        raise np.linalg.LinAlgError(f"the covariance of {len(K)} pixels is not positive definite, jitter 1e-4 included")

    def extend(self, prior: Covariance, S: Indices, new: Indices, noise: Floats) -> Self:
        """Return the solver of pixels S and some more: the factor grows by rows."""
        return self.bordered(prior.block(S, new), prior.block(new, new) + np.diag(prior.noise + noise))

    def bordered(self, cross: Floats, corner: Floats) -> Self:
        """Return the solver of ``[[K, cross], [cross.T, corner]]``; O(m^2 k) instead of O(m^3)."""
        m, k = cross.shape
        scale = _scale(corner)
        low = self.half(cross)
        last = _factor(corner + self.jitter * scale * np.eye(k) - low.T @ low, scale)
        if last is None:  # a pixel measured twice, without noise: jitter for all
            K = np.block([[self.L @ self.L.T, cross], [cross.T, corner]])
            return type(self).factorise(K, quick=self.quick)
        L = np.zeros((m + k, m + k), order="F")  # as LAPACK wants it: else every solution copies it
        L[:m, :m], L[m:, :m], L[m:, m:] = self.L, low.T, last
        return type(self)(L, self.jitter, self.quick)

    def half(self, b: Floats) -> Floats:
        """Return ``L^-1 b``."""
        return lapack.half(self.L, b) if len(b) else b

    def halves(self, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Return ``L^-1 left`` and ``L^-1 right``."""
        first = self.half(left)
        return first, first if right is left else self.half(right)

    def reduce(self, cross: Floats) -> Floats:
        """Return ``diag(cross^T K^-1 cross)``, shape ``(k,)``."""
        m, k = cross.shape
        if self.quick and k > m > 0:
            return lapack.reduction_of_rows(self.L, np.array(cross, order="C"))
        root = self.half(cross)
        return np.asarray(np.square(root).sum(axis=0))

    def solve(self, b: Floats, start: Floats | None = None, *, rough: bool = False) -> Floats:
        """Return ``K^-1 b``; a direct solver needs no `start`, and is never `rough`."""
        return lapack.solve(self.L, b) if len(b) else b

    def inverse(self) -> Floats:
        """Return the lower triangle of ``K^-1``, shape ``(m, m)``; a third of the work that solving for it takes."""
        return lapack.quick_inverse(self.L) if self.quick else lapack.inverse(self.L)

    def precision(self) -> Floats:
        """Return ``diag(K^-1)``, shape ``(m,)``."""
        return np.diagonal(self.inverse())

    @property
    def notes(self) -> str:
        """Jitter, in words for the record."""
        return f"jitter {self.jitter:.0e} on the covariance" if self.jitter else ""

    @property
    def log_determinant(self) -> float:
        """``log det K``."""
        return float(2.0 * np.sum(np.log(np.diagonal(self.L))))


def _scale(K: Floats) -> float:
    return float(np.mean(np.diagonal(K))) if len(K) else 1.0


def _noisy(prior: Covariance, S: Indices, noise: Floats) -> Floats:
    K = prior.block(S, S)
    K[np.diag_indices(len(S))] += prior.noise + noise
    return K


def _check(K: Floats) -> None:
    """Raise LinAlgError unless K is finite."""
    if not np.all(np.isfinite(K)):
        raise np.linalg.LinAlgError("the covariance of the measured pixels is not finite")


def _factor(K: Floats, scale: float) -> Floats | None:
    """Lower Cholesky factor; None if there is none, or one whose smallest pivot is lost in rounding."""
    return _sound(lapack.factor(K), scale) if len(K) else K


def _sound(L: Floats | None, scale: float) -> Floats | None:
    """Return a factor; None if its smallest pivot is lost in rounding."""
    return L if L is not None and np.all(np.square(np.diagonal(L)) > LOST * scale) else None
