import numpy as np
import pytest
from gp_problems import POSTERIORS, problems
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, ExpSineSquared, Matern, WhiteKernel

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.hyperparameters import (
    FitProblem,
    KernelChoice,
    LinearPrior,
    log_marginal_likelihood,
    refit_due,
    starts_for,
)
from bluesky_gp.gp.kernels import RotatedMatern, theta_names
from bluesky_gp.gp.trend import Trend
from bluesky_gp.grid import PixelGrid

KERNEL = ConstantKernel(1.0, (1e-2, 1e2)) * Matern([3.0, 3.0], (0.5, 30.0), nu=2.5) + WhiteKernel(0.1, (1e-4, 10.0))


def likelihood_of(prior, trend, S, y, noise):
    return log_marginal_likelihood(prior.kernel, prior.among(S), trend, S, y, noise)


def fit_problem(kernel=KERNEL, shape=(9, 9), m=40, prior=None, seed=0, trend=None, values=None):
    rng, grid = np.random.default_rng(seed), PixelGrid(shape)
    pixels = rng.choice(grid.size, m, replace=False)
    rows = grid.coordinates[pixels]
    wave = np.sin(rows[:, 0] / 2.0) + 0.2 * rng.standard_normal(m)
    y = wave if values is None else values
    trend = Trend.constant(grid.size) if trend is None else trend
    return FitProblem(covariance_of(kernel, grid), prior, trend, pixels, y, np.zeros(m)), grid


@pytest.mark.parametrize("of_kind", POSTERIORS)
@given(problem=problems())
def test_the_likelihood_and_its_gradient_are_those_of_scikit_learn(of_kind, problem):
    truth, gradient = problem.referee().log_marginal_likelihood(problem.kernel.theta, eval_gradient=True)
    prior = of_kind._covariance.of(problem.kernel, problem.grid)
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


@pytest.mark.parametrize("of_kind", POSTERIORS)
@given(problem=problems(min_pixels=2))
def test_with_an_estimated_trend_the_gradient_agrees_with_finite_differences(of_kind, problem):
    prior, trend = of_kind._covariance.of(problem.kernel, problem.grid), Trend.constant(problem.grid.size)

    def likelihood(theta):
        return likelihood_of(prior.with_theta(theta), trend, problem.pixels, problem.values, problem.noise)

    theta, steps = problem.kernel.theta, 1e-5 * np.eye(len(problem.kernel.theta))
    numeric = [(likelihood(theta + step).value - likelihood(theta - step).value) / 2e-5 for step in steps]
    gradient = likelihood(theta).gradient
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6 * (1.0 + np.abs(gradient).max()))


@given(st.integers(0, 99))
def test_a_linear_prior_is_a_product_of_normal_densities(seed):
    rng = np.random.default_rng(seed)
    prior = LinearPrior(rng.standard_normal((2, 3)), rng.standard_normal(2), np.array([0.5, 2.0]))
    one, other = rng.standard_normal((2, 3))
    z = (prior.A @ np.stack([one, other]).T - prior.mean[:, None]) / prior.std[:, None]
    difference = prior.log_density(one)[0] - prior.log_density(other)[0]
    assert difference == pytest.approx(-0.5 * np.sum(z[:, 0] ** 2 - z[:, 1] ** 2))
    numeric = [(prior.log_density(one + h)[0] - prior.log_density(one - h)[0]) / 2e-5 for h in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(prior.log_density(one)[1], numeric, rtol=1e-7, atol=1e-7)


# -- the default -----------------------------------------------------------------------------------------------------


SHAPES = [(50,), (1,), (50, 50), (1, 1), (1, 60), (3, 200), (10, 12, 8), (1, 5, 5), (1, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_default_kernel_fits_its_grid_and_starts_within_its_bounds(shape):
    choice = KernelChoice.default(shape)
    prior = covariance_of(choice.kernel, PixelGrid(shape))
    lower, upper = choice.kernel.bounds.T
    for start in (choice.kernel.theta, *choice.starts):
        assert start.shape == choice.kernel.theta.shape
        assert np.all((lower <= start) & (start <= upper))
    assert choice.prior.A.shape[1] == len(choice.kernel.theta)
    assert np.linalg.matrix_rank(choice.prior.A) == len(choice.prior.A)
    assert np.isfinite(prior.with_theta(choice.starts[0]).table).all()


def test_the_default_prior_says_what_it_believes():
    choice = KernelChoice.default((50, 50))
    names = theta_names(choice.kernel)
    assert names == [
        "k1__k1__constant_value",
        "k1__k2__length_scale[0]",
        "k1__k2__length_scale[1]",
        "k1__k2__roughness",
        "k1__k2__skew",
        "k2__noise_level",
    ]
    ratio, spread = np.exp(choice.prior.mean[-1]), choice.prior.std[-1]  # of noise and amplitude, whatever that is
    assert 0.005 < ratio < 0.05
    believed = np.log([2.0, 6.0, 6.0, 0.05, 1.0, 2.0 * ratio])
    assert choice.prior.log_density(believed)[0] == pytest.approx(0.0, abs=1e-12)
    for places, deviation in (([1, 2], 1.0), ([3], 2.0), ([4], 0.7), ([5], spread), ([0, 5], 0.0)):
        away = believed.copy()
        away[places] += 1.0
        density = -0.5 / deviation**2 if deviation else 0.0
        assert choice.prior.log_density(away)[0] == pytest.approx(density, abs=1e-12)
    stretched = believed + [0.0, 0.35, -0.35, 0.0, 0.0, 0.0]  # one standard deviation of the ratio
    assert choice.prior.log_density(stretched)[0] == pytest.approx(-0.5)


# -- the fit ---------------------------------------------------------------------------------------------------------


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
    fit = problem.solve([KERNEL.theta])
    referee = GaussianProcessRegressor(KERNEL, alpha=0.0).fit(grid.coordinates[problem.S], problem.y)
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
    fit = problem.solve([KERNEL.theta + 100.0, KERNEL.theta - 100.0])
    assert np.all((KERNEL.bounds[:, 0] <= fit.theta) & (fit.theta <= KERNEL.bounds[:, 1]))


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


# -- when and from where ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_measured", "n_fitted", "due"),
    [(1, 0, True), (10, 10, False), (150, 140, True), (160, 150, False), (170, 150, True), (290, 250, True)]
    + [(280, 250, False), (600, 570, False), (500, 0, True)],
)
def test_fits_come_with_every_batch_while_there_are_few_pixels_then_more_rarely(n_measured, n_fitted, due):
    assert refit_due(n_measured, n_fitted) is due


@pytest.mark.parametrize(
    ("n_measured", "n_fitted", "places"),
    [(10, 0, "all"), (60, 50, "all"), (70, 60, "last"), (80, 70, "first"), (85, 79, "first"), (90, 80, "last")]
    + [(210, 190, "first"), (400, 360, "last")],
)
def test_few_pixels_may_mislead_a_fit_so_it_starts_elsewhere_too(n_measured, n_fitted, places):
    choice, last = KernelChoice.default((50, 50)), np.zeros(5)
    starts = starts_for(choice, last, n_measured, n_fitted)
    assert starts[0] is last
    assert len(starts) == {"all": 1 + len(choice.starts), "first": 2, "last": 1}[places]


def test_a_kernel_of_the_user_starts_from_its_own_values():
    choice = KernelChoice.of(KERNEL)
    assert choice.prior is None
    np.testing.assert_array_equal(choice.starts, [KERNEL.theta])
