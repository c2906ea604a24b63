import numpy as np
import pytest
from gp_problems import FITTED
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.kernel_choice import KernelChoice, LinearPrior
from bluesky_gp.gp.theta import theta_names
from bluesky_gp.grid import PixelGrid

SHAPES = [(50,), (1,), (50, 50), (1, 1), (1, 60), (3, 200), (10, 12, 8), (1, 5, 5), (1, 1, 1)]


@given(st.integers(0, 99))
def test_a_linear_prior_is_a_product_of_normal_densities(seed):
    rng = np.random.default_rng(seed)
    prior = LinearPrior(rng.standard_normal((2, 3)), rng.standard_normal(2), np.array([0.5, 2.0]))
    one, other = rng.standard_normal((2, 3))
    z = (prior.A @ np.stack([one, other]).T - prior.mean[:, None]) / prior.std[:, None]
    difference = prior.log_density(one)[0] - prior.log_density(other)[0]
    assert difference == pytest.approx(-0.5 * np.sum(z[:, 0] ** 2 - z[:, 1] ** 2))
    numeric = [(prior.log_density(one + h)[0] - prior.log_density(one - h)[0]) / 2e-5 for h in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(prior.log_density(one)[1], numeric, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_default_kernel_fits_its_grid_and_starts_within_its_bounds(shape):
    choice = KernelChoice.default(shape)
    prior = covariance_of(choice.kernel, PixelGrid(shape))
    lower, upper = choice.kernel.bounds.T
    for start in (choice.kernel.theta, *choice.starts):
        assert start.shape == choice.kernel.theta.shape
        assert np.all((lower <= start) & (start <= upper))
    assert choice.prior.A.shape[1] == len(choice.kernel.theta)
    assert np.linalg.matrix_rank(choice.prior.A) == len(choice.prior.A)
    assert np.isfinite(prior.with_theta(choice.starts[0]).table).all()  # type: ignore[attr-defined]


def test_the_default_prior_says_what_it_believes():
    choice = KernelChoice.default((50, 50))
    names = theta_names(choice.kernel)
    assert names == [
        "k1__k1__constant_value",
        "k1__k2__length_scale[0]",
        "k1__k2__length_scale[1]",
        "k1__k2__roughness",
        "k1__k2__skew",
        "k2__noise_level",
    ]
    ratio, spread = np.exp(choice.prior.mean[-1]), choice.prior.std[-1]  # of noise and amplitude, whatever that is
    assert 0.005 < ratio < 0.05
    believed = np.log([2.0, 6.0, 6.0, 0.05, 1.0, 2.0 * ratio])
    assert choice.prior.log_density(believed)[0] == pytest.approx(0.0, abs=1e-12)
    for places, deviation in (([1, 2], 1.0), ([3], 2.0), ([4], 0.7), ([5], spread), ([0, 5], 0.0)):
        away = believed.copy()
        away[places] += 1.0
        density = -0.5 / deviation**2 if deviation else 0.0
        assert choice.prior.log_density(away)[0] == pytest.approx(density, abs=1e-12)
    stretched = believed + [0.0, 0.35, -0.35, 0.0, 0.0, 0.0]  # one standard deviation of the ratio
    assert choice.prior.log_density(stretched)[0] == pytest.approx(-0.5)


def test_a_kernel_of_the_user_starts_from_its_own_values():
    choice = KernelChoice.of(FITTED)
    assert choice.prior is None
    np.testing.assert_array_equal(choice.starts, [FITTED.theta])
