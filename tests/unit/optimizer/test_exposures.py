"""Values of unequal exposures: the noise of each is the kernel's times the usual exposure over its own."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.gp import DenseCovariance, FitProblem, LatticeCovariance, Trend
from bluesky_gp.optimizer import Recipe, recall, recall_next

GRID = PixelGrid((8, 8))
KERNEL = 1.3 * Matern([2.0, 3.0], nu=2.5) + WhiteKernel(0.2)
EXPOSURES = np.array([0.1, 0.4, 0.2, 1.6, 0.1, 0.1, 0.8, 0.3, 0.1, 0.2, 0.4, 0.1])
SHARE = 0.1 / EXPOSURES
S = np.random.default_rng(3).choice(GRID.size, 12, replace=False)
Y = np.random.default_rng(4).standard_normal(12)


def points(exposures=EXPOSURES):
    return [{"_id": p, "z": z, "exposure": e} for p, z, e in zip(S.tolist(), Y.tolist(), exposures, strict=True)]


def learnt(exposures=EXPOSURES, **options):
    optimizer = PixelOptimizer(GRID, "z", **{"exposure": 0.1, **options})
    optimizer.ingest(points(exposures))
    return optimizer


def coordinates(pixels):
    return GRID.unravel(pixels).astype(float)


def dense(kernel):
    """Return what scikit-learn's kernel has among S, with the noise of each value."""
    return kernel(coordinates(S)) + np.diag((SHARE - 1.0) * kernel.k2.noise_level)


def test_the_map_is_that_of_a_dense_model_with_the_noise_of_each_value():
    state = learnt(kernel=KERNEL, mean=0.0).state
    kernel, zero, y = state.covariance.kernel, state.units.inward(np.zeros(1)), state.units.inward(state.values)
    across = kernel(coordinates(np.arange(GRID.size)), coordinates(S))
    assert state.posterior.mean == pytest.approx(zero + across @ np.linalg.solve(dense(kernel), y - zero), abs=1e-8)


def test_a_batch_learnt_without_a_fit_leads_to_the_map_of_all_learnt_at_once():
    known, all_points = learnt(), points()
    recipe, theta = known.recipe, known.state.theta
    step_by_step = recall_next(recipe, recall(recipe, [(all_points[:8], [])], theta, 1), (all_points[8:], []))
    at_once = recall(recipe, [(all_points[:8], []), (all_points[8:], [])], theta, 1)
    assert step_by_step.posterior.mean == pytest.approx(at_once.posterior.mean, abs=1e-8)
    assert step_by_step.posterior.variance == pytest.approx(at_once.posterior.variance, abs=1e-8)


@pytest.mark.parametrize("kind", [LatticeCovariance, DenseCovariance])
def test_likelihood_and_its_derivatives_are_those_of_that_model(kind):
    problem = FitProblem(kind.of(KERNEL, GRID), None, Trend.known(np.zeros(GRID.size)), S, Y, np.zeros(12), share=SHARE)
    value, gradient = problem.objective(KERNEL.theta)
    assert -value == pytest.approx(multivariate_normal(np.zeros(12), dense(KERNEL)).logpdf(Y))
    for i, step in enumerate(1e-5 * np.eye(len(KERNEL.theta))):
        ends = [problem.objective(KERNEL.theta + h)[0] for h in (step, -step)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4, abs=1e-6)
        K = [np.tril(problem.noisy(KERNEL.theta + h)) for h in (step, -step)]
        whole = [L + np.tril(L, -1).T for L in K]
        assert problem.pairs.times(KERNEL, Y)[:, i] == pytest.approx((whole[0] - whole[1]) @ Y / 2e-5, abs=1e-6)


def test_noise_is_found_as_that_of_the_usual_exposure():
    rng, truth = np.random.default_rng(0), np.sin(np.arange(144) / 11.0)
    exposures = rng.choice([1.0, 4.0, 16.0], 144)
    optimizer = PixelOptimizer(PixelGrid((12, 12)), "z", exposure=1.0)
    values = truth + 0.4 * rng.standard_normal(144) / np.sqrt(exposures)
    optimizer.ingest([{"_id": i, "z": values[i], "exposure": exposures[i]} for i in range(144)])
    assert 0.3 < optimizer.state.noise_std < 0.5


def test_equal_exposures_change_no_bit():
    plain = PixelOptimizer(GRID, "z")
    plain.ingest([{"_id": p["_id"], "z": p["z"]} for p in points()])
    usual = learnt(np.full(12, 0.1))
    assert np.array_equal(plain.state.theta, usual.state.theta) and np.array_equal(plain.mean, usual.mean)


def test_what_is_known_is_written_and_read_again_to_the_last_bit():
    known = learnt(EXPOSURES / 3.0)
    again = PixelOptimizer.of(Recipe.of(known.describe()))
    again.ingest(known.points(known.state))
    assert np.array_equal(again.state.measurements.share, known.state.measurements.share)
    assert np.array_equal(again.mean, known.mean)


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan, "long"])
def test_what_is_no_exposure_is_refused_with_the_point(seconds):
    with pytest.raises(ValueError, match="exposure must be"):
        learnt([seconds] * 12)


def test_one_exposure_that_cannot_be_and_an_image_beside_it_are_refused():
    with pytest.raises(ValueError, match="exposure must be"):
        PixelOptimizer(GRID, "z", exposure=0.0)
    with pytest.raises(ValueError, match="leave exposure= out"):
        PixelOptimizer(GRID, "z", exposure=0.1, overview=np.eye(8))
