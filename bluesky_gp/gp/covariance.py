"""The prior covariance of the pixels of a grid: by lag for stationary kernels, by coordinates for any other.

======  ==================================================  =======================
symbol  meaning                                             shape
======  ==================================================  =======================
N       pixels of the lattice, flat index 0 .. N - 1
S, T    flat indices of some pixels                         (m,), (k,)
W       weights of pairs, symmetric                         (m, m)
======  ==================================================  =======================
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy.fft import next_fast_len
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp import kernels
from bluesky_gp.gp.solvers import CirculantSampler, FactorSampler, LatticeProduct
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices

_TINY = 1e-300
_TILE = 4_000_000  # entries of a block that is held at once: 32 MB
_DEFICIT = 1e-4  # share of the spectrum that a sample may miss before a larger torus is tried
_LARGEST_TORUS = 2**24  # points: 128 MB
_SIDE = 64  # of a block of which the diagonal alone is wanted
_FEW = 4096  # pixels whose dense factor costs less than a torus above 2^17 points


class Covariance(Protocol):
    """Covariance of the noise-free target between pixels; called by `posterior` and `hyperparameters`."""

    kernel: Kernel
    variance: Floats  # (N,), prior variance of every pixel
    neighbourhood: Floats  # (N,), how much lies around every pixel, up to a factor
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

    def among(self, S: Indices) -> "Pairs":
        """Return what a fit to pixels S evaluates, hyperparameters after hyperparameters."""
        ...

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``."""
        ...


class Pairs(Protocol):
    """Covariance among some pixels, for many hyperparameters; called by `hyperparameters`."""

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise, shape ``(m, m)``; of it only the lower triangle counts."""
        ...

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS)_ij / d theta``, shape ``(n_theta,)``, W symmetric: its lower triangle counts."""
        ...


