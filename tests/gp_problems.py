"""Random Gaussian-process problems, and what scikit-learn, the referee, makes of them."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Matern, RationalQuadratic, WhiteKernel

from bluesky_gp.gp import DensePosterior, LatticePosterior, RotatedMatern, Trend
from bluesky_gp.grid import PixelGrid

POSTERIORS = (LatticePosterior, DensePosterior)

_SIDES = {1: (1, 40), 2: (1, 9), 3: (1, 4)}


@dataclass(frozen=True)
class Problem:
    """Some pixels of a lattice, measured; a prior mean of zero, as scikit-learn's."""

    grid: PixelGrid
    kernel: Kernel
    pixels: np.ndarray
    values: np.ndarray
    noise: np.ndarray

    @property
    def points(self):
        return self.grid.coordinates[self.pixels]

    @property
    def trend(self):
        return Trend.known(np.zeros(self.grid.size))

    def posterior(self, of_kind, **changes):
        return of_kind.fit(
            of_kind._covariance.of(self.kernel, self.grid),
            changes.get("pixels", self.pixels),
            changes.get("values", self.values),
            noise=changes.get("noise", self.noise),
            trend=changes.get("trend", self.trend),
        )

    def referee(self):
        regressor = GaussianProcessRegressor(self.kernel, alpha=self.noise, optimizer=None)
        return regressor.fit(self.points, self.values)

    def truth(self):
        """Mean and covariance of the noise-free target at all pixels; scikit-learn's covariance has the noise in it."""
        mean, covariance = self.referee().predict(self.grid.coordinates, return_cov=True)
        origin = np.zeros((1, self.grid.ndim))
        white = self.kernel.diag(origin)[0] - self.kernel(origin, origin)[0, 0]
        return mean, covariance - white * np.eye(self.grid.size)


def grids():
    return st.integers(1, 3).flatmap(lambda n: st.tuples(*[st.integers(*_SIDES[n])] * n)).map(PixelGrid)


@st.composite
def masked_grids(draw):
    grid = draw(grids())
    mask = np.random.default_rng(draw(st.integers(0, 99))).random(grid.shape) < 0.3
    mask.flat[draw(st.integers(0, grid.size - 1))] = False
    return PixelGrid(grid.shape, mask=mask)


def _length():
    return st.floats(0.5, 20.0)


@st.composite
def correlations(draw, ndim):
    """One correlation function: isotropic or not."""
    length = draw(st.one_of(_length(), st.lists(_length(), min_size=ndim, max_size=ndim)))
    kinds = [RBF(length), *[Matern(length, nu=nu) for nu in (0.5, 1.5, 2.5)]]
    kinds.append(RationalQuadratic(draw(_length()), draw(st.floats(0.2, 5.0))))
    if ndim == 2:
        kinds.append(RotatedMatern((draw(_length()), draw(_length())), draw(st.floats(0.1, 10.0))))
    return draw(st.sampled_from(kinds))


@st.composite
def kernels(draw, ndim):
    """Sums and products, with noise."""
    amplitude = ConstantKernel(draw(st.floats(0.1, 5.0)))
    first, second = draw(correlations(ndim)), draw(correlations(ndim))
    kernel = draw(st.sampled_from([first, amplitude * first, first + amplitude * second, amplitude * first * second]))
    return kernel + WhiteKernel(draw(st.floats(1e-3, 1.0)))


@st.composite
def problems(draw, min_pixels=1, max_pixels=20, unique=False):
    grid = draw(masked_grids())
    allowed = np.flatnonzero(grid.allowed)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    size = draw(st.integers(min_pixels, max_pixels))
    pixels = rng.choice(allowed, min(size, len(allowed)) if unique else size, replace=not unique)
    noise = draw(st.sampled_from([0.0, 0.5])) * rng.random(len(pixels))
    return Problem(grid, draw(kernels(grid.ndim)), pixels, 3.0 * rng.standard_normal(len(pixels)), noise)
