"""The prior covariance by any kernel, from the coordinates of the pixels."""

import numpy as np
import pytest
from gp_problems import Triangle
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel

from bluesky_gp.gp.dense_covariance import DenseCovariance
from bluesky_gp.grid import PixelGrid

GRID = PixelGrid((5, 6))
KERNEL = DotProduct(2.0) + RBF(2.0) + WhiteKernel(0.1)


@pytest.fixture
def dense():
    return DenseCovariance.of(KERNEL, GRID)


def test_blocks_columns_pairs_and_products_are_those_of_the_kernel_without_noise(dense):
    K = KERNEL(GRID.coordinates) - 0.1 * np.eye(GRID.size)
    S, T = np.array([3, 8, 21]), np.array([0, 8, 29])
    np.testing.assert_allclose(dense.block(S, T), K[np.ix_(S, T)], atol=1e-12)
    np.testing.assert_allclose(dense.column(7), K[:, 7], atol=1e-12)
    np.testing.assert_allclose(dense.pairs(S, T), K[S, T], atol=1e-12)
    np.testing.assert_allclose(dense.dot(S, np.array([1.0, -2.0, 0.5])), K[:, S] @ [1.0, -2.0, 0.5], atol=1e-10)
    np.testing.assert_allclose(dense.variance, np.diagonal(K), atol=1e-12)
    assert dense.noise == pytest.approx(0.1)


def test_the_derivative_along_weights_is_that_of_finite_differences(dense):
    S, rng = np.array([3, 8, 21, 22]), np.random.default_rng(0)
    W = rng.standard_normal((4, 4))
    W += W.T
    pairs, step = dense.among(S), 1e-6
    expected = []
    for shift in step * np.eye(len(KERNEL.theta)):
        up, down = (pairs.matrix(KERNEL.clone_with_theta(KERNEL.theta + sign * shift)) for sign in (1, -1))
        expected.append(np.sum(W * (up - down)) / (2 * step))
    np.testing.assert_allclose(pairs.contract(KERNEL, W), expected, rtol=1e-5)


def test_a_kernel_without_hyperparameters_is_taken():
    covariance = DenseCovariance.of(Triangle(), GRID)
    assert covariance.noise == 0.0 and covariance.eigenvalues is None
    assert covariance.with_theta(np.empty(0)).variance == pytest.approx(np.ones(GRID.size))


def test_noise_that_differs_from_pixel_to_pixel_is_refused():
    with pytest.raises(ValueError, match="white noise of kernel .* is not the same at every pixel"):
        DenseCovariance.of(WhiteKernel(0.1) * DotProduct(1.0), GRID)
