import numpy as np
import pytest
from gp_problems import STATIONARY, some_lags
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

from bluesky_gp.gp.kernels import check_kernel, noise_variance, of_lags
from bluesky_gp.gp.rotated_matern import RotatedMatern


@pytest.mark.parametrize("kernel", STATIONARY, ids=str)
def test_kappa_is_the_kernel_without_its_white_noise(kernel):
    lags = some_lags()
    K = kernel(np.concatenate([np.zeros((1, 2)), lags[1:]]))
    np.testing.assert_allclose(of_lags(kernel, lags)[1:], K[0, 1:], rtol=1e-12, atol=1e-300)
    assert of_lags(kernel, lags)[0] == pytest.approx(K[0, 0] - noise_variance(kernel, 2))


@pytest.mark.parametrize(
    ("kernel", "variance"),
    [
        (RBF(2.0), 0.0),
        (WhiteKernel(0.3), 0.3),
        (ConstantKernel(4.0) * (RBF(2.0) + WhiteKernel(0.3)), 1.2),
        ((RBF(2.0) + WhiteKernel(0.5)) ** 2, 1.25),
        (Matern(2.0, nu=1.3), 0.0),
        (DotProduct(1.5) + WhiteKernel(0.3, "fixed"), 0.3),
        (ConstantKernel(2.0) * RotatedMatern() + WhiteKernel(0.3), 0.3),
    ],
    ids=str,
)
def test_noise_is_what_the_diagonal_has_and_lag_zero_has_not(kernel, variance):
    assert noise_variance(kernel, 2) == pytest.approx(variance, abs=1e-9)
    assert noise_variance(kernel, 2) >= 0.0


@pytest.mark.parametrize("kernel", [RBF([1.0, 2.0, 3.0]), RotatedMatern((1.0, 2.0, 3.0)), Matern([1.0] * 3)], ids=str)
def test_a_wrong_number_of_length_scales_is_a_clear_error(kernel):
    with pytest.raises(ValueError, match="does not fit a grid of 2 axes"):
        check_kernel(ConstantKernel() * kernel + WhiteKernel(), 2)
