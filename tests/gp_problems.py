"""Random Gaussian-process problems, and what scikit-learn, the referee, makes of them."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    ExpSineSquared,
    Kernel,
    Matern,
    NormalizedKernelMixin,
    RationalQuadratic,
    StationaryKernelMixin,
    WhiteKernel,
)

from bluesky_gp.gp import (
    DenseCovariance,
    FitProblem,
    GridPosterior,
    LatticeCovariance,
    RotatedMatern,
    Trend,
    covariance_of,
    log_marginal_likelihood,
)
from bluesky_gp.grid import PixelGrid

COVARIANCES = (LatticeCovariance, DenseCovariance)


class Triangle(StationaryKernelMixin, NormalizedKernelMixin, Kernel):
    """A user's kernel, unknown here and without hyperparameters."""

    def __init__(self):
        pass

    def __call__(self, X, Y=None, eval_gradient=False):
        K = np.maximum(1.0 - np.abs(X[:, None, 0] - (X if Y is None else Y)[None, :, 0]) / 3.0, 0.0)
        return (K, np.empty((*K.shape, 0))) if eval_gradient else K


STATIONARY = [
    RBF(3.0),
    RBF([3.0, 1.5]),
    RBF(3.0, "fixed"),
    *[Matern(2.0, nu=nu) for nu in (0.5, 1.5, 2.5, 1.3, np.inf)],
    *[Matern([2.0, 4.0], nu=nu) for nu in (0.5, 1.5, 2.5, np.inf)],
    Matern([2.0, 4.0], "fixed", nu=1.5),
    RationalQuadratic(2.0, 0.7),
    RationalQuadratic(2.0, 0.7, alpha_bounds="fixed"),
    RationalQuadratic(2.0, 0.7, length_scale_bounds="fixed"),
    RationalQuadratic(2.0, 0.7, length_scale_bounds="fixed", alpha_bounds="fixed"),
    RotatedMatern((3.0, 5.0), 2.0),
    RotatedMatern((3.0, 5.0), 2.0, skew_bounds="fixed"),
    RotatedMatern((3.0, 5.0), 2.0, length_scale_bounds="fixed"),
    RotatedMatern((3.0, 5.0), 2.0, "fixed", "fixed"),
    RotatedMatern((3.0, 5.0), 2.0, roughness=0.3),
    RotatedMatern((3.0, 5.0), 2.0, roughness=0.3, roughness_bounds=(1e-3, 10.0)),
    ConstantKernel(2.0),
    ConstantKernel(2.0, "fixed") * RBF(2.0),
    ConstantKernel(2.0) * Matern([2.0, 4.0], nu=2.5) + WhiteKernel(0.1),
    RBF(2.0) * RationalQuadratic(3.0, 1.2) + ConstantKernel(0.5) * RotatedMatern(),
    (ConstantKernel(0.5) + RBF(2.0)) ** 2.0,
    RBF(2.0) + WhiteKernel(0.1, "fixed"),
    ExpSineSquared(2.0, 5.0),
    Triangle(),
]

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
        return GridPosterior.fit(
            of_kind.of(self.kernel, self.grid),
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


def some_lags(count=150):
    lags = np.random.default_rng(0).integers(-9, 10, (count, 2)).astype(float)
    lags[0] = 0.0
    return lags


FITTED = ConstantKernel(1.0, (1e-2, 1e2)) * Matern([3.0, 3.0], (0.5, 30.0), nu=2.5) + WhiteKernel(0.1, (1e-4, 10.0))


def likelihood_of(prior, trend, S, y, noise):
    return log_marginal_likelihood(prior.kernel, prior.among(S), trend, S, y, noise)


def fit_problem(kernel=FITTED, shape=(9, 9), m=40, prior=None, seed=0, trend=None, values=None):
    rng, grid = np.random.default_rng(seed), PixelGrid(shape)
    pixels = rng.choice(grid.size, m, replace=False)
    rows = grid.coordinates[pixels]
    wave = np.sin(rows[:, 0] / 2.0) + 0.2 * rng.standard_normal(m)
    y = wave if values is None else values
    trend = Trend.constant(grid.size) if trend is None else trend
    return FitProblem(covariance_of(kernel, grid), prior, trend, pixels, y, np.zeros(m)), grid


def measured(kernel, shape=(11, 8), m=25, noise=1e-6, seed=0):
    rng, grid = np.random.default_rng(seed), PixelGrid(shape)
    pixels = rng.choice(grid.size, m, replace=False)
    return Problem(grid, kernel, pixels, rng.standard_normal(m), np.full(m, noise))


def all_covariance(posterior):
    return np.stack([posterior.covariance_column(pixel) for pixel in range(len(posterior.mean))])


def assert_same(one, other, tolerance=1e-9):
    scale = 1.0 + np.abs(other.mean).max()
    np.testing.assert_allclose(one.mean, other.mean, rtol=tolerance, atol=tolerance * scale)
    np.testing.assert_allclose(one.variance, other.variance, atol=tolerance * other.prior.variance.max())
    np.testing.assert_allclose(
        all_covariance(one), all_covariance(other), atol=tolerance * other.prior.variance.max(), rtol=tolerance
    )
