import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Kernel,
    Matern,
    NormalizedKernelMixin,
    RationalQuadratic,
    StationaryKernelMixin,
    WhiteKernel,
)

from bluesky_gp.gp.kernels import (
    Dial,
    RotatedMatern,
    check_kernel,
    gradient_of_lags,
    noise_gradient,
    noise_variance,
    of_lags,
    theta_names,
)


class Triangle(StationaryKernelMixin, NormalizedKernelMixin, Kernel):
    """A user's kernel, unknown here and without hyperparameters."""

    def __init__(self):
        pass

    def __call__(self, X, Y=None, eval_gradient=False):
        K = np.maximum(1.0 - np.abs(X[:, None, 0] - (X if Y is None else Y)[None, :, 0]) / 3.0, 0.0)
        return (K, np.empty((*K.shape, 0))) if eval_gradient else K


STATIONARY = [
    RBF(3.0),
    RBF([3.0, 1.5]),
    RBF(3.0, "fixed"),
    *[Matern(2.0, nu=nu) for nu in (0.5, 1.5, 2.5, 1.3, np.inf)],
    *[Matern([2.0, 4.0], nu=nu) for nu in (0.5, 1.5, 2.5, np.inf)],
    Matern([2.0, 4.0], "fixed", nu=1.5),
    RationalQuadratic(2.0, 0.7),
    RationalQuadratic(2.0, 0.7, alpha_bounds="fixed"),
    RationalQuadratic(2.0, 0.7, length_scale_bounds="fixed"),
    RationalQuadratic(2.0, 0.7, length_scale_bounds="fixed", alpha_bounds="fixed"),
    RotatedMatern((3.0, 5.0), 2.0),
    RotatedMatern((3.0, 5.0), 2.0, skew_bounds="fixed"),
    RotatedMatern((3.0, 5.0), 2.0, length_scale_bounds="fixed"),
    RotatedMatern((3.0, 5.0), 2.0, "fixed", "fixed"),
    RotatedMatern((3.0, 5.0), 2.0, roughness=0.3),
    RotatedMatern((3.0, 5.0), 2.0, roughness=0.3, roughness_bounds=(1e-3, 10.0)),
    ConstantKernel(2.0),
    ConstantKernel(2.0, "fixed") * RBF(2.0),
    ConstantKernel(2.0) * Matern([2.0, 4.0], nu=2.5) + WhiteKernel(0.1),
    RBF(2.0) * RationalQuadratic(3.0, 1.2) + ConstantKernel(0.5) * RotatedMatern(),
    (ConstantKernel(0.5) + RBF(2.0)) ** 2.0,
    RBF(2.0) + WhiteKernel(0.1, "fixed"),
    ExpSineSquared(2.0, 5.0),
    Triangle(),
]


def some_lags(count=150):
    lags = np.random.default_rng(0).integers(-9, 10, (count, 2)).astype(float)
    lags[0] = 0.0
    return lags


@pytest.mark.parametrize("kernel", STATIONARY, ids=str)
def test_gradient_of_lags_is_the_one_of_scikit_learn(kernel):
    lags = some_lags()
    mine = gradient_of_lags(kernel, lags)
    points = np.concatenate([np.zeros((1, 2)), lags])
    truth = kernel(points, eval_gradient=True)[1][0, 1:]
    assert mine.shape == (len(lags), len(kernel.theta))
    # scikit-learn differentiates Matern of any nu numerically
    np.testing.assert_allclose(mine, truth, rtol=1e-12, atol=1e-14 if "nu=1.3" not in str(kernel) else 1e-6)


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


@pytest.mark.parametrize("kernel", [kernel for kernel in STATIONARY if "nu=1.3" not in str(kernel)], ids=str)
def test_noise_gradient_agrees_with_finite_differences(kernel):
    def shifted(step):
        return noise_variance(kernel.clone_with_theta(kernel.theta + step), 2)

    steps = 1e-5 * np.eye(len(kernel.theta))
    numeric = [(shifted(step) - shifted(-step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(noise_gradient(kernel, 2), numeric, atol=1e-8)


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


@pytest.mark.parametrize("kernel", [RBF([1.0, 2.0, 3.0]), RotatedMatern((1.0, 2.0, 3.0)), Matern([1.0] * 3)], ids=str)
def test_a_wrong_number_of_length_scales_is_a_clear_error(kernel):
    with pytest.raises(ValueError, match="does not fit a grid of 2 axes"):
        check_kernel(ConstantKernel() * kernel + WhiteKernel(), 2)


@pytest.mark.parametrize("kernel", [k for k in STATIONARY if len(k.theta)], ids=str)
def test_a_dial_sets_what_a_clone_with_theta_has_and_leaves_the_kernel_alone(kernel):
    before, theta = kernel.theta.copy(), kernel.theta + np.linspace(0.1, 0.4, len(kernel.theta))
    dialled = Dial(kernel)(theta)
    assert dialled == kernel.clone_with_theta(theta)
    np.testing.assert_array_equal(dialled.theta, kernel.clone_with_theta(theta).theta)
    np.testing.assert_array_equal(kernel.theta, before)


def test_every_hyperparameter_has_a_name_of_its_own():
    kernel = ConstantKernel(2.0, "fixed") * RotatedMatern() + WhiteKernel(0.1)
    assert theta_names(kernel) == [
        "k1__k2__length_scale[0]",
        "k1__k2__length_scale[1]",
        "k1__k2__skew",
        "k2__noise_level",
    ]
    assert all(len(theta_names(kernel)) == len(kernel.theta) for kernel in STATIONARY)
