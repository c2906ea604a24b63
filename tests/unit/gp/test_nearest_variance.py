import numpy as np
import pytest
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from bluesky_gp import PixelGrid
from bluesky_gp.gp import lattice_covariance as module
from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.nearest_variance import nearest_variance
from bluesky_gp.gp.posterior import GridPosterior
from bluesky_gp.gp.profiles import Profiles
from bluesky_gp.gp.rotated_matern import RotatedMatern

KERNEL = ConstantKernel(1.5) * RotatedMatern((4.0, 6.0), 1.3) + WhiteKernel(0.02)


def clustered(grid, m, seed=0):
    """Half of the pixels anywhere, half around one place."""
    rng = np.random.default_rng(seed)
    weights = np.exp(-np.sum((grid.coordinates - np.array(grid.shape) / 3) ** 2, axis=1) / 50) + 1e-3
    return rng.choice(grid.size, m, replace=False, p=weights / weights.sum())


def variances(grid, S, kernel=KERNEL):
    prior = LatticeCovariance.of(kernel, grid)
    exact = GridPosterior.fit(prior, S, np.zeros(len(S)), exact=True).variance
    return nearest_variance(prior, S, np.full(len(S), prior.noise)), exact


@pytest.mark.parametrize("shape", [(64, 80), (90, 41), (33, 130)])
def test_the_nearest_pixels_are_enough_and_never_claim_too_much(shape):
    grid = PixelGrid(shape)
    near, exact = variances(grid, clustered(grid, 900))
    assert np.all(near >= exact * (1 - 1e-9))
    assert np.max(near / exact) < 1.01


@pytest.mark.parametrize("m", [200, 900])
def test_what_has_no_covariance_with_a_tile_is_left_out_and_changes_nothing(m):
    grid = PixelGrid((120, 130))
    S = clustered(grid, m)
    prior = LatticeCovariance.of(ConstantKernel(1.5) * RotatedMatern((1.5, 2.0), 1.3) + WhiteKernel(0.02), grid)
    noise = np.full(m, prior.noise)
    most = Profiles.of(prior.table.reshape(239, 259)).reach()
    assert most.max() < 30
    without = nearest_variance(prior, S, noise)
    np.testing.assert_allclose(nearest_variance(prior, S, noise, most), without, rtol=1e-3)
    np.testing.assert_allclose(nearest_variance(prior, S, noise, np.array(grid.shape)), without, rtol=1e-7)


def test_where_nothing_was_measured_within_reach_the_prior_stays(capfd):
    grid = PixelGrid((200, 200))
    prior = LatticeCovariance.of(Matern(1.5, nu=1.5) + WhiteKernel(0.1), grid)
    S = np.arange(0, 4000, 20)
    variance = prior.nearest_variance(S, np.zeros(len(S))).variance
    assert variance[S].max() < 0.5
    np.testing.assert_array_equal(variance[-8000:], prior.variance[-8000:])
    assert capfd.readouterr().err == ""  # LAPACK complains of matrices without rows


def test_with_fewer_pixels_than_neighbours_it_is_exact():
    grid = PixelGrid((40, 40))
    near, exact = variances(grid, clustered(grid, 200))
    np.testing.assert_allclose(near, exact, rtol=1e-9)


def test_it_works_along_one_axis_and_three():
    line, volume = PixelGrid((500,)), PixelGrid((12, 13, 14))
    for grid, kernel in ((line, Matern(5.0) + WhiteKernel(0.1)), (volume, Matern(2.0) + WhiteKernel(0.1))):
        S = np.random.default_rng(0).choice(grid.size, 180, replace=False)
        near, exact = variances(grid, S, kernel)
        np.testing.assert_allclose(near, exact, rtol=1e-9)


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_posterior_by_iteration_and_nearest_pixels_is_the_dense_one(monkeypatch, limit):
    grid = PixelGrid((50, 40))
    S = clustered(grid, 450)
    values = np.random.default_rng(1).standard_normal(450)
    values[[3, 440]] = np.nan
    dense = GridPosterior.of(KERNEL, grid, S, values)
    monkeypatch.setattr(module, "DENSE", limit)
    monkeypatch.setattr(module, "EXACT", limit)
    other = GridPosterior.of(KERNEL, grid, S[:440], values[:440])
    other = other.observe(S[440:], values[440:])
    np.testing.assert_allclose(other.mean, dense.mean, atol=1e-6)
    np.testing.assert_allclose(other.variance, dense.variance, rtol=1e-2, atol=1e-9)
    np.testing.assert_allclose(other.covariance_column(77), dense.covariance_column(77), atol=1e-5)
    said = "solved by iteration; variance from nearest pixels, up to " if limit == 0 else ""
    assert other.approximations.startswith(said) and (limit == 0 or other.approximations == "")
    assert other.excess < 1e-2


def test_no_dense_factor_is_held_for_very_many_pixels_which_were_more_before_numerics_0_3(monkeypatch):
    monkeypatch.setattr(module, "DENSE", 100)
    monkeypatch.setattr(module, "DENSE_BEFORE", 119)
    grid, S, noise = PixelGrid((60, 60)), np.arange(0, 3600, 30), np.zeros(120)
    now, before = (LatticeCovariance.of(KERNEL, grid, quick=quick) for quick in (True, False))
    assert now.solver(S, noise).notes == before.solver(S, noise).notes == "solved by iteration"
    assert now.solver(S[:101], noise[:101]).notes == "solved by iteration"
    assert now.solver(S[:100], noise[:100]).notes == before.solver(S[:119], noise[:119]).notes == ""
