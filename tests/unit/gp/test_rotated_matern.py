import copy

import numpy as np
import pytest
from gp_problems import some_lags
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from bluesky_gp.gp.kernels import check_kernel
from bluesky_gp.gp.rotated_matern import RotatedMatern

skews = st.floats(0.05, 20.0)
lengths = st.tuples(st.floats(0.7, 50.0), st.floats(0.7, 50.0))


@given(lengths, skews, st.floats(0.0, 100.0))
def test_rotated_matern_is_positive_definite(length_scale, skew, roughness):
    points = np.indices((7, 6), dtype=float).reshape(2, -1).T
    assert np.linalg.eigvalsh(RotatedMatern(length_scale, skew, roughness=roughness)(points)).min() > -1e-12


@given(lengths, st.floats(0.01, 100.0))
def test_roughness_shares_the_variance_out_between_matern_five_halves_and_an_exponential(length_scale, roughness):
    points = 5.0 * np.random.default_rng(0).standard_normal((20, 2))
    smooth, rough = (Matern(length_scale, nu=nu)(points) for nu in (2.5, 0.5))
    K = RotatedMatern(length_scale, roughness=roughness)(points)
    np.testing.assert_allclose(K, (smooth + roughness * rough) / (1.0 + roughness), rtol=1e-12)


@given(lengths)
def test_rotated_matern_with_no_rotation_is_matern_with_a_length_scale_per_axis(length_scale):
    points = 5.0 * np.random.default_rng(0).standard_normal((20, 2))
    K, gradient = RotatedMatern(length_scale, skew_bounds="fixed")(points, eval_gradient=True)
    truth, by_theta = Matern(length_scale, nu=2.5)(points, eval_gradient=True)
    np.testing.assert_allclose(K, truth, rtol=1e-12)
    np.testing.assert_allclose(gradient, by_theta, rtol=1e-10, atol=1e-14)


@given(lengths, skews)
def test_rotated_matern_of_the_inverse_skew_is_the_mirror_image(length_scale, skew):
    lags = some_lags()
    mirrored = RotatedMatern(length_scale, 1.0 / skew).of_lags(lags * [1.0, -1.0])
    np.testing.assert_allclose(RotatedMatern(length_scale, skew).of_lags(lags), mirrored, rtol=1e-9)


@given(lengths, skews, st.floats(0.01, 100.0))
def test_gradient_of_rotated_matern_agrees_with_finite_differences(length_scale, skew, roughness):
    kernel = RotatedMatern(length_scale, skew, roughness=roughness, roughness_bounds=(1e-3, 1e3))
    points = some_lags(12)
    gradient = kernel(points, eval_gradient=True)[1]
    for k, step in enumerate(1e-5 * np.eye(4)):
        above, below = (kernel.clone_with_theta(kernel.theta + sign * step)(points) for sign in (1, -1))
        np.testing.assert_allclose(gradient[..., k], (above - below) / 2e-5, atol=1e-8)


def test_rotated_matern_can_be_cloned_compared_and_copied():
    kernel = RotatedMatern((2.0, 3.0), 1.5, skew_bounds=(0.5, 2.0))
    for twin in (clone(kernel), kernel.clone_with_theta(kernel.theta), copy.deepcopy(kernel)):
        np.testing.assert_allclose(twin.theta, np.log([2.0, 3.0, 1.5]))
        np.testing.assert_allclose(twin.bounds, kernel.bounds)
    assert clone(kernel) == kernel
    assert clone(kernel).get_params() == kernel.get_params()
    assert clone(kernel).set_params(skew=1.0).skew == 1.0
    assert kernel.is_stationary()


@pytest.mark.filterwarnings("ignore:The optimal value found:sklearn.exceptions.ConvergenceWarning")
def test_scikit_learn_fits_a_rotated_matern_to_slanted_stripes():
    points = np.indices((9, 9), dtype=float).reshape(2, -1).T
    stripes = np.sin((points[:, 0] - points[:, 1]) / 1.5)
    kernel = RotatedMatern((3.0, 3.0), 1.0, (0.7, 30.0)) + WhiteKernel(0.01, (1e-4, 1.0))
    regressor = GaussianProcessRegressor(kernel, normalize_y=True).fit(points[::2], stripes[::2])
    assert regressor.kernel_.k1.skew < 0.7  # d_r = d_c changes nothing: the long axis is the diagonal
    np.testing.assert_allclose(regressor.predict(points), stripes, atol=0.1)


def test_rotated_matern_refuses_three_axes():
    with pytest.raises(ValueError, match="RotatedMatern is a kernel of two axes, the grid has 3"):
        check_kernel(ConstantKernel() * RotatedMatern(), 3)
