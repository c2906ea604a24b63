import numpy as np
import pytest
from gp_problems import STATIONARY
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, ExpSineSquared, Matern, WhiteKernel

from bluesky_gp.gp.starts import candidate_starts
from bluesky_gp.gp.theta import theta_names


@pytest.mark.parametrize("kernel", [*STATIONARY, DotProduct(1.5) + WhiteKernel(1e-2, (1e-3, 2e-2))], ids=str)
def test_candidates_lie_within_the_bounds_of_any_kernel_and_are_all_different(kernel):
    starts = candidate_starts(kernel, (30, 40), 16)
    if not len(kernel.theta):
        assert starts == ()
        return
    low, high = kernel.bounds.T
    assert all(start.shape == kernel.theta.shape and np.all((low <= start) & (start <= high)) for start in starts)
    assert len(np.unique(starts, axis=0)) == 16


def test_candidates_are_what_a_map_of_the_size_of_the_grid_may_show():
    kernel = ConstantKernel() * Matern([1e-3, 1e4], nu=1.5) + ExpSineSquared(1e3, 1e-3) + WhiteKernel(1e4)
    values = dict(zip(theta_names(kernel), np.exp(candidate_starts(kernel, (30, 80), 400)).T, strict=True))
    for name, low, high in [
        ("k1__k1__k2__length_scale[0]", 1.0, 30.0),
        ("k1__k1__k2__length_scale[1]", 1.0, 80.0),
        ("k1__k2__length_scale", 0.3, 3.0),  # of a sine: without a unit
        ("k1__k2__periodicity", 2.0, 80.0),
        ("k2__noise_level", 1e-3, 1.0),
    ]:
        assert low <= values[name].min() < 1.2 * low and high / 1.2 < values[name].max() <= high
    assert np.median(values["k1__k2__periodicity"]) == pytest.approx(4.0, rel=0.1)  # even in frequency


def test_a_hyperparameter_that_nobody_knows_starts_around_its_own_value():
    (sigma,) = np.exp(candidate_starts(DotProduct(300.0), (30,), 100)).T
    assert 30.0 <= sigma.min() < 40.0 and 2500.0 < sigma.max() <= 3000.0


def test_candidates_are_the_same_every_time():
    first, again = (candidate_starts(RBF([2.0, 3.0]) + WhiteKernel(), (9, 9), 8) for _ in range(2))
    np.testing.assert_array_equal(first, again)
