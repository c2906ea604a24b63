"""The posterior of every pixel, given the pixels measured so far.

======  =====================================================  ===============
symbol  meaning                                                shape
======  =====================================================  ===============
N       pixels of the lattice                                  ()
S       flat indices of the pixels attempted                   (m,)
y       values at S in standardised units; NaN: it failed      (m,)
K       K_SS + noise                                           (m, m)
H       basis of the trend at all pixels                       (N, q)
beta    its coefficients by generalised least squares          (q,)
alpha   (K^-1 (y - trend)), zero at failed pixels              (m,)
======  =====================================================  ===============

A failed pixel counts as measured at its predicted mean: it lowers the variance around it and leaves the mean alone.
Variances need no values, so they come from one factor for all attempted pixels and the mean from a factor of those
that have a value; the two are the same object until a pixel fails.

Rasmussen & Williams, Gaussian Processes for Machine Learning (2006): eqs. 2.25, 2.26 (mean, variance), 2.41, 2.42
(trend); algorithm 2.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.covariance import DenseCovariance, LatticeCovariance, tiled
from bluesky_gp.gp.iterative import IterativeSolver
from bluesky_gp.gp.nearest_variance import nearest_variance
from bluesky_gp.gp.solvers import CholeskySolver
from bluesky_gp.gp.trend import Solver, Trend
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices

_TINY = 1e-12
DENSE = 4000  # pixels up to which a dense factor is held (128 MB); above, an iteration is as fast and needs no memory
_CHECKED = 3  # pixels at which a variance from nearest pixels is compared with the exact one
EXACT = 1e9  # operations that the exact variance of all pixels may take: about 50 ms


@dataclass(frozen=True)
class Fantasy:
    """A pixel taken as measured: the rank-one change it made."""

    pixel: int
    gain: Floats  # (N,), covariance with all pixels over `spread`
    spread: float  # standard deviation of the measurement, noise included
    noise: float  # its noise variance


@dataclass(frozen=True)
class GridPosterior:
    """A Gaussian process given some pixels of a grid, in standardised units; immutable.

    Use `LatticePosterior` or `DensePosterior`; both have the methods documented here.
    """

    prior: LatticeCovariance | DenseCovariance = field(repr=False)
    trend: Trend = field(repr=False)
    pixels: Indices  # (m,)
    values: Floats  # (m,), NaN: failed
    noise: Floats  # (m,), noise variance known for each, beside the kernel's
    solver: Solver = field(repr=False)  # of all m
    known: Solver = field(repr=False)  # of those with a value
    dual: Floats = field(repr=False)  # (n_known, q + 1), K^-1 of the trend's basis and of y
    mean: Floats = field(repr=False)  # (N,)
    variance: Floats = field(repr=False)  # (N,), of the target without noise
    excess: float = 0.0  # largest relative excess of the variance over the exact one, at a few pixels; 0: it is exact
    slopes: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)  # (N, q), of an uncertain trend
    fantasies: tuple[Fantasy, ...] = ()

    _covariance: ClassVar[type[LatticeCovariance] | type[DenseCovariance]]

    @classmethod
    def of(
        cls,
        kernel: Kernel,
        grid: PixelGrid,
        pixels: Indices,
        values: Floats,
        *,
        noise: Floats | None = None,
        trend: Trend | None = None,
    ) -> Self:
        """Fit a scikit-learn kernel whose length scales are in pixels; see `fit`."""
        return cls.fit(cls._covariance.of(kernel, grid), pixels, values, noise=noise, trend=trend)

    @classmethod
    def fit(
        cls,
        prior: LatticeCovariance | DenseCovariance,
        pixels: Indices,
        values: Floats,
        *,
        noise: Floats | None = None,
        trend: Trend | None = None,
        exact: bool = False,
    ) -> Self:
        """Compute the posterior from scratch.

        Up to `DENSE` pixels by a dense factor, O(m^3), beyond by iteration. The variance of all pixels costs O(N m^2);
        where that is more than `EXACT` operations it is computed from each pixel's nearest measured ones.

        Parameters
        ----------
        prior : covariance of the grid's pixels
        pixels : ndarray of int, shape (m,)
            Flat indices; a pixel may be measured more than once.
        values : ndarray, shape (m,)
            NaN where the measurement failed.
        noise : ndarray, shape (m,), optional
            Variance of each value's noise, beside the white noise of the kernel.
        trend : Trend, optional
            Default: a constant estimated by generalised least squares.
        exact : bool
            Compute the variance exactly, whatever it costs.
        """
        noise = np.zeros(len(pixels)) if noise is None else noise
        trend = Trend.constant(len(prior.variance)) if trend is None else trend
        has_value = np.isfinite(values)
        S, y = pixels[has_value], values[has_value]
        solver = _solver(prior, pixels, noise)
        known = solver if has_value.all() else _solver(prior, S, noise[has_value])
        mean, dual = _mean(prior, trend, S, y, known)
        variance, excess = _variance(prior, pixels, noise, solver, exact=exact)
        slopes = _slopes(prior, trend, pixels, solver)
        if len(slopes):
            variance = variance + np.square(slopes).sum(axis=1)
        return cls(prior, trend, pixels, values, noise, solver, known, dual, mean, variance, excess, slopes)

    @property
    def std(self) -> Floats:
        """Standard deviation of the noise-free target at every pixel, shape ``(N,)``."""
        return np.sqrt(self.variance)

    def covariance_column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``: one FFT and O(m^2)."""
        cross = self.prior.block(self.pixels, np.array([pixel]))[:, 0]
        column = self.prior.column(pixel) - self.prior.spread(self.pixels, self.solver.solve(cross, rough=True))
        if len(self.slopes):
            column += self.slopes @ self.slopes[pixel]
        for fantasy in self.fantasies:
            column -= fantasy.gain[pixel] * fantasy.gain
        return column

    def covariance(self, rows: Indices, columns: Indices) -> Floats:
        """Covariance of some pixels with others, shape ``(n_rows, n_columns)``: O(m^2 (n_rows + n_columns))."""
        return self._between(rows, columns, self._left(rows), self._right(columns))

    def covariance_tiles(self, pixels: Indices, num: int) -> Iterator[tuple[Indices, Floats]]:
        """Yield the covariance of some pixels in `num` tiles of rows, each from the diagonal on: nothing is held.

        Yields
        ------
        rows : ndarray of int, shape (r,)
            Places in `pixels`, in ascending order.
        block : ndarray, shape (r, n_pixels - rows[0])
        """
        right = self._right(pixels)
        left = right if isinstance(self.solver, CholeskySolver) else self._left(pixels)
        for rows in np.array_split(np.arange(len(pixels)), min(num, len(pixels))):
            onward = slice(rows[0], None)
            yield rows, self._between(pixels[rows], pixels[onward], left[:, rows], right[:, onward])

    def _left(self, pixels: Indices) -> Floats:
        """Return the factor for which ``left.T @ right`` is what the measured pixels explain."""
        cross = self.prior.block(self.pixels, pixels)
        return self.solver.half(cross) if isinstance(self.solver, CholeskySolver) else cross

    def _right(self, pixels: Indices) -> Floats:
        if isinstance(self.solver, CholeskySolver):
            return self._left(pixels)
        return self.solver.solve(self.prior.block(self.pixels, pixels), rough=True)

    def _between(self, rows: Indices, columns: Indices, left: Floats, right: Floats) -> Floats:
        block = self.prior.block(rows, columns)
        block -= left.T @ right
        if len(self.slopes):
            block += self.slopes[rows] @ self.slopes[columns].T
        for fantasy in self.fantasies:
            block -= np.outer(fantasy.gain[rows], fantasy.gain[columns])
        return np.asarray(block)

    def product(self, field: Floats) -> Floats:
        """Covariance of all pixels with all, times a field of shape ``(N,)``: two FFTs and O(m^2)."""
        every = np.arange(len(field))
        spread = self.prior.spread(every, field)
        result = spread - self.prior.spread(self.pixels, self.solver.solve(spread[self.pixels], rough=True))
        if len(self.slopes):
            result += self.slopes @ (self.slopes.T @ field)
        for fantasy in self.fantasies:
            result -= fantasy.gain * (fantasy.gain @ field)
        return np.asarray(result)

    def difference_variance(self, left: Indices, right: Indices) -> Floats:
        """Variance of what each pixel of `left` has more than that of `right` in its place, ``(k,)``: O(k m^2)."""
        prior = self.prior
        variance = prior.variance[left] + prior.variance[right] - 2.0 * prior.pairs(left, right)
        for tile in tiled(len(left), len(self.pixels)):
            cross = prior.block(self.pixels, left[tile]) - prior.block(self.pixels, right[tile])
            variance[tile] -= _reduction(cross, self.solver)
        if len(self.slopes):
            variance += np.square(self.slopes[left] - self.slopes[right]).sum(axis=1)
        for fantasy in self.fantasies:
            variance -= (fantasy.gain[left] - fantasy.gain[right]) ** 2
        return np.asarray(np.maximum(variance, 0.0))

    def measured_std(self, pixels: Indices) -> Floats:
        """Standard deviation of a measurement at some pixels, the kernel's noise included, shape ``(k,)``."""
        least = _TINY * self.prior.variance.max()
        return np.asarray(np.sqrt(np.maximum(self.variance[pixels] + self.prior.noise, least)))

    def mean_of(self, values: Floats) -> Floats:
        """Mean of other numbers of the same pixels, by the same kernel and a constant of their own.

        Parameters
        ----------
        values : ndarray, shape (m, d)
            In units of their own; a row that holds a NaN says nothing.

        Returns
        -------
        ndarray, shape (N, d)
        """
        n, has_value = len(self.prior.variance), np.isfinite(values).all(axis=1)
        solver = self.known
        if not np.array_equal(has_value, np.isfinite(self.values)):
            solver = _solver(self.prior, self.pixels[has_value], self.noise[has_value])
        S, trend = self.pixels[has_value], Trend.constant(n)
        return np.stack([_mean(self.prior, trend, S, y, solver)[0] for y in values[has_value].T], axis=1)

    def condition(self, pixel: int, value: float, noise: float = 0.0) -> Self:
        """Return the posterior had `pixel` been measured as `value`: a rank-one change, O(N log N + m^2).

        The trend stays as it is, as it would for a value that is the predicted mean.
        """
        column = self.covariance_column(pixel)
        noise += self.prior.noise
        # Without noise a pixel measured twice would divide by nothing.
        spread = float(np.sqrt(max(column[pixel] + noise, _TINY * self.prior.variance.max())))
        gain = column / spread
        return replace(
            self,
            mean=self.mean + gain * ((value - self.mean[pixel]) / spread),
            variance=np.maximum(self.variance - gain * gain, 0.0),
            fantasies=(*self.fantasies, Fantasy(pixel, gain, spread, noise)),
        )

    def observe(
        self, pixels: Indices, values: Floats, noise: Floats | None = None, *, ahead: Self | None = None
    ) -> Self:
        """Return the posterior after real measurements: the factors grow by rows, the mean is renewed.

        Parameters
        ----------
        pixels : ndarray of int, shape (k,)
        values : ndarray, shape (k,)
            NaN where the measurement failed.
        noise : ndarray, shape (k,), optional
            Variance of each value's noise, beside the kernel's.
        ahead : posterior, optional
            This posterior conditioned on fantasies of just these pixels: its variances, which need no values, are
            taken over. They are computed here where the pixels are others.
        """
        if self.fantasies:
            raise ValueError("GridPosterior.observe: take the posterior without fantasies, and those as `ahead`")
        noise = np.zeros(len(pixels)) if noise is None else noise
        if ahead is None or noise.any() or not np.array_equal(np.sort(ahead.fantasised), np.sort(pixels)):
            ahead = self
            for pixel, extra in zip(pixels.tolist(), noise.tolist(), strict=True):
                ahead = ahead.condition(pixel, ahead.mean[pixel], extra)
        prior, has_value = self.prior, np.isfinite(values)
        solver = known = _extend(prior, self.solver, self.pixels, pixels, noise)
        if not (has_value.all() and self.known is self.solver):
            known = _extend(prior, self.known, self.measured[0], pixels[has_value], noise[has_value])
        grown = replace(
            self,
            pixels=np.concatenate([self.pixels, pixels]),
            values=np.concatenate([self.values, values]),
            noise=np.concatenate([self.noise, noise]),
            solver=solver,
            known=known,
            variance=ahead.variance,
        )
        start = np.vstack([self.dual, np.zeros((int(has_value.sum()), self.dual.shape[1]))])
        mean, dual = _mean(prior, self.trend, *grown.measured, known, start)
        return replace(grown, mean=mean, dual=dual, slopes=_slopes(prior, self.trend, grown.pixels, solver))

    @property
    def approximations(self) -> str:
        """What was not computed exactly, in words for the record; empty: nothing."""
        iterative = "solved by iteration" if isinstance(self.solver, IterativeSolver) else ""
        nearest = f"variance from nearest pixels, up to {self.excess:.1e} too large" if self.excess > 0.0 else ""
        jitter = getattr(self.solver, "jitter", 0.0)
        jittered = f"jitter {jitter:.0e} on the covariance" if jitter else ""
        return "; ".join(part for part in (iterative, nearest, jittered) if part)

    @property
    def measured(self) -> tuple[Indices, Floats]:
        """Flat indices and values of the pixels that have a value."""
        has_value = np.isfinite(self.values)
        return self.pixels[has_value], self.values[has_value]

    @property
    def fantasised(self) -> Indices:
        """Flat indices of the pixels taken as measured, shape ``(k,)``."""
        return np.array([fantasy.pixel for fantasy in self.fantasies], dtype=np.intp)

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one joint sample of the noise-free target at all pixels, shape ``(N,)``.

        A sample of the prior, corrected by the data (Matheron's rule; Wilson et al. 2020, arXiv:2002.09309, eq. 9).
        """
        S, draw = self.pixels, self.prior.sample(rng)
        noisy = draw[S] + np.sqrt(self.prior.noise + self.noise) * rng.standard_normal(len(S))
        error = draw - self.prior.spread(S, self.solver.solve(noisy))
        for fantasy in self.fantasies:
            measured = error[fantasy.pixel] + np.sqrt(fantasy.noise) * rng.standard_normal()
            error = error - fantasy.gain * (measured / fantasy.spread)
        return np.asarray(self.mean + error)


class LatticePosterior(GridPosterior):
    """Posterior for a stationary kernel: products by FFT, blocks by a gather."""

    _covariance = LatticeCovariance


class DensePosterior(GridPosterior):
    """Posterior for any kernel: blocks by calls of the kernel."""

    _covariance = DenseCovariance


def _solver(prior: LatticeCovariance | DenseCovariance, S: Indices, noise: Floats) -> Solver:
    if len(S) > DENSE and isinstance(prior, LatticeCovariance):
        return IterativeSolver.build(prior, S, prior.noise + noise)
    K = prior.block(S, S)
    K[np.diag_indices(len(S))] += prior.noise + noise
    return CholeskySolver.factorise(K)


def _extend(
    prior: LatticeCovariance | DenseCovariance, solver: Solver, S: Indices, new: Indices, noise: Floats
) -> Solver:
    if isinstance(solver, IterativeSolver):
        return solver.extend(new, prior.noise + noise)
    return solver.extend(prior.block(S, new), prior.block(new, new) + np.diag(prior.noise + noise))


def _mean(
    prior: LatticeCovariance | DenseCovariance,
    trend: Trend,
    S: Indices,
    y: Floats,
    solver: Solver,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    fitted = trend.estimate(S, y, solver, start)
    return np.asarray(trend.at(fitted.beta) + prior.spread(S, fitted.alpha)), fitted.dual


def _variance(
    prior: LatticeCovariance | DenseCovariance, S: Indices, noise: Floats, solver: Solver, *, exact: bool
) -> tuple[Floats, float]:
    """Variance of all pixels, and its largest relative excess over the exact one at a few of them."""
    n = len(prior.variance)
    if exact or not isinstance(prior, LatticeCovariance) or n * len(S) ** 2 <= EXACT:
        return np.concatenate([_exact(prior, S, solver, tile) for tile in tiled(n, len(S))]), 0.0
    variance = nearest_variance(prior, S, prior.noise + noise)
    few = np.random.default_rng(len(S)).choice(n, _CHECKED, replace=False)
    excess = variance[few] / np.maximum(_exact(prior, S, solver, few), _TINY * prior.variance[few]) - 1.0
    return variance, max(float(excess.max()), _TINY)


def _exact(prior: LatticeCovariance | DenseCovariance, S: Indices, solver: Solver, pixels: Indices) -> Floats:
    reduction = _reduction(prior.block(S, pixels), solver)
    return np.asarray(np.maximum(prior.variance[pixels] - reduction, 0.0))


def _slopes(prior: LatticeCovariance | DenseCovariance, trend: Trend, S: Indices, solver: Solver) -> Floats:
    """What an uncertain trend adds to the covariance, as ``slopes @ slopes.T``; (0, 0) if it adds nothing.

    Rasmussen & Williams (2006), eq. 2.42, with a vague prior on the coefficients.
    """
    if not trend.uncertain or not len(S):
        return np.empty((0, 0))
    H = trend.basis[S]
    weighted = solver.solve(H)
    gap = trend.basis - np.stack([prior.spread(S, column) for column in weighted.T], axis=1)
    return np.asarray(gap @ np.linalg.pinv(_root(H.T @ weighted)))


def _root(information: Floats) -> Floats:
    """R with ``R^T R`` the matrix; directions of which the pixels say nothing are left out."""
    values, vectors = np.linalg.eigh(information)
    known = values > _TINY * values[-1]
    return np.asarray(np.sqrt(np.where(known, values, 0.0))[:, None] * vectors.T)


def _reduction(cross: Floats, solver: Solver) -> Floats:
    """``diag(cross^T K^-1 cross)``, shape ``(k,)``."""
    if isinstance(solver, CholeskySolver):
        return np.asarray(np.square(solver.half(cross)).sum(axis=0))
    return np.asarray(np.sum(cross * solver.solve(cross), axis=0))
