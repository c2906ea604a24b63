import numpy as np
import pytest
from scipy.linalg import solve_triangular
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from bluesky_gp import PixelGrid
from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.nearest_variance import nearest_variance
from bluesky_gp.gp.posterior_covariance import variance_given
from bluesky_gp.gp.profiles import Profiles
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.gp.tile_variance import LEAST, RELATED, tile_variance

KERNEL = ConstantKernel(1.5) * RotatedMatern((4.0, 6.0), 1.3) + WhiteKernel(0.02)
STRIPES = RotatedMatern((4.0, 40.0), 1.0, roughness=0.02) + WhiteKernel(0.002)


def pixels(grid, m, width=np.inf):
    """Pixels anywhere, or most of them around one place."""
    away = np.sum((grid.coordinates - np.array(grid.shape) / 3) ** 2, axis=1)
    weights = np.exp(-away / width) + 1e-3
    return np.random.default_rng(0).choice(grid.size, m, replace=False, p=weights / weights.sum())


def both(grid, S, kernel=KERNEL):
    """Variance by tiles, and the exact one."""
    prior = LatticeCovariance.of(kernel, grid)
    noise = np.full(len(S), prior.noise)
    root = solve_triangular(
        CholeskySolver.of(prior, S, 0.0 * noise).L, prior.block(S, np.arange(grid.size)), lower=True
    )
    near = tile_variance(
        prior, S, noise, Profiles.of(prior.table.reshape([2 * n - 1 for n in grid.shape])).reach(LEAST)
    )
    return near, prior.variance - np.square(root).sum(axis=0)


@pytest.mark.parametrize("width", [50.0, np.inf])
@pytest.mark.parametrize("shape", [(40, 48), (24, 70)])
def test_the_most_correlated_pixels_are_enough_and_never_claim_too_much(shape, width):
    grid = PixelGrid(shape)
    near, exact = both(grid, pixels(grid, 450, width))
    assert np.all(near >= exact * (1 - 1e-9))
    assert np.max(near / exact) < 1.1
    assert np.mean(near / exact) < 1.0005


def test_along_stripes_they_are_not_the_nearest():
    grid = PixelGrid((64, 96))
    S = pixels(grid, 400)
    near, exact = both(grid, S, STRIPES)
    prior = LatticeCovariance.of(STRIPES, grid)
    nearest = nearest_variance(prior, S, np.full(len(S), prior.noise), neighbours=RELATED)
    assert np.max(near / exact) < 1.05 < 1.1 < np.max(nearest / exact)


def test_with_few_measured_pixels_or_none_within_reach_it_is_exact():
    grid = PixelGrid((60, 70))
    near, exact = both(grid, pixels(grid, 90), Matern(3.0, nu=1.5) + WhiteKernel(0.1))
    np.testing.assert_allclose(near, exact, rtol=1e-4)
    near, exact = both(grid, np.arange(20), Matern(1.0, nu=1.5) + WhiteKernel(0.1))
    np.testing.assert_array_equal(near[-1000:], 1.0)


@pytest.mark.parametrize("shape", [(500,), (12, 13, 14)])
def test_it_works_along_one_axis_and_three(shape):
    grid = PixelGrid(shape)
    near, exact = both(grid, pixels(grid, 180), Matern(2.0) + WhiteKernel(0.1))
    np.testing.assert_allclose(near, exact, rtol=1e-2)


def test_how_far_it_is_off_is_known_without_the_solver_of_all_pixels():
    grid = PixelGrid((120, 130))
    prior, S = LatticeCovariance.of(RotatedMatern((1.5, 2.0), 1.3) + WhiteKernel(0.02), grid), pixels(grid, 300)
    noise = np.zeros(len(S))
    solver = CholeskySolver.of(prior, S, noise)
    said = variance_given(prior, S, noise, None, exact=False)[1]
    near, exact = (
        variance_given(prior, S, noise, solver, exact=False)[0].variance,
        variance_given(prior, S, noise, solver, exact=True)[0].variance,
    )
    some = np.random.default_rng(len(S)).choice(grid.size, 3, replace=False)
    assert said == pytest.approx(max(np.max(near[some] / exact[some] - 1.0), 1e-12), abs=1e-6)
