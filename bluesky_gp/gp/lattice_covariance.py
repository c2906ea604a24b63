"""The prior covariance of the pixels of a grid by a stationary kernel: a table over the lags.

======  ==================================================  =======================
symbol  meaning                                             shape
======  ==================================================  =======================
N       pixels of the lattice, flat index 0 .. N - 1
S, T    flat indices of some pixels                         (m,), (k,)
======  ==================================================  =======================
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.interfaces import NO_VARIANCE, Solver
from bluesky_gp.gp.iterative import IterativeSolver
from bluesky_gp.gp.kernel_gradients import gradient_of_lags, noise_gradient
from bluesky_gp.gp.kernels import noise_variance, of_lags
from bluesky_gp.gp.lattice import LatticeProduct
from bluesky_gp.gp.near_column import near_column, reach, window_sides
from bluesky_gp.gp.nearest_variance import nearest_variance
from bluesky_gp.gp.samplers import CirculantSampler, FactorSampler, stationary_sampler
from bluesky_gp.gp.tiles import ENTRIES, tiled
from bluesky_gp.gp.window import Window
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices

DENSE = 4000  # pixels up to which a dense factor is held (128 MB); above, an iteration is as fast and needs no memory
EXACT = 1e9  # operations that the exact variance of all pixels may take: about 50 ms


@dataclass(frozen=True)
class LatticePairs:
    """The lags among some pixels, each once, and which of them every pair has."""

    kernel: Kernel
    lags: Floats  # (n_lags, ndim), the last is zero
    m: int
    lag_of_pair: Indices  # (m (m + 1) / 2,), indices into lags, of the lower triangle, row by row

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise, laid out as LAPACK wants it."""
        K = np.take(of_lags(kernel, self.lags), self._lag).T
        K[np.diag_indices(self.m)] += noise_variance(kernel, self.lags.shape[1])
        return K

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """W binned by lag, times the derivative of the kernel at those lags."""
        binned = 2.0 * np.bincount(self.lag_of_pair, W.T.ravel()[self._lower], minlength=len(self.lags))
        trace = np.trace(W)
        binned[-1] -= trace  # the diagonal counts once
        by_lag = binned @ gradient_of_lags(kernel, self.lags)
        return np.asarray(by_lag + trace * noise_gradient(kernel, self.lags.shape[1]))

    def times(self, kernel: Kernel, v: Floats) -> Floats:
        """``d(K_SS) / d theta @ v``, shape ``(m, n_theta)``."""
        gradient = gradient_of_lags(kernel, self.lags).T
        products = [blas.dspmv(self.m, 1.0, by_lag[self.lag_of_pair], v) for by_lag in gradient]
        return np.stack(products, axis=1) + np.outer(v, noise_gradient(kernel, self.lags.shape[1]))

    @cached_property
    def _lag(self) -> Indices:
        """Index into lags of all pairs, shape ``(m, m)``."""
        rows, columns = np.tril_indices(self.m)
        lag = np.empty((self.m, self.m), dtype=np.intp)
        lag[rows, columns] = lag[columns, rows] = self.lag_of_pair
        return lag

    @cached_property
    def _lower(self) -> Indices:
        """Places of the lower triangle, row by row, in a matrix that is read column by column."""
        rows, columns = np.tril_indices(self.m)
        return np.asarray(columns * self.m + rows)


