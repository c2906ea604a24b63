"""What values have in common by their times: what a dense model of pixels and seconds gives."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import ConstantKernel, ExpSineSquared, Matern, WhiteKernel

from bluesky_gp.gp import Course, FitProblem, GridPosterior, Trend, common_part, covariance_of, predicted
from bluesky_gp.gp.common_solver import CommonSolver
from bluesky_gp.gp.iterative import IterativeSolver
from bluesky_gp.grid import PixelGrid

GRID = PixelGrid((8, 8))
PIXELS = ConstantKernel(1.3) * Matern([2.0, 3.0], nu=2.5) + WhiteKernel(0.1)
SECONDS = ConstantKernel(0.6) * Matern(20.0, nu=1.5)
RNG = np.random.default_rng(0)
M = 30
S = RNG.choice(GRID.size, M)  # some of them twice
TIMES = np.cumsum(RNG.exponential(2.0, M)) + 1000.0
Y = RNG.standard_normal(M)
ZERO = Trend.known(np.zeros(GRID.size))


def coordinates(pixels):
    return GRID.unravel(pixels).astype(float)


def centred(times, others, kernel=SECONDS):
    """Return the covariance of what g has at some times more than on average at TIMES."""
    K = kernel(np.concatenate([times, others, TIMES])[:, None])
    less = np.eye(len(K)) - np.repeat(np.eye(len(K))[-M:].mean(axis=0)[None], len(K), axis=0)
    return (less @ K @ less.T)[: len(times), len(times) : len(times) + len(others)]


def dense(pixels=PIXELS, seconds=SECONDS):
    return pixels(coordinates(S)) + centred(TIMES, TIMES, seconds)


@pytest.fixture(scope="module")
def posterior():
    common = Course.of(TIMES).root(SECONDS)
    return GridPosterior.fit(covariance_of(PIXELS, GRID), S, Y, trend=ZERO, common=common)


def test_the_map_is_that_of_a_dense_model_of_pixels_and_seconds(posterior):
    across = PIXELS.k1(coordinates(np.arange(GRID.size)), coordinates(S))
    variance = 1.3 - np.einsum("ij,ij->i", across, np.linalg.solve(dense(), across.T).T)
    assert posterior.mean == pytest.approx(across @ np.linalg.solve(dense(), Y), abs=1e-3)
    assert posterior.variance == pytest.approx(variance, abs=1e-3)
    assert posterior.covariance(S[:3], S[3:6]) == pytest.approx(
        PIXELS.k1(coordinates(S[:3]), coordinates(S[3:6])) - across[S[:3]] @ np.linalg.solve(dense(), across[S[3:6]].T),
        abs=1e-3,
    )


def test_the_course_and_later_values_are_those_of_that_model(posterior):
    later, pixels = np.append(TIMES[-1] + np.array([1.0, 30.0]), np.nan), np.array([0, 20, 40])
    rows, rest = Course.of(TIMES).rows(SECONDS, later)
    mean, variance = common_part(posterior, rows)
    across = centred(later[:2], TIMES)
    assert mean == pytest.approx(np.append(across @ np.linalg.solve(dense(), Y), 0.0), abs=1e-3)
    left = centred(later[:2], later[:2]) - across @ np.linalg.solve(dense(), across.T)
    assert variance + rest == pytest.approx(np.append(np.diagonal(left), 0.0), abs=1e-3)
    across = across + PIXELS.k1(coordinates(pixels[:2]), coordinates(S))
    mean, variance = predicted(posterior, pixels, rows)
    assert mean[:2] == pytest.approx(across @ np.linalg.solve(dense(), Y), abs=1e-3)
    left = 1.3 + centred(later[:2], later[:2]) - across @ np.linalg.solve(dense(), across.T)
    assert (variance + rest)[:2] == pytest.approx(np.diagonal(left), abs=1e-3)


@pytest.mark.parametrize("seconds", [SECONDS, ConstantKernel(0.3) * ExpSineSquared(1.0, 15.0)])
def test_likelihood_and_its_derivatives_are_those_of_that_model(seconds):
    course = Course.of(TIMES)
    problem = FitProblem(covariance_of(PIXELS, GRID), None, ZERO, S, Y, np.zeros(M), time=seconds, course=course)
    theta = problem.kernel.theta
    value, gradient = problem.objective(theta)
    assert -value == pytest.approx(multivariate_normal(np.zeros(M), dense(seconds=seconds)).logpdf(Y))
    for i, step in enumerate(1e-5 * np.eye(len(theta))):
        ends = [problem.objective(theta + h)[0] for h in (step, -step)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4, abs=1e-6)
        K = [np.tril(problem.noisy(theta + h)) for h in (step, -step)]
        whole = [L + np.tril(L, -1).T for L in K]
        assert problem.pairs.times(problem.kernel, Y)[:, i] == pytest.approx((whole[0] - whole[1]) @ Y / 2e-5, abs=1e-6)


def test_parts_of_the_values_keep_the_knots_of_all():
    problem = FitProblem(
        covariance_of(PIXELS, GRID), None, ZERO, S, Y, np.zeros(M), time=SECONDS, course=Course.of(TIMES)
    )
    some = np.arange(0, M, 3)
    K = problem.of_some(some).noisy(problem.kernel.theta)
    assert np.tril(K) == pytest.approx(np.tril(dense()[np.ix_(some, some)]))


def test_more_times_than_knots_are_taken_as_linear_in_between():
    times = np.linspace(0.0, 100.0, 500)
    course = Course.of(times)
    assert len(course.Z) == 128
    kernel = ConstantKernel(1.0) * Matern(25.0, nu=1.5)
    K = course.F @ course.covariance(kernel) @ course.F.T.toarray()
    less = np.eye(500) - 1.0 / 500
    np.testing.assert_allclose(K, less @ kernel(times[:, None]) @ less, atol=1e-3)
    root = course.root(kernel)
    assert root.shape[1] < 80 and np.allclose(root @ root.T, K, atol=1e-3)


def test_values_without_a_time_and_of_one_time_have_nothing_in_common():
    assert Course.of(np.full(5, np.nan)).root(SECONDS).shape == (5, 0)
    assert Course.of(np.full(5, 7.0)).root(SECONDS).shape == (5, 0)
    root = Course.of(np.array([0.0, np.nan, 9.0])).root(SECONDS)
    assert np.array_equal(root[1], np.zeros(root.shape[1])) and root[0].any()


def test_a_solver_by_iteration_solves_the_same(posterior):
    prior = covariance_of(PIXELS, GRID)
    solver = CommonSolver.of(IterativeSolver.build(prior, S, prior.noise + np.zeros(M)), posterior.common)
    b = np.column_stack([Y, TIMES - TIMES.mean()])
    assert solver.solve(b) == pytest.approx(np.linalg.solve(dense(), b), rel=1e-3, abs=1e-3)
    assert solver.reduce(b) == pytest.approx(posterior.solver.reduce(b), rel=1e-6)
    left, right = solver.halves(b, b)
    assert left.T @ right == pytest.approx(b.T @ posterior.solver.solve(b), rel=1e-6)
    assert solver.precision() is None
    assert posterior.solver.precision() == pytest.approx(np.diagonal(np.linalg.inv(dense())), rel=1e-3)


def test_the_variance_from_nearest_pixels_has_what_is_not_known_of_the_course(monkeypatch):
    monkeypatch.setattr("bluesky_gp.gp.lattice_covariance.EXACT", 1e6)  # operations: as if the lattice were large
    grid, rng = PixelGrid((110, 110)), np.random.default_rng(2)
    pixels, times = rng.choice(grid.size, 230, replace=False), np.arange(230.0)
    prior, common = covariance_of(PIXELS, grid), Course.of(times).root(SECONDS)
    near = GridPosterior.fit(prior, pixels, rng.standard_normal(230), common=common)
    exact = GridPosterior.fit(prior, pixels, near.values, common=common, exact=True)
    assert 0.0 < near.excess < 0.01
    assert near.variance == pytest.approx(exact.variance, rel=0.01)
    for pixel in (6000, 6001):  # as if it were measured: by windows, where the exact one takes whole columns
        near, exact = near.condition(pixel, near.mean[pixel]), exact.condition(pixel, exact.mean[pixel])
    assert near.left is not None and near.variance == pytest.approx(exact.variance, rel=0.01)


def test_values_measured_at_times_nobody_knows_are_learnt_beside_it(posterior):
    grown = posterior.observe(np.array([5, 60]), np.array([0.3, -0.4]))
    common = np.vstack([posterior.common, np.zeros((2, posterior.common.shape[1]))])
    again = GridPosterior.fit(posterior.prior, grown.pixels, grown.values, trend=ZERO, common=common)
    assert grown.mean == pytest.approx(again.mean) and grown.variance == pytest.approx(again.variance, abs=1e-9)


def test_samples_have_the_covariance_of_the_posterior(posterior):
    rng = np.random.default_rng(5)
    draws = np.stack([posterior.sample(rng) for _ in range(600)])
    assert draws.mean(axis=0) == pytest.approx(posterior.mean, abs=0.2)
    assert draws.std(axis=0) == pytest.approx(posterior.std, rel=0.15, abs=0.02)
