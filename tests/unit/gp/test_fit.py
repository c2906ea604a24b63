from dataclasses import replace

import numpy as np
import pytest
from gp_problems import FITTED, fit_problem, likelihood_of
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, ExpSineSquared, Matern, RationalQuadratic, WhiteKernel

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.fit import FitProblem
from bluesky_gp.gp.fit_schedule import _halved, starts_for
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


def by_gradient(m, seed):
    """The default kernel's fit to m values, and where it begins."""
    choice, grid = KernelChoice.default((20, 20)), PixelGrid((20, 20))
    truth = covariance_of(ConstantKernel() * RotatedMatern((5.0, 3.0), 1.5) + WhiteKernel(0.02), grid)
    rng = np.random.default_rng(seed)
    pixels = rng.choice(400, m, replace=False)
    y = truth.sample(rng)[pixels] + 0.15 * rng.standard_normal(m)
    values, trend = (y - y.mean()) / y.std(), Trend.constant(400)
    covariance = covariance_of(choice.kernel, grid)
    problem = FitProblem(covariance, choice.prior, trend, pixels, values, np.zeros(m), choice.scale)
    return problem, [choice.kernel.theta, *choice.starts]


@pytest.mark.parametrize("m", [6, 40, 150])
@pytest.mark.parametrize("seed", range(3))
def test_by_curvature_the_default_kernel_comes_to_the_optimum_of_many_starts_in_a_few_evaluations(m, seed):
    slow, starts = by_gradient(m, seed)
    fast = replace(slow, by_curvature=True)
    best = min(slow.climb(start, ftol=1e-9).fun for start in starts)
    fit = fast.solve(starts[:2])
    assert fast.objective(fit.theta)[0] < best + 0.01
    assert fit.converged
    again = fast.solve([fit.theta + 0.1])
    assert again.evaluations < 0.5 * slow.solve([fit.theta + 0.1]).evaluations
    assert fast.objective(again.theta)[0] < best + 0.01


@pytest.mark.parametrize("seed", range(3))
def test_of_many_values_a_part_leads_to_the_optimum_that_all_of_them_have(seed, monkeypatch):
    problem, starts = by_gradient(150, seed)
    problem = replace(problem, by_curvature=True)
    best = min(problem.objective(problem.solve([start]).theta)[0] for start in starts[:2])
    looked_at = []
    monkeypatch.setattr("bluesky_gp.gp.fit._COMPARED", 100)
    monkeypatch.setattr(FitProblem, "_some", lambda self, n, of=FitProblem._some: looked_at.append(n) or of(self, n))
    assert problem.objective(problem.solve(starts[:2]).theta)[0] < best + 0.01
    assert looked_at == [50]


@pytest.mark.parametrize("by_curvature", [True, False])
def test_values_in_blocks_lead_nearly_to_the_optimum_that_they_have_together(by_curvature):
    together, starts = by_gradient(150, 1)
    together = replace(together, by_curvature=by_curvature)
    places = np.concatenate(blocks := _halved(PixelGrid((20, 20)).unravel(together.S).astype(float), np.arange(150), 2))
    S, y, noise = together.S[places], together.y[places], together.noise[places]
    apart = replace(together, S=S, y=y, noise=noise, blocks=tuple(len(block) for block in blocks))
    best, found = together.solve(starts[:2]).theta, apart.solve(starts[:2]).theta
    assert together.objective(found)[0] < together.objective(best)[0] + 2.0
    assert apart.objective(found)[0] <= apart.objective(best)[0] + 1e-3


def test_the_density_of_values_in_blocks_is_that_of_each_by_itself():
    problem, starts = by_gradient(60, 0)
    problem = replace(problem, blocks=(20, 25, 15), prior=None)
    of_each = []
    for part in (slice(20), slice(20, 45), slice(45, 60)):
        of_each.append(replace(problem, S=problem.S[part], y=problem.y[part], noise=problem.noise[part], blocks=()))
    value, gradient = problem.objective(starts[1])
    assert value == pytest.approx(sum(part.objective(starts[1])[0] for part in of_each))
    np.testing.assert_allclose(gradient, np.sum([part.objective(starts[1])[1] for part in of_each], axis=0))
    numeric = approx_fprime(starts[1], lambda theta: problem.objective(theta)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-3)


def test_by_curvature_a_fit_from_where_the_covariance_breaks_down_goes_on_by_gradient():
    choice = KernelChoice.default((9, 9))
    problem, _ = fit_problem(choice.kernel, prior=choice.prior)
    problem = replace(problem, by_curvature=True, S=np.zeros(40, dtype=np.intp))  # one pixel, forty values
    assert np.isfinite(problem.solve([choice.kernel.bounds[:, 0], choice.kernel.theta]).theta).all()


