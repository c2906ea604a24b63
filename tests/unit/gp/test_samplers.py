import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, Matern, RationalQuadratic

from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.gp.samplers import CirculantSampler, FactorSampler
from bluesky_gp.grid import PixelGrid


def test_what_a_torus_cannot_represent_is_told():
    long = LatticeCovariance.of(RBF(20.0), PixelGrid((5,)))
    lags = np.fft.fftfreq(10, 0.1)[:, None]
    assert CirculantSampler.from_torus(long.kernel(lags, np.zeros((1, 1)))[:, 0], (5,)).deficit > 1e-3
    assert long._sampler.deficit < 1e-4  # on a larger one


def test_a_sample_is_a_function_of_its_generator():
    sampler = LatticeCovariance.of(RBF(2.0), PixelGrid((5, 4)))._sampler
    first, second, other = (sampler(np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.parametrize("length", [0.5, 5.0, 76.0])
@pytest.mark.parametrize("kernel", [RBF(), Matern(nu=0.5), Matern(nu=2.5), RotatedMatern()], ids=str)
def test_samples_miss_no_part_of_the_prior_however_long_its_length_scales(kernel, length):
    lengths = (length, length) if isinstance(kernel, RotatedMatern) else length
    sampler = LatticeCovariance.of(kernel.set_params(length_scale=lengths), PixelGrid((70, 70)))._sampler
    assert sampler.deficit < 1e-4


def test_a_few_pixels_of_a_kernel_that_fits_no_torus_are_sampled_by_their_factor():
    assert isinstance(LatticeCovariance.of(RationalQuadratic(5.0, 0.1), PixelGrid((6, 7)))._sampler, FactorSampler)
