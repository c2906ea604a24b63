"""Samples of the prior at all pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.kernels import of_lags
from bluesky_gp.typing import Floats, Indices

_DEFICIT = 1e-4  # share of the spectrum that a sample may miss before a larger torus is tried
_LARGEST_TORUS = 2**24  # points: 128 MB
_FACTORISED = 4096  # pixels whose dense factor costs less than a torus above 2^17 points


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

    @classmethod
    def of(cls, kernel: Kernel, shape: tuple[int, ...], spans: list[int]) -> Self:
        """Evaluate a kernel at all lags of a torus with at least so many points along each axis."""
        sides = [next_fast_len(span, real=True) for span in spans]
        lags = np.stack(np.meshgrid(*[np.fft.fftfreq(side, 1.0 / side) for side in sides], indexing="ij"), axis=-1)
        return cls.from_torus(of_lags(kernel, lags.reshape(-1, len(sides))).reshape(sides), shape)

    def __call__(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, shape ``(N,)``."""
        field = irfftn(rfftn(rng.standard_normal(self.torus)) * self.roots, self.torus)
        return np.asarray(field[tuple(slice(0, n) for n in self.shape)].ravel())


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


def stationary_sampler(
    kernel: Kernel, shape: tuple[int, ...], block: Callable[[Indices, Indices], Floats]
) -> CirculantSampler | FactorSampler:
    """Return a sampler by FFT on a torus large enough for the kernel, or by a factor where few pixels fit on none."""
    n_pixels, spans = int(np.prod(shape)), [2 * n - 1 for n in shape]
    sampler = CirculantSampler.of(kernel, shape, spans)
    while sampler.deficit > _DEFICIT:
        spans = [2 * span if span > 1 else 1 for span in spans]
        if np.prod(spans) > (2**17 if n_pixels <= _FACTORISED else _LARGEST_TORUS):
            return sampler if n_pixels > _FACTORISED else FactorSampler.of(block, n_pixels)
        sampler = CirculantSampler.of(kernel, shape, spans)
    return sampler
