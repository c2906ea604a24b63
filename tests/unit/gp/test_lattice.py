import numpy as np
import pytest
from gp_problems import problems
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import WhiteKernel

from bluesky_gp import PixelGrid
from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.rotated_matern import RotatedMatern


@given(problems(), st.integers(0, 99))
def test_a_product_by_fft_is_the_product_with_the_matrix(problem, seed):
    product = LatticeCovariance.of(problem.kernel, problem.grid).product
    everywhere = problem.grid.coordinates
    fields = np.random.default_rng(seed).standard_normal((2, problem.grid.size))
    truth = fields @ problem.kernel(everywhere, everywhere)
    np.testing.assert_allclose(product(fields), truth, atol=1e-12 * np.abs(truth).max())
    np.testing.assert_allclose(product(fields[0]), truth[0], atol=1e-12 * np.abs(truth).max())


@pytest.mark.parametrize("masked", [0, 1])
@pytest.mark.parametrize("roughness", [0.0, 0.1])
def test_what_is_nothing_at_long_lags_is_left_out_and_needs_less_padding(roughness, masked):
    grid = PixelGrid((150, 200), mask=np.arange(30000).reshape(150, 200) < masked)
    kernel = 2.0 * RotatedMatern((2.0, 3.0), 1.5, roughness=roughness) + WhiteKernel(0.1)
    quick, full = (LatticeCovariance.of(kernel, grid, quick=quick) for quick in (True, False))
    assert np.sum(quick.table == 0.0) > np.sum(full.table == 0.0)
    np.testing.assert_allclose(quick.table, full.table, rtol=0.0, atol=1e-16)
    assert all(less < all_ for less, all_ in zip(quick.product.padded, full.product.padded, strict=True))
    field = np.random.default_rng(0).standard_normal(grid.size)
    np.testing.assert_allclose(quick.product(field), full.product(field), atol=1e-11)
    np.testing.assert_allclose(quick.neighbourhood, full.neighbourhood, rtol=1e-11)


def test_lags_of_pairs_are_found_by_sorting_as_by_looking_through_all(monkeypatch):
    prior = LatticeCovariance.of(RotatedMatern((2.0, 3.0), 1.5), PixelGrid((9, 12)))
    S = np.random.default_rng(0).choice(108, 20, replace=False)
    looked_through = prior.among(S)
    monkeypatch.setattr("bluesky_gp.gp.lattice_covariance._FEW", 10.0)
    by_sorting = prior.among(S)
    np.testing.assert_array_equal(by_sorting.lags, looked_through.lags)
    np.testing.assert_array_equal(by_sorting.lag_of_pair, looked_through.lag_of_pair)
