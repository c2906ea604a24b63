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

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.common_solver import solver_given
from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.fantasy import Fantasy, Foreseen, Sources
from bluesky_gp.gp.features_left import FeaturesLeft
from bluesky_gp.gp.interfaces import Covariance, Solver
from bluesky_gp.gp.matheron import error_of_a_draw
from bluesky_gp.gp.posterior_covariance import PosteriorCovariance, variance_given
from bluesky_gp.gp.trend import Trend
from bluesky_gp.gp.window import Window
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices

_LEAST_VARIANCE = 1e-12  # of a measurement, relative to the prior's: without noise a pixel can be measured twice


@dataclass(frozen=True, kw_only=True)
class GridPosterior(PosteriorCovariance):
    """A Gaussian process given some pixels of a grid, in standardised units; immutable."""

    trend: Trend = field(repr=False)
    values: Floats  # (m,), NaN: failed
    noise: Floats  # (m,), noise variance known for each, beside the kernel's
    common: Floats = field(repr=False)  # (m, r), root of what values have in common beside the map; r = 0: nothing
    mean_solver: Solver = field(repr=False)  # of the pixels with a value
    dual: Floats = field(repr=False)  # (n_values, q + 1), K^-1 of the trend's basis and of y
    mean: Floats = field(repr=False)  # (N,)
    variance: Floats = field(repr=False)  # (N,), of the target without noise
    left: FeaturesLeft | None = field(default=None, repr=False)  # on a large lattice
    excess: float = 0.0  # largest relative excess of the variance over the exact one, at a few pixels; 0: it is exact

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
        return cls.fit(covariance_of(kernel, grid), pixels, values, noise=noise, trend=trend)

    @classmethod
    def fit(
        cls,
        prior: Covariance,
        pixels: Indices,
        values: Floats,
        *,
        noise: Floats | None = None,
        trend: Trend | None = None,
        common: Floats | None = None,
        exact: bool = False,
        earlier: Self | None = None,
    ) -> Self:
        """Compute the posterior from scratch.

        By a dense factor, O(m^3), or by iteration where there are very many pixels. The variance of all pixels costs
        O(N m^2); where that takes too long it is computed from each pixel's nearest measured ones.

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
        common : ndarray, shape (m, r), optional
            Root R of a covariance ``R R^T`` of the values that is not that of their pixels, as of their times.
        exact : bool
            Compute the variance exactly, whatever it costs.
        earlier : GridPosterior, optional
            Of the first of these pixels by other hyperparameters: what is alike is not computed again.
        """
        noise = np.zeros(len(pixels)) if noise is None else noise
        trend = Trend.constant(len(prior.variance)) if trend is None else trend
        common = np.empty((len(pixels), 0)) if common is None else common
        has_value = np.isfinite(values)
        S, y = pixels[has_value], values[has_value]
        before = (None, None) if earlier is None else (earlier.solver, earlier.mean_solver)
        solver = mean_solver = solver_given(prior, pixels, noise, common, before[0])
        if not has_value.all():
            mean_solver = solver_given(prior, S, noise[has_value], common[has_value], before[1])
        mean, dual = _mean(prior, trend, S, y, mean_solver)
        (variance, left), excess = variance_given(prior, pixels, noise, solver, exact=exact)
        trend_root = trend.uncertainty(prior, pixels, solver)
        if len(trend_root):
            variance = variance + np.square(trend_root).sum(axis=1)
        return cls(
            prior=prior,
            pixels=pixels,
            solver=solver,
            trend_root=trend_root,
            trend=trend,
            values=values,
            noise=noise,
            common=common,
            mean_solver=mean_solver,
            dual=dual,
            mean=mean,
            variance=variance,
            left=None if len(trend_root) else left,
            excess=excess,
        )

    @property
    def std(self) -> Floats:
        """Standard deviation of the noise-free target at every pixel, shape ``(N,)``."""
        return np.sqrt(self.variance)

    def measured_std(self, pixels: Indices) -> Floats:
        """Standard deviation of a measurement at some pixels, the kernel's noise included, shape ``(k,)``."""
        least = _LEAST_VARIANCE * self.prior.variance.max()
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
        solver = self.mean_solver
        if not np.array_equal(has_value, np.isfinite(self.values)):
            some = self.pixels[has_value], self.noise[has_value], self.common[has_value]
            solver = solver_given(self.prior, *some)
        S, trend = self.pixels[has_value], Trend.constant(n)
        return np.stack([_mean(self.prior, trend, S, y, solver)[0] for y in values[has_value].T], axis=1)

    def weights(self, pixel: int) -> Floats:
        """Weights of the measured pixels in the mean at `pixel`, shape ``(n_values,)``; 1 in sum for a constant.

        The mean there is ``offset[pixel] + weights @ (y - offset[S])``, y and S those of `measured`.
        """
        S, _ = self.measured
        H, basis = self.trend.basis[S], self.trend.basis[pixel]
        own = self.mean_solver.solve(self.prior.block(S, np.array([pixel]))[:, 0])
        weighted = self.dual[:, :-1]
        return np.asarray(own + weighted @ (np.linalg.pinv(H.T @ weighted) @ (basis - H.T @ own)))

    def condition(self, pixel: int, value: float, noise: float = 0.0) -> Self:
        """Return the posterior had `pixel` been measured as `value`: a rank-one change, O(N log N + m^2).

        The trend stays as it is, as it would for a value that is the predicted mean.
        """
        spread = len(self.trend_root) or self.common.shape[1]  # a pixel has to do with all others
        near = None if spread else self.prior.near_column(pixel, self.pixels, self.noise)
        if near is not None:
            return self._conditioned_near(*near, pixel, value, noise + self.prior.noise)
        apart = None if self.left is None else self.left.column(pixel)
        column, sources = self._column(pixel) if apart is None else (apart[0], None)
        noise += self.prior.noise
        std = self._std(float(column[pixel]), noise)
        gain = column / std
        if sources is not None:
            sources = Sources(sources.weights / std, sources.trend / std)
        left = None if self.left is None or apart is None else self.left.after(apart[1], std, noise)
        unmoved = value == self.mean[pixel]
        return replace(
            self,
            mean=self.mean if unmoved else self.mean + gain * ((value - self.mean[pixel]) / std),
            variance=np.maximum(self.variance - gain * gain, 0.0),
            fantasies=(*self.fantasies, Fantasy(pixel, gain, std, noise, sources=sources)),
            left=left,
        )

    def _conditioned_near(self, window: Window, column: Floats, pixel: int, value: float, noise: float) -> Self:
        """Change what is inside a window."""
        for fantasy in self.fantasies:
            fantasy.take_from(column, pixel, window)
        std = self._std(window.at(column, pixel), noise)
        gain, mean, variance = column / std, self.mean, self.variance.copy()
        part = window.of(variance)
        part[...] = np.maximum(part - gain * gain, 0.0)
        if value != mean[pixel]:
            mean = mean.copy()
            window.of(mean)[...] += gain * ((value - self.mean[pixel]) / std)
        fantasies = (*self.fantasies, Fantasy(pixel, gain, std, noise, window))
        return replace(self, mean=mean, variance=variance, fantasies=fantasies)

    def _std(self, variance: float, noise: float) -> float:
        return float(np.sqrt(max(variance + noise, _LEAST_VARIANCE * self.prior.variance.max())))

    def observe(
        self, pixels: Indices, values: Floats, noise: Floats | None = None, *, ahead: Foreseen | None = None
    ) -> Self:
        """Return the posterior after real measurements: the factors grow by rows, the mean is renewed.

        Parameters
        ----------
        pixels : ndarray of int, shape (k,)
        values : ndarray, shape (k,)
            NaN where the measurement failed.
        noise : ndarray, shape (k,), optional
            Variance of each value's noise, beside the kernel's.
        ahead : Foreseen, optional
            What this posterior, conditioned on fantasies of just these pixels, has `foreseen`: its variances are taken
            over. They are computed here where the pixels are others.
        """
        if self.fantasies:
            raise ValueError("GridPosterior.observe: take the posterior without fantasies, and what they foresee")
        noise = np.zeros(len(pixels)) if noise is None else noise
        if ahead is None or noise.any() or not np.array_equal(np.sort(ahead.pixels), np.sort(pixels)):
            ahead = self._foreseeing(pixels, noise)
        prior, has_value = self.prior, np.isfinite(values)
        solver = mean_solver = self.solver.extend(prior, self.pixels, pixels, noise)
        if not (has_value.all() and self.mean_solver is self.solver):
            mean_solver = self.mean_solver.extend(prior, self.measured[0], pixels[has_value], noise[has_value])
        grown = replace(
            self,
            pixels=np.concatenate([self.pixels, pixels]),
            values=np.concatenate([self.values, values]),
            noise=np.concatenate([self.noise, noise]),
            common=np.vstack([self.common, np.zeros((len(pixels), self.common.shape[1]))]),
            solver=solver,
            mean_solver=mean_solver,
            variance=ahead.variance,
            left=None,
        )
        if ahead.left is not None:
            grown = replace(grown, left=ahead.left.observed(grown.pixels, grown.noise))
        start = np.vstack([self.dual, np.zeros((int(has_value.sum()), self.dual.shape[1]))])
        mean, dual = _mean(prior, self.trend, *grown.measured, mean_solver, start)
        trend_root = self.trend.uncertainty(prior, grown.pixels, solver)
        return replace(grown, mean=mean, dual=dual, trend_root=trend_root)

    def _foreseeing(self, pixels: Indices, noise: Floats) -> Foreseen:
        ahead = self
        for pixel, extra in zip(pixels.tolist(), noise.tolist(), strict=True):
            ahead = ahead.condition(pixel, ahead.mean[pixel], extra)
        return ahead.foreseen

    @property
    def foreseen(self) -> Foreseen:
        """The pixels taken as measured, and the variance that they leave."""
        return Foreseen(self.fantasised, self.variance, self.left)

    @property
    def approximations(self) -> str:
        """Approximations made, in words for the record; empty: none."""
        nearest = f"variance from nearest pixels, up to {self.excess:.1e} too large" if self.excess > 0.0 else ""
        return "; ".join(part for part in (self.solver.notes, nearest) if part)

    @property
    def measured(self) -> tuple[Indices, Floats]:
        """Flat indices and values of the pixels that have a value."""
        has_value = np.isfinite(self.values)
        return self.pixels[has_value], self.values[has_value]

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one joint sample of the noise-free target at all pixels, shape ``(N,)``.

        A sample of the prior, corrected by the data (Matheron's rule; Wilson et al. 2020, arXiv:2002.09309, eq. 9).
        """
        return self.mean + error_of_a_draw(self, rng, self.noise, self.common)


def _mean(
    prior: Covariance, trend: Trend, S: Indices, y: Floats, solver: Solver, start: Floats | None = None
) -> tuple[Floats, Floats]:
    fitted = trend.estimate(S, y, solver, start)
    return np.asarray(trend.at(fitted.beta) + prior.dot(S, fitted.alpha)), fitted.dual
