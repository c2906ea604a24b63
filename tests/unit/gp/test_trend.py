import numpy as np
import pytest
from gp_problems import COVARIANCES, Problem, measured, problems
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from bluesky_gp.gp.posterior import GridPosterior
from bluesky_gp.gp.trend import Trend
from bluesky_gp.grid import PixelGrid

of_any_kind = pytest.mark.parametrize("of_kind", COVARIANCES)


@of_any_kind
@given(problem=problems())
def test_the_constant_is_estimated_by_generalised_least_squares(of_kind, problem):
    K = problem.kernel(problem.points) + np.diag(problem.noise)
    one = np.ones(len(problem.pixels))
    constant = one @ np.linalg.solve(K, problem.values) / (one @ np.linalg.solve(K, one))
    weights = np.linalg.solve(K, problem.values - constant)
    mean = constant + problem.kernel(problem.grid.coordinates, problem.points) @ weights
    np.testing.assert_allclose(problem.posterior(of_kind, trend=None).mean, mean, atol=1e-9 * (1 + np.abs(mean).max()))


@of_any_kind
@given(problem=problems(), shift=st.floats(-100.0, 100.0))
def test_a_known_map_is_what_the_values_are_taken_relative_to(of_kind, problem, shift):
    offset = shift * np.cos(np.arange(problem.grid.size))
    shifted = problem.posterior(
        of_kind, values=problem.values + offset[problem.pixels], trend=Trend.known(problem.trend.offset + offset)
    )
    np.testing.assert_allclose(shifted.mean, problem.posterior(of_kind).mean + offset, atol=1e-8)


@of_any_kind
def test_a_plane_is_found_and_continued(of_kind):
    problem = measured(RBF(2.0) + WhiteKernel(0.01))
    coordinates = problem.grid.coordinates
    plane = 3.0 + coordinates @ [0.5, -0.2]
    trend = Trend(np.zeros(problem.grid.size), np.column_stack([np.ones(len(coordinates)), coordinates]))
    posterior = problem.posterior(of_kind, trend=trend, values=plane[problem.pixels])
    np.testing.assert_allclose(posterior.mean, plane, atol=1e-8)


@of_any_kind
def test_a_trend_that_the_pixels_cannot_tell_yet_does_no_harm(of_kind):
    grid = PixelGrid((6, 6))
    trend = Trend(np.zeros(36), np.column_stack([np.ones(36), grid.coordinates]))
    first_row, values = np.arange(6), np.array([1.0, 3.0, 5.0, 7.0, 9.0, 11.0])
    problem = Problem(grid, RBF(2.0) + WhiteKernel(0.01), first_row, values, np.zeros(6))
    np.testing.assert_allclose(problem.posterior(of_kind, trend=trend).mean[:6], values, atol=1e-6)


def test_an_uncertain_trend_is_a_kernel_of_its_basis_with_a_vague_prior():
    grid = PixelGrid((12, 9))
    S = np.random.default_rng(0).choice(grid.size, 25, replace=False)
    y = np.random.default_rng(1).standard_normal(25)
    kernel = RBF(2.0) + WhiteKernel(0.1)
    trend = Trend.polynomial(grid.coordinates, 1)
    posterior = GridPosterior.of(kernel, grid, S, y, trend=trend)
    vague = 1e6 * trend.basis @ trend.basis.T
    prior = RBF(2.0)(grid.coordinates) + vague
    K = prior[np.ix_(S, S)] + 0.1 * np.eye(25)
    covariance = prior - prior[:, S] @ np.linalg.solve(K, prior[S])
    np.testing.assert_allclose(posterior.variance, np.diagonal(covariance), rtol=1e-3)
    np.testing.assert_allclose(posterior.covariance_column(7), covariance[7], atol=1e-3)
    np.testing.assert_allclose(posterior.mean, prior[:, S] @ np.linalg.solve(K, y), atol=1e-3)


def test_with_an_uncertain_trend_a_batch_observed_is_a_fresh_fit():
    grid = PixelGrid((12, 9))
    S = np.random.default_rng(0).choice(grid.size, 25, replace=False)
    y = np.random.default_rng(1).standard_normal(25)
    options = {"trend": Trend.polynomial(grid.coordinates, 2)}
    kernel = RBF(2.0) + WhiteKernel(0.1)
    grown = GridPosterior.of(kernel, grid, S[:15], y[:15], **options).observe(S[15:], y[15:])
    fresh = GridPosterior.of(kernel, grid, S, y, **options)
    np.testing.assert_allclose(grown.mean, fresh.mean, atol=1e-9)
    np.testing.assert_allclose(grown.variance, fresh.variance, atol=1e-9)
