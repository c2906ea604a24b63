"""The prior covariance of the pixels of a grid: by lag for stationary kernels, by coordinates for any other.

======  ==================================================  =======================
symbol  meaning                                             shape
======  ==================================================  =======================
N       pixels of the lattice, flat index 0 .. N - 1
S, T    flat indices of some pixels                         (m,), (k,)
W       weights of pairs                                    (m, m)
======  ==================================================  =======================
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from scipy.fft import next_fast_len
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp import kernels
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Floats, Indices
from bluesky_gp.solvers import CirculantSampler, FactorSampler, LatticeProduct

_TILE = 4_000_000  # entries of a block that is held at once: 32 MB
_DEFICIT = 1e-4  # share of the spectrum that a sample may miss before a larger torus is tried
_LARGEST_TORUS = 2**24  # points: 128 MB
_FEW = 4096  # pixels whose dense factor costs less than a torus above 2^17 points


class Covariance(Protocol):
    """Covariance of the noise-free target between pixels; called by `posterior` and `hyperparameters`."""

    kernel: Kernel
    variance: Floats  # (N,), prior variance of every pixel
    noise: float  # variance of the white noise in the kernel

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        ...

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        ...

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``."""
        ...

    def spread(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``."""
        ...

    def contract(self, S: Indices, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS + noise)_ij / d theta``, shape ``(n_theta,)``."""
        ...

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``."""
        ...


@dataclass(frozen=True)
class LatticeCovariance:
    """A stationary kernel on a lattice: a table by lag, a gather for blocks, an FFT for products."""

    kernel: Kernel
    shape: tuple[int, ...]
    lags: Floats = field(repr=False)  # (n_lags, ndim)
    table: Floats = field(repr=False)  # (n_lags,)
    noise: float

    @classmethod
    def of(cls, kernel: Kernel, grid: PixelGrid) -> Self:
        """Evaluate a kernel, whose length scales are in pixels, at all lags of a grid."""
        spans = [np.arange(1 - n, n, dtype=np.float64) for n in grid.shape]
        lags = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, grid.ndim)
        return cls._evaluate(kernel, grid.shape, lags)

    @classmethod
    def _evaluate(cls, kernel: Kernel, shape: tuple[int, ...], lags: Floats) -> Self:
        half = len(lags) // 2 + 1  # the table is symmetric: lag i and lag -1 - i are opposite
        first = kernels.of_lags(kernel, lags[:half])
        table = np.concatenate([first, first[-2::-1]])
        return cls(kernel, shape, lags, table, kernels.noise_variance(kernel, len(shape)))

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        return self._evaluate(self.kernel.clone_with_theta(theta), self.shape, self.lags)

    @cached_property
    def product(self) -> LatticeProduct:
        """Product with the covariance of all pixels."""
        return LatticeProduct.from_table(self.table.reshape([2 * n - 1 for n in self.shape]), self.shape)

    @property
    def variance(self) -> Floats:
        """Prior variance of every pixel, shape ``(N,)``."""
        return np.full(int(np.prod(self.shape)), self.table[len(self.table) // 2])

    def lag_index(self, S: Indices, T: Indices) -> Indices:
        """Place in the table of the lag of each pair, shape ``(m, k)``."""
        # Flat positions on the lattice of lags: one subtraction a pair instead of one an axis.
        wide = [2 * n - 1 for n in self.shape]
        flat_S = np.ravel_multi_index(np.unravel_index(S, self.shape), wide)
        flat_T = np.ravel_multi_index(np.unravel_index(T, self.shape), wide)
        return np.asarray(flat_S[:, None] - flat_T[None, :] + len(self.table) // 2)

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        return np.asarray(self.table[self.lag_index(S, T)])

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``: the table, shifted."""
        centre = np.unravel_index(pixel, self.shape)
        window = tuple(slice(n - 1 - c, 2 * n - 1 - c) for n, c in zip(self.shape, centre, strict=True))
        return self.table.reshape([2 * n - 1 for n in self.shape])[window].ravel()

    def spread(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``: one FFT convolution."""
        scattered = np.bincount(S, weights, minlength=int(np.prod(self.shape)))
        return self.product(scattered.astype(np.float64))

    def contract(self, S: Indices, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS + noise)_ij / d theta``: W binned by lag, times the derivative of the table."""
        half = len(self.table) // 2 + 1
        binned = np.bincount(self.lag_index(S, S).ravel(), W.ravel(), minlength=len(self.table))
        folded = binned[:half].copy()
        folded[:-1] += binned[: half - 1 : -1]
        by_table = folded @ kernels.gradient_of_lags(self.kernel, self.lags[:half])
        return np.asarray(by_table + np.trace(W) * kernels.noise_gradient(self.kernel, len(self.shape)))

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``."""
        return self._sampler(rng)

    @cached_property
    def _sampler(self) -> CirculantSampler | FactorSampler:
        n_pixels = int(np.prod(self.shape))
        spans = [2 * n - 1 for n in self.shape]
        sampler = self._on_torus(spans)
        while sampler.deficit > _DEFICIT:
            spans = [2 * span if span > 1 else 1 for span in spans]
            if np.prod(spans) > (2**17 if n_pixels <= _FEW else _LARGEST_TORUS):
                return sampler if n_pixels > _FEW else FactorSampler.of(self.block, n_pixels)
            sampler = self._on_torus(spans)
        return sampler

    def _on_torus(self, spans: list[int]) -> CirculantSampler:
        sides = [next_fast_len(span, real=True) for span in spans]
        lags = np.stack(np.meshgrid(*[np.fft.fftfreq(side, 1.0 / side) for side in sides], indexing="ij"), axis=-1)
        table = kernels.of_lags(self.kernel, lags.reshape(-1, len(sides))).reshape(sides)
        return CirculantSampler.from_torus(table, self.shape)


@dataclass(frozen=True)
class DenseCovariance:
    """Any scikit-learn kernel on the coordinates of the pixels: every block is a call of the kernel."""

    kernel: Kernel
    coordinates: Floats = field(repr=False)  # (N, ndim)
    variance: Floats = field(repr=False)
    noise: float

    @classmethod
    def of(cls, kernel: Kernel, grid: PixelGrid) -> Self:
        """Take a kernel of the pixels' coordinates, in pixels.

        Raises
        ------
        ValueError
            If its white noise is not the same everywhere.
        """
        corners = grid.coordinates[[0, -1]]
        noise = kernel.diag(corners) - np.diagonal(kernel(corners, corners))
        if not np.isclose(*noise):
            raise ValueError(f"the white noise of kernel {kernel} is not the same at every pixel")
        return cls._evaluate(kernel, grid.coordinates)

    @classmethod
    def _evaluate(cls, kernel: Kernel, coordinates: Floats) -> Self:
        noise = kernels.noise_variance(kernel, coordinates.shape[1])
        return cls(kernel, coordinates, np.asarray(kernel.diag(coordinates)) - noise, noise)

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        return self._evaluate(self.kernel.clone_with_theta(theta), self.coordinates)

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        return np.asarray(self.kernel(self.coordinates[S], self.coordinates[T]))

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``."""
        return np.asarray(self.kernel(self.coordinates, self.coordinates[[pixel]])[:, 0])

    def spread(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``."""
        tiles = tiled(len(self.coordinates), len(S))
        return np.concatenate([self.block(tile, S) @ weights for tile in tiles])

    def contract(self, S: Indices, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS + noise)_ij / d theta``, shape ``(n_theta,)``."""
        gradient = self.kernel(self.coordinates[S], eval_gradient=True)[1]
        return np.asarray(np.einsum("ij,ijk->k", W, gradient))

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``: O(N^3) once."""
        return self._sampler(rng)

    @cached_property
    def _sampler(self) -> FactorSampler:
        return FactorSampler.of(self.block, len(self.coordinates))


def covariance(kernel: Kernel, grid: PixelGrid) -> LatticeCovariance | DenseCovariance:
    """Return the covariance of a grid's pixels by the cheapest way that the kernel allows."""
    kernels.check_kernel(kernel, grid.ndim)
    return LatticeCovariance.of(kernel, grid) if kernel.is_stationary() else DenseCovariance.of(kernel, grid)


def tiled(n: int, width: int) -> list[Indices]:
    """Cut ``range(n)`` into pieces whose blocks of `width` columns stay below 32 MB."""
    return np.array_split(np.arange(n), max(1, -(-n * width // _TILE)))
