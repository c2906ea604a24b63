import numpy as np
import pytest
from gp_problems import STATIONARY, some_lags

from bluesky_gp.gp.kernel_gradients import contracted, gradient_of_lags, noise_gradient
from bluesky_gp.gp.kernels import noise_variance, of_lags


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
def test_a_sum_over_lags_is_the_one_of_the_gradient(kernel):
    lags = some_lags()
    weights = np.random.default_rng(0).standard_normal(len(lags))
    truth = weights @ gradient_of_lags(kernel, lags)
    value, by_theta = contracted(kernel, lags, weights)
    np.testing.assert_allclose(by_theta, truth, rtol=1e-10, atol=1e-12)
    assert value == pytest.approx(weights @ of_lags(kernel, lags), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("kernel", [kernel for kernel in STATIONARY if "nu=1.3" not in str(kernel)], ids=str)
def test_noise_gradient_agrees_with_finite_differences(kernel):
    def shifted(step):
        return noise_variance(kernel.clone_with_theta(kernel.theta + step), 2)

    steps = 1e-5 * np.eye(len(kernel.theta))
    numeric = [(shifted(step) - shifted(-step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(noise_gradient(kernel, 2), numeric, atol=1e-8)
