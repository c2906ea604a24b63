"""Products with the covariance of a lattice, and solutions with the covariance of the measured pixels.

======  ==========================================================  ==================
symbol  meaning                                                     shape
======  ==========================================================  ==================
kappa   covariance by lag                                           (2 n - 1) a side
K       K_SS + noise, covariance of the m measured pixels           (m, m)
L       lower Cholesky factor of K                                  (m, m)
======  ==========================================================  ==================
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.fft import fft, ifft, irfft, irfftn, next_fast_len, rfft, rfftn
from scipy.linalg import blas, cho_solve, cholesky, lapack, solve_triangular

from bluesky_gp.typing import Floats, Indices

_JITTERS = (0.0, 1e-10, 1e-8, 1e-6, 1e-4)
_LOST = 1e-13  # square of a pivot, relative to the diagonal, that is rounding: alpha would be noise divided by it


@dataclass(frozen=True)
class LatticeProduct:
    """The covariance of all pixels with all, as one FFT convolution: O(N log N), nothing N x N is held."""

    shape: tuple[int, ...]
    padded: tuple[int, ...]
    spectrum: Floats  # of kappa, wrapped on the padded lattice; real, because kappa(-lag) = kappa(lag)

    @classmethod
    def from_table(cls, table: Floats, shape: tuple[int, ...]) -> Self:
        """Take kappa over all lags, from ``-(n - 1)`` to ``n - 1`` on each axis."""
        padded = tuple(next_fast_len(2 * n - 1, real=True) for n in shape)
        wrapped = np.zeros(padded)
        wrapped[tuple(slice(0, 2 * n - 1) for n in shape)] = table
        wrapped = np.roll(wrapped, tuple(1 - n for n in shape), axis=tuple(range(len(shape))))
        return cls(shape, padded, np.ascontiguousarray(rfftn(wrapped, workers=_workers(padded)).real))

    def __call__(self, field: Floats) -> Floats:
        """Return ``K_NN @ field``; shape ``(N,)`` or ``(k, N)``."""
        lattice = field.reshape(*field.shape[:-1], *self.shape)
        return np.asarray(self._back(self._forth(lattice)).reshape(field.shape))

    def _forth(self, lattice: Floats) -> npt.NDArray[np.complex128]:
        """Transform axis by axis: what is padded along the first axes is zero while the last is transformed."""
        workers = _workers(self.padded)
        transformed = rfft(lattice, self.padded[-1], axis=-1, workers=workers)
        for axis in range(-2, -len(self.shape) - 1, -1):
            transformed = fft(transformed, self.padded[axis], axis=axis, overwrite_x=True, workers=workers)
        transformed *= self.spectrum
        return np.asarray(transformed)

    def _back(self, transformed: npt.NDArray[np.complex128]) -> Floats:
        """Transform back axis by axis, and crop each as soon as it is done."""
        workers = _workers(self.padded)
        for axis in range(-len(self.shape), -1):
            transformed = ifft(transformed, axis=axis, overwrite_x=True, workers=workers)
            crop: Any = (..., slice(self.shape[axis]), *[slice(None)] * (-1 - axis))
            transformed = transformed[crop]
        return np.asarray(irfft(transformed, self.padded[-1], axis=-1, workers=workers)[..., : self.shape[-1]])


@dataclass(frozen=True)
class CirculantSampler:
    """Samples of a stationary field by FFT: the lattice embedded in a torus (Dietrich & Newsam 1997).

    On a torus the covariance is diagonal in Fourier space. It may have negative eigenvalues there, which are dropped;
    `deficit` is their share. A larger torus has fewer.
    """

    shape: tuple[int, ...]
    roots: Floats  # square roots of the eigenvalues, rfftn layout
    torus: tuple[int, ...]
    deficit: float

    @classmethod
    def from_torus(cls, table: Floats, shape: tuple[int, ...]) -> Self:
        """Take kappa of every lag on the torus, lag zero first."""
        eigenvalues = rfftn(table).real
        deficit = float(-np.minimum(eigenvalues, 0.0).sum() / np.abs(eigenvalues).sum())
        return cls(shape, np.sqrt(np.maximum(eigenvalues, 0.0)), table.shape, deficit)

    def __call__(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, shape ``(N,)``."""
        field = irfftn(rfftn(rng.standard_normal(self.torus)) * self.roots, self.torus)
        return np.asarray(field[tuple(slice(0, n) for n in self.shape)].ravel())


