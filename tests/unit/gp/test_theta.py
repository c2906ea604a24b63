import numpy as np
import pytest
from gp_problems import STATIONARY
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel

from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.gp.theta import AdjustableKernel, log_bounds, theta_names


@pytest.mark.parametrize("kernel", [k for k in STATIONARY if len(k.theta)], ids=str)
def test_an_adjustable_kernel_has_what_a_clone_with_theta_has_and_leaves_the_kernel_alone(kernel):
    before, theta = kernel.theta.copy(), kernel.theta + np.linspace(0.1, 0.4, len(kernel.theta))
    adjusted = AdjustableKernel(kernel)(theta)
    assert adjusted == kernel.clone_with_theta(theta)
    np.testing.assert_array_equal(adjusted.theta, kernel.clone_with_theta(theta).theta)
    np.testing.assert_array_equal(kernel.theta, before)


@pytest.mark.parametrize("kernel", STATIONARY, ids=str)
def test_the_bounds_of_theta_are_those_that_scikit_learn_finds(kernel):
    np.testing.assert_array_equal(log_bounds(kernel), np.reshape(kernel.bounds, (-1, 2)))


def test_every_hyperparameter_has_a_name_of_its_own():
    kernel = ConstantKernel(2.0, "fixed") * RotatedMatern() + WhiteKernel(0.1)
    assert theta_names(kernel) == [
        "k1__k2__length_scale[0]",
        "k1__k2__length_scale[1]",
        "k1__k2__skew",
        "k2__noise_level",
    ]
    assert all(len(theta_names(kernel)) == len(kernel.theta) for kernel in STATIONARY)
