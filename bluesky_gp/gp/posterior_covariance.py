r"""The covariance that is left between all pixels, given those measured and those taken as measured.

======  =====================================================  ===============
symbol  meaning                                                shape
======  =====================================================  ===============
N       pixels of the lattice                                  ()
S       flat indices of the pixels attempted                   (m,)
K       K_SS + noise                                           (m, m)
R       root of what an uncertain trend adds                   (N, q)
g       gain of each pixel taken as measured                   (N,)
======  =====================================================  ===============

.. math:: K_{NN} - K_{NS} K^{-1} K_{SN} + R R^T - \sum g g^T

Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eq. 2.26 and, for the trend, 2.42.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bluesky_gp.gp.common_solver import CommonSolver, with_common
from bluesky_gp.gp.fantasy import Fantasy, Sources
from bluesky_gp.gp.features_left import Nearest
from bluesky_gp.gp.interfaces import Covariance, Solver
from bluesky_gp.gp.tiles import tiled
from bluesky_gp.typing import Floats, Indices

_CHECKED = 3  # pixels at which a variance from nearest pixels is compared with the exact one
_LEAST_EXCESS = 1e-12  # relative; more than zero, which says that the variance is exact
_LEAST_VARIANCE = 1e-12  # relative to the prior's


@dataclass(frozen=True, kw_only=True)
class PosteriorCovariance:
    """Columns, blocks and products of the posterior covariance, of which nothing N x N is ever held."""

    prior: Covariance = field(repr=False)
    pixels: Indices  # (m,), S
    solver: Solver = field(repr=False)  # of all m
    trend_root: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)  # (N, q), R; (0, 0): none
    fantasies: tuple[Fantasy, ...] = ()

    def covariance_column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``: one FFT and O(m^2)."""
        return self._column(pixel)[0]

    def _column(self, pixel: int) -> tuple[Floats, Sources | None]:
        own = self.solver.solve(self.prior.block(self.pixels, np.array([pixel]))[:, 0], rough=True)
        sources = self._sources(pixel, own)
        if sources is None:
            return self._swept(pixel, own), None
        column = self.prior.dot(np.concatenate([self.pixels, self.fantasised, [pixel]]), sources.weights)
        if len(sources.trend):
            column += self.trend_root @ sources.trend
        return column, sources

    def _sources(self, pixel: int, own: Floats) -> Sources | None:
        """Return the sources of a pixel's column, its own the last; the weights in its prediction are `own`.

        Those of each fantasy before it are known, so that it takes no sweep over the lattice for each of them.
        """
        if not self.prior.quick:
            return None
        weights = np.concatenate([-own, np.zeros(len(self.fantasies)), [1.0]])
        trend = self.trend_root[pixel].copy() if len(self.trend_root) else np.empty(0)
        for fantasy in self.fantasies:
            if fantasy.sources is None:
                return None
            gain = fantasy.near[pixel]
            weights[: len(fantasy.sources.weights)] -= gain * fantasy.sources.weights
            trend -= gain * fantasy.sources.trend
        return Sources(weights, trend)

    def _swept(self, pixel: int, own: Floats) -> Floats:
        column = self.prior.column(pixel) - self.prior.dot(self.pixels, own)
        if len(self.trend_root):
            column += self.trend_root @ self.trend_root[pixel]
        for fantasy in self.fantasies:
            column -= fantasy.gain[pixel] * fantasy.gain
        return column

    def covariance(self, rows: Indices, columns: Indices) -> Floats:
        """Covariance of some pixels with others, shape ``(n_rows, n_columns)``: O(m^2 (n_rows + n_columns))."""
        return self._between(rows, columns, *self.solver.halves(self._cross(rows), self._cross(columns)))

    def covariance_tiles(self, pixels: Indices, num: int) -> Iterator[tuple[Indices, Floats]]:
        """Yield the covariance of some pixels in `num` tiles of rows, each from the diagonal on: nothing is held.

        Yields
        ------
        rows : ndarray of int, shape (r,)
            Places in `pixels`, in ascending order.
        block : ndarray, shape (r, n_pixels - rows[0])
        """
        cross = self._cross(pixels)
        left, right = self.solver.halves(cross, cross)
        for rows in np.array_split(np.arange(len(pixels)), min(num, len(pixels))):
            onward = slice(rows[0], None)
            yield rows, self._between(pixels[rows], pixels[onward], left[:, rows], right[:, onward])

    def product(self, field: Floats) -> Floats:
        """Covariance of all pixels with all, times a field of shape ``(N,)``: two FFTs and O(m^2)."""
        prior = self.prior.dot(np.arange(len(field)), field)
        result = prior - self.prior.dot(self.pixels, self.solver.solve(prior[self.pixels], rough=True))
        if len(self.trend_root):
            result += self.trend_root @ (self.trend_root.T @ field)
        for fantasy in self.fantasies:
            result -= fantasy.gain * (fantasy.gain @ field)
        return np.asarray(result)

    def difference_variance(self, left: Indices, right: Indices) -> Floats:
        """Variance of what each pixel of `left` has more than that of `right` in its place, ``(k,)``: O(k m^2)."""
        prior = self.prior
        variance = prior.variance[left] + prior.variance[right] - 2.0 * prior.pairs(left, right)
        for tile in tiled(len(left), len(self.pixels)):
            variance[tile] -= self.solver.reduce(self._cross(left[tile]) - self._cross(right[tile]))
        if len(self.trend_root):
            variance += np.square(self.trend_root[left] - self.trend_root[right]).sum(axis=1)
        for fantasy in self.fantasies:
            variance -= (fantasy.gain[left] - fantasy.gain[right]) ** 2
        return np.asarray(np.maximum(variance, 0.0))

    @property
    def fantasised(self) -> Indices:
        """Flat indices of the pixels taken as measured, shape ``(k,)``."""
        return np.array([fantasy.pixel for fantasy in self.fantasies], dtype=np.intp)

    def _cross(self, pixels: Indices) -> Floats:
        return self.prior.block(self.pixels, pixels)

    def _between(self, rows: Indices, columns: Indices, left: Floats, right: Floats) -> Floats:
        block = self.prior.block(rows, columns)
        block -= left.T @ right
        if len(self.trend_root):
            block += self.trend_root[rows] @ self.trend_root[columns].T
        for fantasy in self.fantasies:
            block -= np.outer(fantasy.gain[rows], fantasy.gain[columns])
        return np.asarray(block)