@dataclass(frozen=True)
class LatticeCovariance:
    """A stationary kernel on a lattice: a table by lag, a gather for blocks, an FFT for products."""

    kernel: Kernel
    shape: tuple[int, ...]
    allowed: npt.NDArray[np.bool_] = field(repr=False)  # (N,), what is not masked
    lags: Floats = field(repr=False)  # (n_lags, ndim)
    table: Floats = field(repr=False)  # (n_lags,)
    noise: float
    near: bool = True  # whether a large lattice is looked at near a pixel alone, where it has nothing to do with others

    @classmethod
    def of(cls, kernel: Kernel, grid: PixelGrid, *, near: bool = True) -> Self:
        """Evaluate a kernel, whose length scales are in pixels, at all lags of a grid."""
        spans = [np.arange(1 - n, n, dtype=np.float64) for n in grid.shape]
        lags = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, grid.ndim)
        return cls._evaluate(kernel, grid.shape, grid.allowed, lags, near)

    @classmethod
    def _evaluate(
        cls, kernel: Kernel, shape: tuple[int, ...], allowed: npt.NDArray[np.bool_], lags: Floats, near: bool
    ) -> Self:
        half = len(lags) // 2 + 1  # the table is symmetric: lag i and lag -1 - i are opposite
        first = of_lags(kernel, lags[:half])
        table = np.concatenate([first, first[-2::-1]])
        return cls(kernel, shape, allowed, lags, table, noise_variance(kernel, len(shape)), near)

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        return self._evaluate(self.kernel.clone_with_theta(theta), self.shape, self.allowed, self.lags, self.near)

    @property
    def _by_lag(self) -> Floats:
        """The table as a lattice, shape ``(2 n_1 - 1, ..., 2 n_d - 1)``, lag zero in its middle."""
        return self.table.reshape([2 * n - 1 for n in self.shape])

    @cached_property
    def product(self) -> LatticeProduct:
        """Product with the covariance of all pixels."""
        return LatticeProduct.from_table(self._by_lag, self.shape)

    @cached_property
    def variance(self) -> Floats:
        """Prior variance of every pixel, shape ``(N,)``."""
        return np.full(int(np.prod(self.shape)), self.table[len(self.table) // 2])

    @cached_property
    def neighbourhood(self) -> Floats:
        """Sum of the squared prior correlation of every pixel with all that are not masked: one FFT convolution."""
        correlation = self.table / max(self.variance[0], NO_VARIANCE)  # a kernel may be noise and nothing else
        squares = np.square(correlation).reshape(self._by_lag.shape)
        return LatticeProduct.from_table(squares, self.shape)(self.allowed.astype(np.float64))

    @property
    def eigenvalues(self) -> tuple[Floats, Floats]:
        """Eigenvalues of the covariance of all pixels, and how many there are of each, per pixel."""
        return self.product.eigenvalues

    def lag_index(self, S: Indices, T: Indices) -> Indices:
        """Index into the table of the lag of each pair, shape ``(m, k)``."""
        return np.asarray(self._lag_offset[S][:, None] - self._lag_offset[T] + len(self.table) // 2)

    @cached_property
    def _lag_offset(self) -> Indices:
        """Flat index of every pixel on the lattice of lags: there one subtraction a pair is enough, not one an axis."""
        return np.arange(len(self.table)).reshape(self._by_lag.shape)[tuple(slice(0, n) for n in self.shape)].ravel()

    def pairs(self, S: Indices, T: Indices) -> Floats:
        """Covariance of each pixel of S with that of T in its place; any shapes that broadcast."""
        return np.asarray(self.table[self._lag_offset[S] - self._lag_offset[T] + len(self.table) // 2])

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        if len(S) * len(T) <= ENTRIES:
            return self.pairs(S[:, None], T)
        block = np.empty((len(S), len(T)))
        for rows in tiled(len(S), len(T)):  # an index is as large as what it picks
            block[rows] = self.pairs(S[rows, None], T)
        return block

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``: the table, shifted."""
        centre = np.unravel_index(pixel, self.shape)
        window = tuple(slice(n - 1 - c, 2 * n - 1 - c) for n, c in zip(self.shape, centre, strict=True))
        return self._by_lag[window].ravel()

    def dot(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``: one FFT convolution."""
        scattered = np.bincount(S, weights, minlength=int(np.prod(self.shape)))
        return self.product(scattered.astype(np.float64))

    def among(self, S: Indices) -> LatticePairs:
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
        return stationary_sampler(self.kernel, self.shape, self.block)

    def solver(self, S: Indices, noise: Floats) -> Solver:
        """Return a dense factor for up to `DENSE` measured pixels, and beyond a solver by iteration."""
        if len(S) > DENSE:
            return IterativeSolver.build(self, S, self.noise + noise)
        return CholeskySolver.of(self, S, noise)

    def nearest_variance(self, S: Indices, noise: Floats) -> Floats | None:
        """Variance of all pixels from the nearest of S, where the exact one takes more than `EXACT` operations."""
        if len(self.variance) * len(S) ** 2 <= EXACT:
            return None
        most = reach(self._by_lag) if self.near else None
        return nearest_variance(self, S, self.noise + noise, most)

    def near_column(self, pixel: int, S: Indices, noise: Floats) -> tuple[Window, Floats] | None:
        """Covariance of a pixel with all inside a window, given S; where the variance is from the nearest of S too."""
        if not self.near or len(self.variance) * len(S) ** 2 <= EXACT or self._inside is None:
            return None
        window = Window.around(pixel, self.shape, self._inside.shape)
        column = near_column(self._inside, window, S, noise, pixel)
        return None if column is None else (window, column)

    @cached_property
    def _inside(self) -> "LatticeCovariance | None":
        """The covariance of a window outside of which there is none with its centre; None: it is too large."""
        table = self._by_lag
        sides = window_sides(table, self.shape)
        if sides is None:
            return None
        middle = tuple(slice(n - s, n + s - 1) for n, s in zip(self.shape, sides, strict=True))
        lags, allowed = self.lags.reshape(*table.shape, -1)[middle], np.ones(int(np.prod(sides)), dtype=bool)
        return type(self)(self.kernel, sides, allowed, lags.reshape(-1, len(sides)), table[middle].ravel(), self.noise)
