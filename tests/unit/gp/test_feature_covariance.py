"""A lattice's covariance plus features: what the dense way gives, and scikit-learn."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Kernel, Sum, WhiteKernel

from bluesky_gp.gp import FeatureCovariance, FeatureKernel, GridPosterior, RotatedMatern, Trend, covariance_of
from bluesky_gp.gp.fit import FitProblem
from bluesky_gp.gp.iterative import IterativeSolver
from bluesky_gp.grid import PixelGrid

GRID = PixelGrid((7, 9))
LATTICE = ConstantKernel(0.5) * RotatedMatern((3.0, 2.0), 1.5, roughness=0.2) + WhiteKernel(0.05)
FEATURES = FeatureKernel((0.4, 0.1), (3, 2))


class WithFeatures(Kernel):
    """The same for scikit-learn: rows are pixel coordinates, then features."""

    def __init__(self, lattice, features):
        self.lattice = lattice
        self.features = features

    def __call__(self, X, Y=None, eval_gradient=False):
        if Y is None:
            return self.lattice(X[:, :2]) + self.features(X[:, 2:])
        return self.lattice(X[:, :2], Y[:, :2]) + self.features(X[:, 2:], Y[:, 2:])

    def diag(self, X):
        return self.lattice.diag(X[:, :2]) + self.features.diag(X[:, 2:])

    def is_stationary(self):
        return False


@pytest.fixture
def U():
    return np.random.default_rng(1).standard_normal((GRID.size, 5))


@pytest.fixture
def covariance(U):
    return FeatureCovariance.of(covariance_of(LATTICE, GRID), FEATURES, U)


@pytest.fixture
def dense(U):
    return covariance_of(LATTICE, GRID).block(*[np.arange(GRID.size)] * 2) + FEATURES(U)


def measured(num=25, seed=0):
    rng = np.random.default_rng(seed)
    return rng.choice(GRID.size, num, replace=False), rng.standard_normal(num)


def test_blocks_columns_pairs_and_products_are_those_of_the_whole_matrix(covariance, dense):
    S, weights = measured()
    np.testing.assert_allclose(covariance.block(S, S[:4]), dense[np.ix_(S, S[:4])], rtol=1e-12)
    np.testing.assert_allclose(covariance.column(11), dense[:, 11], rtol=1e-12)
    np.testing.assert_allclose(covariance.pairs(S[:, None], S[:3]), dense[np.ix_(S, S[:3])], rtol=1e-12)
    np.testing.assert_allclose(covariance.variance, np.diagonal(dense), rtol=1e-12)
    np.testing.assert_allclose(covariance.dot(S, weights), dense[:, S] @ weights, atol=1e-12)


def test_eigenvalues_of_the_features_add_up_to_their_mean_variance(covariance):
    added = np.dot(*covariance.eigenvalues) - np.dot(*covariance.base.eigenvalues)
    assert added == pytest.approx((covariance.variance - covariance.base.variance).mean())


def test_samples_have_the_covariance(covariance, dense):
    rng, n = np.random.default_rng(0), 4000
    samples = np.stack([covariance.sample(rng) for _ in range(n)])
    standard = np.sqrt((np.outer(dense.diagonal(), dense.diagonal()) + dense**2) / n)
    assert (np.abs(samples.T @ samples / n - dense) / standard).max() < 5.0


@pytest.mark.parametrize("features", [FEATURES, FeatureKernel(0.3, (5,)), FeatureKernel((0.4, 0.1), (3, 2), "fixed")])
def test_the_gradient_of_the_likelihood_is_its_derivative(features, U):
    covariance = FeatureCovariance.of(covariance_of(LATTICE, GRID), features, U)
    S, y = measured()
    problem = FitProblem(covariance, None, Trend.constant(GRID.size), S, y, np.full(25, 0.01))
    theta = covariance.kernel.theta
    error = check_grad(lambda t: problem.objective(t)[0], lambda t: problem.objective(t)[1], theta, epsilon=1e-6)
    assert error < 1e-3 * np.linalg.norm(problem.objective(theta)[1])


def test_the_posterior_is_that_of_scikit_learn_with_a_dense_kernel(covariance, U):
    S, y = measured()
    X = np.column_stack([GRID.coordinates, U])
    referee = GaussianProcessRegressor(WithFeatures(LATTICE, FEATURES), alpha=0.0, optimizer=None).fit(X[S], y)
    mean, std = referee.predict(X, return_std=True)
    posterior = GridPosterior.fit(covariance, S, y, trend=Trend.known(np.zeros(GRID.size)))
    np.testing.assert_allclose(posterior.mean, mean, atol=1e-10)
    np.testing.assert_allclose(posterior.variance + covariance.noise, std**2, atol=1e-10)
    more = posterior.observe(np.array([3, 4]), np.array([0.5, np.nan]))
    again = GridPosterior.fit(covariance, np.append(S, [3, 4]), np.append(y, [0.5, np.nan]), trend=posterior.trend)
    np.testing.assert_allclose(more.mean, again.mean, atol=1e-10)
    np.testing.assert_allclose(more.variance, again.variance, atol=1e-10)


def test_the_kernel_and_its_gradient_are_as_scikit_learn_wants_them(U):
    K, gradient = FEATURES(U, eval_gradient=True)
    np.testing.assert_allclose(K, FEATURES(U, U))
    np.testing.assert_allclose(gradient.sum(axis=-1), K)  # by the logarithms of factors that K is linear in
    np.testing.assert_allclose(FEATURES.diag(U), np.diagonal(K))
    step = FEATURES.clone_with_theta(FEATURES.theta + [0.0, 1e-6])(U)
    np.testing.assert_allclose((step - K) / 1e-6, gradient[..., 1], atol=1e-4)


def test_a_group_that_is_switched_off_costs_nothing(U):
    off = FeatureCovariance.of(covariance_of(LATTICE, GRID), FeatureKernel((0.4, 1e-6), (3, 2)), U)
    assert off.V.shape == (GRID.size, 3)


def test_a_column_is_that_near_its_pixel_where_no_group_is_used(monkeypatch):
    monkeypatch.setattr("bluesky_gp.gp.lattice_covariance.EXACT", 0)
    grid = PixelGrid((32, 32))
    base = covariance_of(ConstantKernel(0.5) * RBF(1.0) + WhiteKernel(0.05), grid)
    S, noise = np.arange(0, grid.size, 50), np.zeros(21)
    off, on = (FeatureCovariance.of(base, FeatureKernel((a,), (1,)), np.ones((grid.size, 1))) for a in (1e-6, 0.4))
    window, column = base.near_column(500, S, noise)
    same_window, same_column = off.near_column(500, S, noise)
    assert same_window == window and on.near_column(500, S, noise) is None
    np.testing.assert_array_equal(same_column, column)


def test_features_go_with_a_kernel_that_has_no_lags(U):
    kernel = DotProduct(1.0) + RBF(2.0) + WhiteKernel(0.1)
    covariance = FeatureCovariance.of(covariance_of(kernel, GRID), FEATURES, U)
    S, y = measured()
    assert isinstance(covariance.kernel, Sum) and covariance.eigenvalues is None
    assert np.isfinite(GridPosterior.fit(covariance, S, y).mean).all()


def test_the_solver_by_iteration_solves_the_same(covariance, dense):
    S, y = measured(40)
    iterative = IterativeSolver.build(covariance, S, np.full(40, covariance.noise))
    K = dense[np.ix_(S, S)] + covariance.noise * np.eye(40)
    np.testing.assert_allclose(iterative.solve(y), np.linalg.solve(K, y), rtol=1e-6)


def test_the_variance_from_nearest_pixels_is_the_exact_one_where_all_are_near(monkeypatch, covariance):
    S, y = measured(40)
    exact = GridPosterior.fit(covariance, S, y, exact=True).variance
    monkeypatch.setattr("bluesky_gp.gp.lattice_covariance.EXACT", 0)
    near = covariance.nearest_variance(S, np.zeros(40)).variance
    np.testing.assert_allclose(near, exact, rtol=1e-5, atol=1e-8)


def test_the_product_with_the_derivative_of_the_covariance_agrees_with_finite_differences(covariance):
    S, v = measured()
    kernel, pairs = covariance.kernel, covariance.among(S)

    def product(theta):
        K = np.tril(pairs.matrix(kernel.clone_with_theta(theta)))
        return (K + np.tril(K, -1).T) @ v

    steps = 1e-5 * np.eye(len(kernel.theta))
    numeric = np.stack([product(kernel.theta + step) - product(kernel.theta - step) for step in steps], axis=1) / 2e-5
    np.testing.assert_allclose(pairs.times(kernel, v), numeric, atol=1e-7)