@dataclass(frozen=True)
class LatticePairs:
    """The lags among some pixels, each once, and which of them every pair has."""

    kernel: Kernel
    lags: Floats  # (n_lags, ndim), the last is zero
    m: int
    place: Indices  # (m (m + 1) / 2,), of the lower triangle, row by row

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise: its lower triangle, zero elsewhere."""
        K = np.zeros((self.m, self.m))
        K[self._lower] = kernels.of_lags(kernel, self.lags)[self.place]
        K[np.diag_indices(self.m)] += kernels.noise_variance(kernel, self.lags.shape[1])
        return K

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """W binned by lag, times the derivative of the kernel at those lags."""
        binned = 2.0 * np.bincount(self.place, W[self._lower], minlength=len(self.lags))
        trace = np.trace(W)
        binned[-1] -= trace  # the diagonal counts once
        by_lag = binned @ kernels.gradient_of_lags(kernel, self.lags)
        return np.asarray(by_lag + trace * kernels.noise_gradient(kernel, self.lags.shape[1]))

    @cached_property
    def _lower(self) -> npt.NDArray[np.bool_]:
        return np.tri(self.m, dtype=bool)


@dataclass(frozen=True)
class DensePairs:
    """Coordinates of some pixels."""

    kernel: Kernel
    coordinates: Floats  # (m, ndim)

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise, shape ``(m, m)``."""
        return np.asarray(kernel(self.coordinates))

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS)_ij / d theta``, shape ``(n_theta,)``."""
        gradient = kernel(self.coordinates, eval_gradient=True)[1]
        full = np.tril(W) + np.tril(W, -1).T
        return np.asarray(np.einsum("ij,ijk->k", full, gradient))


@dataclass(frozen=True)
class LatticeCovariance:
    """A stationary kernel on a lattice: a table by lag, a gather for blocks, an FFT for products."""

    kernel: Kernel
    shape: tuple[int, ...]
    allowed: npt.NDArray[np.bool_] = field(repr=False)  # (N,), what is not masked
    lags: Floats = field(repr=False)  # (n_lags, ndim)
    table: Floats = field(repr=False)  # (n_lags,)
    noise: float

    @classmethod
    def of(cls, kernel: Kernel, grid: PixelGrid) -> Self:
        """Evaluate a kernel, whose length scales are in pixels, at all lags of a grid."""
        spans = [np.arange(1 - n, n, dtype=np.float64) for n in grid.shape]
        lags = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, grid.ndim)
        return cls._evaluate(kernel, grid.shape, grid.allowed, lags)

    @classmethod
    def _evaluate(cls, kernel: Kernel, shape: tuple[int, ...], allowed: npt.NDArray[np.bool_], lags: Floats) -> Self:
        half = len(lags) // 2 + 1  # the table is symmetric: lag i and lag -1 - i are opposite
        first = kernels.of_lags(kernel, lags[:half])
        table = np.concatenate([first, first[-2::-1]])
        return cls(kernel, shape, allowed, lags, table, kernels.noise_variance(kernel, len(shape)))

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        return self._evaluate(self.kernel.clone_with_theta(theta), self.shape, self.allowed, self.lags)

    @cached_property
    def product(self) -> LatticeProduct:
        """Product with the covariance of all pixels."""
        return LatticeProduct.from_table(self.table.reshape([2 * n - 1 for n in self.shape]), self.shape)

    @cached_property
    def variance(self) -> Floats:
        """Prior variance of every pixel, shape ``(N,)``."""
        return np.full(int(np.prod(self.shape)), self.table[len(self.table) // 2])

    @cached_property
    def neighbourhood(self) -> Floats:
        """Sum of the squared prior correlation of every pixel with all that are not masked: one FFT convolution."""
        correlation = self.table / max(self.variance[0], _TINY)  # a kernel may be noise and nothing else
        squares = np.square(correlation).reshape([2 * n - 1 for n in self.shape])
        return LatticeProduct.from_table(squares, self.shape)(self.allowed.astype(np.float64))

    def lag_index(self, S: Indices, T: Indices) -> Indices:
        """Place in the table of the lag of each pair, shape ``(m, k)``."""
        return np.asarray(self._places[S][:, None] - self._places[T] + len(self.table) // 2)

    @cached_property
    def _places(self) -> Indices:
        """Every pixel's flat place on the lattice of lags: there one subtraction a pair is enough, not one an axis."""
        wide = [2 * n - 1 for n in self.shape]
        return np.arange(len(self.table)).reshape(wide)[tuple(slice(0, n) for n in self.shape)].ravel()

    def pairs(self, S: Indices, T: Indices) -> Floats:
        """Covariance of each pixel of S with that of T in its place; any shapes that broadcast."""
        return np.asarray(self.table[self._places[S] - self._places[T] + len(self.table) // 2])

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        block = np.empty((len(S), len(T)))
        for rows in tiled(len(S), len(T)):  # an index is as large as what it picks
            block[rows] = self.pairs(S[rows, None], T)
        return block

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``: the table, shifted."""
        centre = np.unravel_index(pixel, self.shape)
        window = tuple(slice(n - 1 - c, 2 * n - 1 - c) for n, c in zip(self.shape, centre, strict=True))
        return self.table.reshape([2 * n - 1 for n in self.shape])[window].ravel()

    def spread(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``: one FFT convolution."""
        scattered = np.bincount(S, weights, minlength=int(np.prod(self.shape)))
        return self.product(scattered.astype(np.float64))

    def among(self, S: Indices) -> "LatticePairs":
        """Return the lags among pixels S and where each pair has its own: a fit evaluates the kernel there alone."""
        half = len(self.table) // 2 + 1  # the table is symmetric: lag i and lag -1 - i are opposite
        index = self.lag_index(S, S)[np.tri(len(S), dtype=bool)]
        folded = np.minimum(index, len(self.table) - 1 - index)
        used = np.zeros(half, dtype=bool)
        used[folded] = True
        used[-1] = True  # lag zero
        return LatticePairs(self.kernel, self.lags[:half][used], len(S), (np.cumsum(used) - 1)[folded])

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

    @property
    def neighbourhood(self) -> Floats:
        """One for every pixel: without lags the sum of all squared correlations would cost N^2 calls of the kernel."""
        return np.ones(len(self.coordinates))

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        return np.asarray(self.kernel(self.coordinates[S], self.coordinates[T]))

    def pairs(self, S: Indices, T: Indices) -> Floats:
        """Covariance of each pixel of S with that of T in its place, shape ``(k,)``."""
        tiles = np.array_split(np.arange(len(S)), max(1, len(S) // _SIDE))
        return np.concatenate([np.diagonal(self.block(S[tile], T[tile])) for tile in tiles])

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``."""
        return np.asarray(self.kernel(self.coordinates, self.coordinates[[pixel]])[:, 0])

    def spread(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``."""
        tiles = tiled(len(self.coordinates), len(S))
        return np.concatenate([self.block(tile, S) @ weights for tile in tiles])

    def among(self, S: Indices) -> "DensePairs":
        """Return the coordinates of pixels S."""
        return DensePairs(self.kernel, self.coordinates[S])

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``: O(N^3) once."""
        return self._sampler(rng)

    @cached_property
    def _sampler(self) -> FactorSampler:
        return FactorSampler.of(self.block, len(self.coordinates))


def covariance_of(kernel: Kernel, grid: PixelGrid) -> LatticeCovariance | DenseCovariance:
    """Return the covariance of a grid's pixels by the cheapest way that the kernel allows."""
    kernels.check_kernel(kernel, grid.ndim)
    return LatticeCovariance.of(kernel, grid) if kernel.is_stationary() else DenseCovariance.of(kernel, grid)


def tiled(n: int, width: int) -> list[Indices]:
    """Cut ``range(n)`` into pieces whose blocks of `width` columns stay below 32 MB."""
    return np.array_split(np.arange(n), max(1, -(-n * width // _TILE)))