# -- a kernel that a user writes, of which the values in it may be far off -------------------------------------------

WHITE = WhiteKernel(0.1)
WRITTEN = {
    "all noise": (RBF([3.0, 5.0]) + WHITE, ConstantKernel() * RBF(500.0) + WhiteKernel(1.0)),
    "no correlation": (RBF([3.0, 5.0]) + WHITE, ConstantKernel() * Matern(0.05, nu=2.5) + WhiteKernel(1e-3)),
    "long and short": (Matern([8.0, 2.0]) + WHITE, Matern([200.0, 0.1]) + WhiteKernel(0.5)),
    "rational quadratic": (
        RationalQuadratic(4.0, 0.5) + WHITE,
        ConstantKernel(0.2) * RationalQuadratic(0.8, 0.05) + WhiteKernel(1e-3),
    ),
    "two lengths": (
        RBF(10.0) + 0.3 * RBF(1.5) + WHITE,
        ConstantKernel() * RBF(0.2) + ConstantKernel() * RBF(0.1) + WhiteKernel(0.5),
    ),
    "product": (RBF(6.0) + WHITE, ConstantKernel(5.0) * RBF(0.3) * RationalQuadratic(0.4, 1.0) + WhiteKernel(0.1)),
    "rotated": (RotatedMatern((8.0, 3.0), 2.0) + WHITE, RotatedMatern((0.8, 60.0), 0.1) + WhiteKernel(1.0)),
}
PERIODIC = {
    "a period": (ExpSineSquared(0.8, 17.0), ExpSineSquared(0.1, 7.8) + WhiteKernel(0.15)),
    "a period that fades": (
        RBF(60.0) * ExpSineSquared(1.0, 11.0),
        RBF(5.0) * ExpSineSquared(3.0, 70.0) + WhiteKernel(0.5),
    ),
}


def written(truth, kernel, shape, m, seed):
    """Values of one kernel, fitted with another that starts elsewhere."""
    rng, grid = np.random.default_rng(seed), PixelGrid(shape)
    pixels = rng.choice(grid.size, m, replace=False)
    y = covariance_of(truth, grid).sample(rng)[pixels] + 0.2 * rng.standard_normal(m)
    y = (y - y.mean()) / y.std()
    return FitProblem(covariance_of(kernel, grid), None, Trend.known(np.zeros(grid.size)), pixels, y, np.zeros(m))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", [*WRITTEN, *PERIODIC])
def test_wherever_the_kernel_of_a_user_starts_the_fit_finds_the_optimum_of_scikit_learn_with_restarts(name, seed):
    shape, m = ((20, 24), 35) if name in WRITTEN else ((120,), 45)
    truth, kernel = (WRITTEN | PERIODIC)[name]
    problem = written(truth, kernel, shape, m, seed)
    choice = KernelChoice.of(kernel).searching(shape, 4)
    fit = problem.solve(*starts_for(choice, kernel.theta, m, 0))
    points = PixelGrid(shape).coordinates[problem.S]
    referee = GaussianProcessRegressor(kernel, alpha=0.0, n_restarts_optimizer=8, random_state=0).fit(points, problem.y)
    assert fit.log_marginal_likelihood > referee.log_marginal_likelihood_value_ - 0.1
    assert fit.converged


def test_a_fit_says_how_far_below_the_optimum_the_hyperparameters_before_lead():
    truth, kernel = WRITTEN["no correlation"]
    problem = written(truth, kernel, (20, 24), 60, 0)
    choice = KernelChoice.of(kernel).searching((20, 24), 4)
    found = problem.solve(*starts_for(choice, kernel.theta, 60, 50))
    alone = problem.solve([kernel.theta])
    assert found.gap == pytest.approx(found.log_marginal_likelihood - alone.log_marginal_likelihood, abs=0.1)
    assert found.gap > 5.0
    assert problem.solve(*starts_for(choice, found.theta, 60, 50)).gap < 0.1


def test_of_many_values_a_part_chooses_the_starts_and_all_decide():
    truth, kernel = WRITTEN["no correlation"]
    problem = written(truth, kernel, (40, 40), 300, 0)
    choice = KernelChoice.of(kernel).searching((40, 40), 4)
    fit = problem.solve(*starts_for(choice, kernel.theta, 300, 0))
    near = problem.solve([np.log([1.0, 3.0, 0.1])])
    assert fit.log_marginal_likelihood > near.log_marginal_likelihood - 0.1
