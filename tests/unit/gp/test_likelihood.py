import numpy as np
import pytest
from gp_problems import COVARIANCES, FITTED, fit_problem, likelihood_of, problems
from hypothesis import given
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.likelihood import Evidence
from bluesky_gp.gp.trend import Trend
from bluesky_gp.grid import PixelGrid


@pytest.mark.parametrize("of_kind", COVARIANCES)
@given(problem=problems())
def test_the_likelihood_and_its_gradient_are_those_of_scikit_learn(of_kind, problem):
    truth, gradient = problem.referee().log_marginal_likelihood(problem.kernel.theta, eval_gradient=True)
    prior = of_kind.of(problem.kernel, problem.grid)
    found = likelihood_of(prior, problem.trend, problem.pixels, problem.values, problem.noise)
    assert found.value == pytest.approx(truth, rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(found.gradient, gradient, rtol=1e-8, atol=1e-9 * (1.0 + np.abs(gradient).max()))


def test_of_a_kernel_that_is_not_stationary_they_are_those_of_scikit_learn():
    problem, grid = fit_problem(DotProduct(2.0) + RBF(2.0) + WhiteKernel(0.1), trend=Trend.known(np.zeros(81)))
    referee = GaussianProcessRegressor(problem.covariance.kernel, alpha=0.0, optimizer=None)
    referee.fit(grid.coordinates[problem.S], problem.y)
    truth, gradient = referee.log_marginal_likelihood(problem.covariance.kernel.theta, eval_gradient=True)
    value, by_theta = problem.objective(problem.covariance.kernel.theta)
    assert -value == pytest.approx(truth)
    np.testing.assert_allclose(-by_theta, gradient, rtol=1e-9)


@pytest.mark.parametrize("of_kind", COVARIANCES)
@given(problem=problems(min_pixels=2))
def test_with_an_estimated_trend_the_gradient_agrees_with_finite_differences(of_kind, problem):
    prior, trend = of_kind.of(problem.kernel, problem.grid), Trend.constant(problem.grid.size)

    def likelihood(theta):
        return likelihood_of(prior.with_theta(theta), trend, problem.pixels, problem.values, problem.noise)

    theta, steps = problem.kernel.theta, 1e-5 * np.eye(len(problem.kernel.theta))
    numeric = [(likelihood(theta + step).value - likelihood(theta - step).value) / 2e-5 for step in steps]
    gradient = likelihood(theta).gradient
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6 * (1.0 + np.abs(gradient).max()))


def test_the_average_information_is_on_average_what_is_expected_and_the_curvature_at_the_truth():
    r"""Of values that the kernel makes: :math:`\tfrac12 tr(K^{-1} K_i K^{-1} K_j)`."""
    rng, grid, m = np.random.default_rng(0), PixelGrid((12, 12)), 60
    prior, S, trend = covariance_of(FITTED, grid), rng.choice(144, m, replace=False), Trend.known(np.zeros(144))
    pairs = prior.among(S)
    K = pairs.matrix(FITTED)
    by_theta = FITTED(grid.coordinates[S], eval_gradient=True)[1]
    weighted = np.linalg.solve(K, by_theta.transpose(2, 0, 1))
    expected = 0.5 * np.einsum("aij,bji->ab", weighted, weighted)
    root, found = np.linalg.cholesky(K), []
    for _ in range(400):
        y = root @ rng.standard_normal(m)
        found.append(Evidence.of(FITTED, pairs, trend, S, y, np.zeros(m)).information)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(np.mean(found, axis=0) / scale, expected / scale, atol=0.1)
    assert all(np.linalg.eigvalsh(each)[0] > -1e-9 for each in found)