def variance_given(
    prior: Covariance, S: Indices, noise: Floats, solver: Solver, *, exact: bool
) -> tuple[Nearest, float]:
    """Variance of all pixels, and its largest relative excess over the exact one at a few of them; 0: it is exact."""
    n = len(prior.variance)
    nearest = None if exact else prior.nearest_variance(S, noise)
    if nearest is None:
        return Nearest(np.concatenate([_exact(prior, S, solver, tile) for tile in tiled(n, len(S))])), 0.0
    nearest = with_common(nearest, prior, S, noise, solver)
    near = nearest.variance
    some = np.random.default_rng(len(S)).choice(n, _CHECKED, replace=False)
    least = _LEAST_VARIANCE * prior.variance[some]
    excess = near[some] / np.maximum(_at_a_few(prior, S, noise, solver, some), least) - 1.0
    return nearest, max(float(excess.max()), _LEAST_EXCESS)


def _at_a_few(prior: Covariance, S: Indices, noise: Floats, solver: Solver, pixels: Indices) -> Floats:
    """Variance at some pixels; given all measured ones that have to do with each, where that is known for less."""
    by_window = prior.quick and not isinstance(solver, CommonSolver)
    near = [prior.near_column(pixel, S, noise) for pixel in pixels.tolist()] if by_window else []
    known = [each[0].at(each[1], pixel) for each, pixel in zip(near, pixels.tolist(), strict=False) if each is not None]
    if len(known) == len(pixels):
        return np.array(known)
    return _exact(prior, S, solver, pixels)


def _exact(prior: Covariance, S: Indices, solver: Solver, pixels: Indices) -> Floats:
    reduction = solver.reduce(prior.block(S, pixels))
    return np.asarray(np.maximum(prior.variance[pixels] - reduction, 0.0))
