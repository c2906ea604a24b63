"""The prior covariance of the pixels of a grid by a stationary kernel: a table over the lags.

======  ==================================================  =======================
symbol  meaning                                             shape
======  ==================================================  =======================
N       pixels of the lattice, flat index 0 .. N - 1
S, T    flat indices of some pixels                         (m,), (k,)
======  ==================================================  =======================
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import blas
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.features_left import Nearest
from bluesky_gp.gp.interfaces import NO_VARIANCE, Solver
from bluesky_gp.gp.iterative import IterativeSolver
from bluesky_gp.gp.kernel_gradients import contracted, gradient_of_lags, noise_gradient
from bluesky_gp.gp.kernels import lag_table, noise_variance, of_lags
from bluesky_gp.gp.lattice import LatticeProduct, sums_within
from bluesky_gp.gp.near_column import near_column, window_sides
from bluesky_gp.gp.nearest_variance import nearest_variance
from bluesky_gp.gp.profiles import Profiles
from bluesky_gp.gp.samplers import CirculantSampler, FactorSampler, stationary_sampler
from bluesky_gp.gp.theta import AdjustableKernel
from bluesky_gp.gp.tile_variance import LEAST, tile_variance
from bluesky_gp.gp.tiles import ENTRIES, tiled
from bluesky_gp.gp.window import Window
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices

DENSE = 2500  # pixels up to which a dense factor is held (50 MB); above, decisions take no longer without, refits less
DENSE_BEFORE = 4000  # before `numerics` 0.3
_FEW = 0.1  # share of the lags, below which pairs are sorted to find theirs
_RUN = 64  # consecutive pixels beyond which their covariances are cut out of the table: a tenth of the time of an index
_ROUNDING = 1e-13  # correlation that nothing is lost without
EXACT = 1e9  # operations that the exact variance of all pixels may take: about 50 ms


@dataclass(frozen=True)
class LatticePairs:
    """The lags among some pixels, each once, and which of them every pair has."""

    kernel: Kernel
    lags: Floats  # (n_lags, ndim), the last is zero
    m: int
    lag_of_pair: Indices  # (m (m + 1) / 2,), indices into lags, of the lower triangle, row by row
    quick: bool = True  # see `LatticeCovariance`

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise, laid out as LAPACK wants it."""
        K = np.take(of_lags(kernel, self.lags), self._lag).T
        K[np.diag_indices(self.m)] += noise_variance(kernel, self.lags.shape[1])
        return K

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """W binned by lag, times the derivative of the kernel at those lags."""
        sums = np.bincount(self.lag_of_pair, W.T.ravel()[self._lower], minlength=len(self.lags))
        binned = np.asarray(2.0 * sums, dtype=np.float64)
        trace = np.trace(W)
        binned[-1] -= trace  # the diagonal counts once
        by_lag = (
            contracted(kernel, self.lags, binned)[1] if self.quick else binned @ gradient_of_lags(kernel, self.lags)
        )
        return np.asarray(by_lag + trace * noise_gradient(kernel, self.lags.shape[1]))

    def times(self, kernel: Kernel, v: Floats) -> Floats:
        """``d(K_SS) / d theta @ v``, shape ``(m, n_theta)``."""
        gradient = gradient_of_lags(kernel, self.lags).T
        nothing = np.zeros(self.m)  # what white noise does to pairs
        products = [
            blas.dspmv(self.m, 1.0, by_lag[self.lag_of_pair], v) if by_lag.any() else nothing for by_lag in gradient
        ]
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
    quick: bool = True  # whether sums are taken in the quicker order, and of nearest pixels no more than show

    @classmethod
    def of(cls, kernel: Kernel, grid: PixelGrid, *, near: bool = True, quick: bool = True) -> Self:
        """Evaluate a kernel, whose length scales are in pixels, at all lags of a grid."""
        spans = [np.arange(1 - n, n, dtype=np.float64) for n in grid.shape]
        lags = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, grid.ndim)
        table, noise = lag_table(kernel, lags, grid.shape if quick else None), noise_variance(kernel, grid.ndim)
        return cls(kernel, grid.shape, grid.allowed, lags, table, noise, near, quick)

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        kernel = AdjustableKernel(self.kernel)(theta)
        table = lag_table(kernel, self.lags, self.shape if self.quick else None)
        noise = noise_variance(kernel, len(self.shape))
        return replace(self, kernel=kernel, table=table, noise=noise)

    @property
    def _by_lag(self) -> Floats:
        """The table as a lattice, shape ``(2 n_1 - 1, ..., 2 n_d - 1)``, lag zero in its middle."""
        return self.table.reshape([2 * n - 1 for n in self.shape])

    @cached_property
    def product(self) -> LatticeProduct:
        """Product with the covariance of all pixels."""
        return LatticeProduct.from_table(
            self._by_lag, self.shape, self._profiles.reach(_ROUNDING) if self.quick else None
        )

    @cached_property
    def _profiles(self) -> Profiles:
        return Profiles.of(self._by_lag)

    @cached_property
    def variance(self) -> Floats:
        """Prior variance of every pixel, shape ``(N,)``."""
        return np.full(int(np.prod(self.shape)), self.table[len(self.table) // 2])

    @cached_property
    def neighbourhood(self) -> Floats:
        """Sum of the squared prior correlation of every pixel with all that are not masked.

        One FFT convolution; where nothing is masked, sums over boxes of lags.
        """
        least = max(self.variance[0], NO_VARIANCE)  # a kernel may be noise and nothing else
        if not self.quick:
            squares = np.square(self.table / least).reshape(self._by_lag.shape)
            return LatticeProduct.from_table(squares, self.shape)(self.allowed.astype(np.float64))
        most = self._profiles.reach(_ROUNDING**0.5)
        near = tuple(slice(n - 1 - lag, n + lag) for n, lag in zip(self.shape, most.tolist(), strict=True))
        squares = np.square(self._by_lag[near] / least)
        if self.allowed.all():
            return sums_within(squares, self.shape).ravel()
        table = np.zeros(self._by_lag.shape)
        table[near] = squares
        return LatticeProduct.from_table(table, self.shape, most)(self.allowed.astype(np.float64))

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
        if len(T) > _RUN and T[-1] - T[0] == len(T) - 1 and np.all(np.diff(T) == 1):
            return self._run(S, int(T[0]), int(T[-1]) + 1)
        if len(S) * len(T) <= ENTRIES:
            return self.pairs(S[:, None], T)
        block = np.empty((len(S), len(T)))
        for rows in tiled(len(S), len(T)):  # an index is as large as what it picks
            block[rows] = self.pairs(S[rows, None], T)
        return block

    def box(self, S: Indices, low: Indices, high: Indices) -> Floats:
        """Covariance of pixels S with those of a box, `high` not in it, shape ``(m, k)``: the table, shifted."""
        windows = sliding_window_view(self._by_lag, tuple(high - low))
        place = np.unravel_index(S, self.shape)
        start = tuple(n - 1 - at + first for n, at, first in zip(self.shape, place, low, strict=True))
        return np.asarray(windows[start].reshape(len(S), int(np.prod(high - low))))

    def _run(self, S: Indices, first: int, end: int) -> Floats:
        """Covariance of pixels S with consecutive ones."""
        row = int(np.prod(self.shape[1:]))  # pixels in a row of the first axis
        low, high = np.zeros(len(self.shape), dtype=np.intp), np.array(self.shape)
        low[0], high[0] = first // row, -(-end // row)
        return self.box(S, low, high)[:, first - low[0] * row : end - low[0] * row]

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``."""
        everything = np.zeros(len(self.shape), dtype=np.intp), np.array(self.shape)
        return self.box(np.array([pixel]), *everything).ravel()

    def dot(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``: one FFT convolution."""
        return self.product.of_pixels(S, weights)

    def among(self, S: Indices) -> LatticePairs:
        """Return the lags among pixels S and where each pair has its own: a fit evaluates the kernel there alone."""
        half = len(self.table) // 2 + 1  # the table is symmetric: lag i and lag -1 - i are opposite
        index = self.lag_index(S, S)[np.tri(len(S), dtype=bool)]
        folded = np.minimum(index, len(self.table) - 1 - index)
        if len(folded) < _FEW * half:
            lags, lag_of_pair = np.unique(folded, return_inverse=True)  # the last is zero
            return LatticePairs(self.kernel, self.lags[lags], len(S), lag_of_pair, self.quick)
        used = np.zeros(half, dtype=bool)
        used[folded] = True
        used[-1] = True  # lag zero
        lag_of_pair = (np.cumsum(used) - 1)[folded]
        return LatticePairs(self.kernel, self.lags[:half][used], len(S), lag_of_pair, self.quick)

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``."""
        return self._sampler(rng)

    @cached_property
    def _sampler(self) -> CirculantSampler | FactorSampler:
        return stationary_sampler(self.kernel, self.shape, self.block)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def solver(self, S: Indices, noise: Floats, earlier: Solver | None = None) -> Solver:
        """Return a dense factor for up to `DENSE` measured pixels, and beyond a solver by iteration."""
        if len(S) > (DENSE if self.quick else DENSE_BEFORE):
            return IterativeSolver.after(earlier, self, S, self.noise + noise)
        return CholeskySolver.of(self, S, noise, quick=self.quick)

    def nearest_variance(self, S: Indices, noise: Floats) -> Nearest | None:
        """Variance of all pixels from the nearest of S, where the exact one takes more than `EXACT` operations."""
        if len(self.variance) * len(S) ** 2 <= EXACT:
            return None
        if self.quick:
            return Nearest(tile_variance(self, S, self.noise + noise, self._profiles.reach(LEAST)))
        return Nearest(nearest_variance(self, S, self.noise + noise, self._profiles.reach() if self.near else None))

    def near_column(self, pixel: int, S: Indices, noise: Floats) -> tuple[Window, Floats] | None:
        """Covariance of a pixel with all inside a window, given S; where the variance is from the nearest of S too."""
        inside = self._inside if self._is_near(len(S)) else None
        if inside is None:
            return None
        window = Window.around(pixel, self.shape, inside.shape)
        column = near_column(inside, window, S, noise, pixel)
        return None if column is None else (window, column)

    def _is_near(self, m: int) -> bool:
        """Whether what m measured pixels leave of a column is looked at near its pixel alone."""
        return self.near and len(self.variance) * m**2 > EXACT and self._inside is not None

    @cached_property
    def _inside(self) -> "LatticeCovariance | None":
        """The covariance of a window outside of which there is none with its centre; None: it is too large."""
        table = self._by_lag
        sides = window_sides(self._profiles, self.shape)
        if sides is None:
            return None
        middle = tuple(slice(n - s, n + s - 1) for n, s in zip(self.shape, sides, strict=True))
        lags, allowed = self.lags.reshape(*table.shape, -1)[middle], np.ones(int(np.prod(sides)), dtype=bool)
        lags, noise, near, quick = lags.reshape(-1, len(sides)), self.noise, self.near, self.quick
        return type(self)(self.kernel, sides, allowed, lags, table[middle].ravel(), noise, near, quick)
