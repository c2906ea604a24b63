import numpy as np
import pytest
from gp_problems import problems
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, RationalQuadratic, WhiteKernel

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.dense_covariance import DenseCovariance
from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.grid import PixelGrid


def both(problem):
    return LatticeCovariance.of(problem.kernel, problem.grid), DenseCovariance.of(problem.kernel, problem.grid)


@given(problems(), st.data())
def test_by_lag_and_by_coordinates_the_covariance_is_the_same(problem, data):
    lattice, dense = both(problem)
    S, m = problem.pixels, len(problem.pixels)
    T = np.array(data.draw(st.lists(st.integers(0, problem.grid.size - 1), max_size=5)), dtype=np.intp)
    pixel = data.draw(st.integers(0, problem.grid.size - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    weights, W = rng.standard_normal(m), rng.standard_normal((m, m))
    close = {"rtol": 1e-10, "atol": 1e-11 * (1.0 + m)}
    np.testing.assert_allclose(lattice.block(S, T), dense.block(S, T), **close)
    np.testing.assert_allclose(lattice.column(pixel), dense.column(pixel), **close)
    np.testing.assert_allclose(lattice.dot(S, weights), dense.dot(S, weights), **close)
    by_lag, by_coordinates = lattice.among(S), dense.among(S)
    kernel = lattice.kernel
    np.testing.assert_allclose(by_lag.matrix(kernel), by_coordinates.matrix(kernel), atol=1e-12)
    np.testing.assert_allclose(
        by_lag.times(kernel, weights), by_coordinates.times(kernel, weights), rtol=1e-8, atol=1e-9
    )
    np.testing.assert_allclose(
        by_lag.contract(kernel, W + W.T), by_coordinates.contract(kernel, W + W.T), rtol=1e-8, atol=1e-9
    )
    np.testing.assert_allclose(lattice.variance, dense.variance, **close)
    assert lattice.noise == pytest.approx(dense.noise)


@given(problems(max_pixels=3), st.floats(-0.5, 0.5))
def test_other_hyperparameters_are_another_covariance(problem, shift):
    theta = problem.kernel.theta + shift
    for before in both(problem):
        after = before.with_theta(theta)
        again = type(before).of(problem.kernel.clone_with_theta(theta), problem.grid)
        np.testing.assert_allclose(after.column(0), again.column(0), rtol=1e-12)
        np.testing.assert_allclose(before.kernel.theta, problem.kernel.theta, rtol=1e-12)


def test_a_stationary_kernel_takes_the_lattice_and_any_other_the_dense_way():
    grid = PixelGrid((4, 3))
    assert isinstance(covariance_of(RBF() + WhiteKernel(), grid), LatticeCovariance)
    assert isinstance(covariance_of(RBF() + DotProduct(), grid), DenseCovariance)
    with pytest.raises(ValueError, match="does not fit a grid of 2 axes"):
        covariance_of(RBF([1.0, 2.0, 3.0]), grid)


def test_a_kernel_that_is_not_stationary_has_a_variance_of_its_own_at_every_pixel():
    grid = PixelGrid((3, 4))
    dense = DenseCovariance.of(DotProduct(2.0) + WhiteKernel(0.5), grid)
    np.testing.assert_allclose(dense.variance, 4.0 + (grid.coordinates**2).sum(axis=1))
    assert dense.noise == pytest.approx(0.5)


def test_white_noise_that_varies_from_pixel_to_pixel_is_a_clear_error():
    with pytest.raises(ValueError, match="is not the same at every pixel"):
        covariance_of(DotProduct() * WhiteKernel(0.1) + RBF(), PixelGrid((3, 4)))


@pytest.mark.parametrize("of_kind", [LatticeCovariance, DenseCovariance])
@pytest.mark.parametrize(
    ("kernel", "shape"),
    [
        (ConstantKernel(2.0) * Matern(3.0, nu=2.5), (9,)),
        (RBF([2.0, 4.0]) + WhiteKernel(0.1), (5, 4)),
        (RotatedMatern((3.0, 2.0), 3.0), (1, 6)),
        (RotatedMatern((8.0, 8.0), 0.2), (4, 5)),
        (RationalQuadratic(2.0, 0.5), (3, 2, 3)),
        (Matern(12.0, nu=0.5), (5, 4)),
    ],
    ids=str,
)
def test_samples_of_the_prior_have_its_covariance(of_kind, kernel, shape):
    prior = of_kind.of(kernel, PixelGrid(shape))
    rng, n = np.random.default_rng(0), 4000
    samples = np.stack([prior.sample(rng) for _ in range(n)])
    everywhere = np.arange(samples.shape[1])
    truth = prior.block(everywhere, everywhere)
    error = np.abs(samples.T @ samples / n - truth)
    standard = np.sqrt((np.outer(truth.diagonal(), truth.diagonal()) + truth**2) / n)
    assert (error / standard).max() < 5.0
    assert (np.abs(samples.mean(axis=0)) / np.sqrt(truth.diagonal() / n)).max() < 5.0


@pytest.mark.parametrize("kernel", [RotatedMatern((3.0, 2.0), 3.0, roughness=0.2), 2.0 * RBF(2.0) + WhiteKernel()])
def test_neighbourhood_is_the_sum_of_the_squared_correlations_with_what_is_not_masked(kernel):
    mask = np.random.default_rng(0).uniform(size=(7, 9)) < 0.3
    grid = PixelGrid((7, 9), mask=mask)
    prior = LatticeCovariance.of(kernel, grid)
    everywhere = np.arange(grid.size)
    correlation = prior.block(everywhere, everywhere) / prior.variance[0]
    np.testing.assert_allclose(prior.neighbourhood, np.square(correlation)[:, grid.allowed].sum(axis=1), rtol=1e-12)
