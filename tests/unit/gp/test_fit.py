import numpy as np
import pytest
from gp_problems import FITTED, fit_problem, likelihood_of
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, ExpSineSquared, WhiteKernel

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.fit import FitProblem
from bluesky_gp.gp.kernel_choice import KernelChoice
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.gp.trend import Trend
from bluesky_gp.grid import PixelGrid


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("shape", [(60,), (9, 9), (4, 5, 4), (1, 60)])
def test_a_fit_stays_within_bounds_and_is_never_worse_than_where_it_starts(shape, seed):
    choice = KernelChoice.default(shape)
    problem, _ = fit_problem(choice.kernel, shape, prior=choice.prior, seed=seed)
    for starts in ([choice.kernel.theta], [choice.kernel.theta, *choice.starts]):
        fit = problem.solve(starts)
        lower, upper = choice.kernel.bounds.T
        assert np.all((lower <= fit.theta) & (fit.theta <= upper))
        assert problem.objective(fit.theta)[0] <= min(problem.objective(start)[0] for start in starts)
        likelihood = -problem.objective(fit.theta)[0] - choice.prior.log_density(fit.theta)[0]
        assert fit.log_marginal_likelihood == pytest.approx(likelihood)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(3))
def test_a_fit_is_as_good_as_that_of_scikit_learn(seed):
    problem, grid = fit_problem(seed=seed, trend=Trend.known(np.zeros(81)))
    fit = problem.solve([FITTED.theta])
    referee = GaussianProcessRegressor(FITTED, alpha=0.0).fit(grid.coordinates[problem.S], problem.y)
    assert fit.log_marginal_likelihood > referee.log_marginal_likelihood_value_ - 1e-3


def test_a_fit_finds_the_hyperparameters_that_made_the_values():
    grid = PixelGrid((40, 40))
    kernel = ConstantKernel(4.0) * RotatedMatern((6.0, 3.0), 2.5, (0.7, 60.0)) + WhiteKernel(0.05)
    truth, rng = covariance_of(kernel, grid), np.random.default_rng(0)
    pixels = rng.choice(grid.size, 300, replace=False)
    y = truth.sample(rng)[pixels] + np.sqrt(0.05) * rng.standard_normal(300)
    problem = FitProblem(truth, None, Trend.constant(grid.size), pixels, y, np.zeros(300))
    fit = problem.solve([kernel.theta + [1.0, 0.5, -0.5, -1.0, 1.0]])
    np.testing.assert_allclose(fit.theta, kernel.theta, atol=0.5)


def test_a_start_outside_the_bounds_is_brought_inside():
    problem, _ = fit_problem()
    fit = problem.solve([FITTED.theta + 100.0, FITTED.theta - 100.0])
    assert np.all((FITTED.bounds[:, 0] <= fit.theta) & (fit.theta <= FITTED.bounds[:, 1]))


def test_a_fit_may_end_at_its_bounds_without_a_warning():
    problem, _ = fit_problem(RBF(1.0, (0.9, 1.1)) + WhiteKernel(1e-3, (1e-3, 2e-3)))
    np.testing.assert_allclose(problem.solve([problem.covariance.kernel.theta]).theta, np.log([1.1, 1e-3]))


def test_a_kernel_without_free_hyperparameters_stays_as_it_is():
    problem, _ = fit_problem(RBF(2.0, "fixed") + WhiteKernel(0.1, "fixed"))
    fit = problem.solve([np.empty(0)])
    assert fit.theta.shape == (0,)
    truth = likelihood_of(problem.covariance, problem.trend, problem.S, problem.y, problem.noise)
    assert fit.log_marginal_likelihood == pytest.approx(truth.value)


def test_fixed_hyperparameters_stay_fixed():
    problem, _ = fit_problem(ConstantKernel(1.0) * RBF(2.0, "fixed") + WhiteKernel(0.1))
    fit = problem.solve([problem.covariance.kernel.theta])
    assert problem.covariance.with_theta(fit.theta).kernel.k1.k2.length_scale == 2.0


def test_noise_known_for_each_value_is_not_learnt_again():
    problem, _ = fit_problem(RBF(2.0) + WhiteKernel(1e-3, (1e-8, 1.0)), m=60)
    learnt = problem.solve([problem.covariance.kernel.theta]).theta[-1]
    known = FitProblem(problem.covariance, None, problem.trend, problem.S, problem.y, np.full(60, 0.04))
    assert known.solve([problem.covariance.kernel.theta]).theta[-1] < learnt - 1.0


def test_where_the_covariance_breaks_down_the_objective_is_large_and_flat():
    problem, _ = fit_problem(ExpSineSquared(1.0, 5.0))  # of one axis: of two it is not positive definite
    value, gradient = problem.objective(problem.covariance.kernel.theta)
    assert value == 1e25
    np.testing.assert_array_equal(gradient, 0.0)


@pytest.mark.parametrize("values", [np.zeros(40), np.arange(40) * 1e-3, np.where(np.arange(40), 0.0, 6.0)])
def test_values_without_structure_are_fitted_without_a_warning(values):
    choice = KernelChoice.default((9, 9))
    problem, _ = fit_problem(choice.kernel, prior=choice.prior, values=values)
    assert np.isfinite(problem.solve([choice.kernel.theta, *choice.starts]).theta).all()