@dataclass(frozen=True)
class CholeskySolver:
    """``K^-1 b`` by a dense factor that grows by rows; O(m^2) a right-hand side, O(m^3) once."""

    L: Floats
    jitter: float = 0.0  # added to the diagonal, relative to its mean, because K was not positive definite

    @classmethod
    def factorise(cls, K: Floats) -> Self:
        """Factorise K, shape ``(m, m)``, with as little jitter on its diagonal as it takes.

        Raises
        ------
        LinAlgError
            If K is not finite, or not positive definite with 1e-4 of its mean diagonal added.
        """
        if not np.all(np.isfinite(K)):
            raise np.linalg.LinAlgError("the covariance of the measured pixels is not finite")
        scale = _scale(K)
        for jitter in _JITTERS:
            L = _factor(K + jitter * scale * np.eye(len(K)) if jitter else K, scale)
            if L is not None:
                return cls(L, jitter)
        raise np.linalg.LinAlgError(f"the covariance of {len(K)} pixels is not positive definite, jitter 1e-4 included")

    def extend(self, cross: Floats, corner: Floats) -> Self:
        """Return the solver of ``[[K, cross], [cross.T, corner]]``; O(m^2 k) instead of O(m^3)."""
        m, k = cross.shape
        scale = _scale(corner)
        low = self.half(cross)
        last = _factor(corner + self.jitter * scale * np.eye(k) - low.T @ low, scale)
        if last is None:  # a pixel measured twice, without noise: jitter for all
            return type(self).factorise(np.block([[self.L @ self.L.T, cross], [cross.T, corner]]))
        L = np.zeros((m + k, m + k), order="F")  # as LAPACK wants it: else every solution copies it
        L[:m, :m], L[m:, :m], L[m:, m:] = self.L, low.T, last
        return type(self)(L, self.jitter)

    def half(self, b: Floats) -> Floats:
        """Return ``L^-1 b``."""
        return np.asarray(solve_triangular(self.L, b, lower=True, check_finite=False)) if len(b) else b

    def solve(self, b: Floats, start: Floats | None = None, *, rough: bool = False) -> Floats:
        """Return ``K^-1 b``; a direct solver needs no `start`, and is never `rough`."""
        if not len(b):
            return b
        if b.ndim == 1:  # five times as fast as LAPACK's solution for many right-hand sides
            return np.asarray(blas.dtrsv(self.L, blas.dtrsv(self.L, b, lower=1), lower=1, trans=1))
        return np.asarray(cho_solve((self.L, True), b, check_finite=False))

    def inverse(self) -> Floats:
        """Return the lower triangle of ``K^-1``, shape ``(m, m)``; a third of the work that solving for it takes."""
        lower, _ = lapack.dpotri(self.L, lower=1)
        return np.asarray(lower)

    @property
    def log_determinant(self) -> float:
        """``log det K``."""
        return float(2.0 * np.sum(np.log(np.diagonal(self.L))))


@dataclass(frozen=True)
class FactorSampler:
    """Samples of any field by a dense factor of the covariance of all pixels."""

    L: Floats

    @classmethod
    def of(cls, block: Callable[[Indices, Indices], Floats], n_pixels: int) -> Self:
        """Take the function that gives the covariance of some pixels with others."""
        everywhere = np.arange(n_pixels)
        return cls(CholeskySolver.factorise(block(everywhere, everywhere)).L)

    def __call__(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, shape ``(N,)``."""
        return np.asarray(self.L @ rng.standard_normal(len(self.L)))


def _workers(shape: tuple[int, ...]) -> int:
    """Threads for an FFT: below a quarter of a million points one is faster."""
    return (os.cpu_count() or 1) if np.prod(shape) > 2**18 else 1


def _scale(K: Floats) -> float:
    return float(np.mean(np.diagonal(K))) if len(K) else 1.0


def _factor(K: Floats, scale: float) -> Floats | None:
    """Lower Cholesky factor; None if there is none, or one whose smallest pivot is lost in rounding."""
    try:
        L = np.asarray(cholesky(K, lower=True, check_finite=False))
    except np.linalg.LinAlgError:
        return None
    return L if np.all(np.square(np.diagonal(L)) > _LOST * scale) else None
