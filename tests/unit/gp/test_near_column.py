"""Columns of the covariance near a pixel: what the whole column has there, and nothing elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.near_column import window_sides
from bluesky_gp.gp.posterior import GridPosterior
from bluesky_gp.gp.profiles import Profiles
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.gp.trend import Trend
from bluesky_gp.grid import PixelGrid

GRID = PixelGrid((80, 64))
SHORT = ConstantKernel(2.0) * RotatedMatern((1.5, 2.0), 1.4) + WhiteKernel(0.02)
RINGING = RBF(2.0) + WhiteKernel(1e-3)
KERNELS = {"rotated": SHORT, "smooth": RBF(1.5) + WhiteKernel(0.5), "rough": Matern(1.2, nu=1.5) + WhiteKernel(0.1)}


def posterior(kernel, *, near, m=600, noise=0.0, **options):
    rng = np.random.default_rng(0)
    pixels = rng.choice(GRID.size, m, replace=False)
    prior = covariance_of(kernel, GRID, near=near)
    noises = noise * rng.random(m)
    return GridPosterior.fit(prior, pixels, prior.sample(rng)[pixels], noise=noises, **options)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_batch_conditioned_in_windows_is_the_batch_conditioned_everywhere(kernel, noise):
    near, whole = posterior(kernel, near=True, noise=noise), posterior(kernel, near=False, noise=noise)
    np.testing.assert_allclose(near.variance, whole.variance, rtol=1e-4)
    scale = whole.prior.variance.max()
    rng = np.random.default_rng(1)
    pixels = np.concatenate([rng.choice(GRID.size, 8), 20 * 64 + np.arange(20, 26), [0, GRID.size - 1]])
    for pixel in pixels.tolist():
        value = float(near.mean[pixel]) + rng.choice([0.0, 1.0])
        near, whole = near.condition(pixel, value), whole.condition(pixel, value)
        assert whole.fantasies[-1].window is None
        assert near.fantasies[-1].std == pytest.approx(whole.fantasies[-1].std, rel=1e-3)
        np.testing.assert_allclose(near.fantasies[-1].gain, whole.fantasies[-1].gain, atol=1e-3 * np.sqrt(scale))
    assert sum(fantasy.window is not None for fantasy in near.fantasies) > 3
    np.testing.assert_allclose(near.variance, whole.variance, atol=1e-4 * scale)
    np.testing.assert_allclose(near.mean, whole.mean, atol=1e-3 * np.sqrt(scale))
    np.testing.assert_array_equal(near.fantasised, pixels)
    np.testing.assert_allclose(near.covariance_column(77), whole.covariance_column(77), atol=1e-4 * scale)


def test_what_a_window_changes_ends_at_its_edge_and_a_mean_that_came_true_stays():
    before = posterior(SHORT, near=True)
    after = before.condition(40 * 64 + 32, float(before.mean[40 * 64 + 32]))
    changed = after.variance != before.variance
    assert changed[40 * 64 + 32] and 10 < changed.sum() < GRID.size / 4
    assert after.mean is before.mean


def test_a_window_comes_after_a_fantasy_that_is_known_everywhere():
    near, whole = posterior(SHORT, near=True), posterior(SHORT, near=False).condition(1000, 0.0)
    mixed = replace(near, fantasies=whole.fantasies).condition(1001, 0.0)
    np.testing.assert_allclose(mixed.fantasies[1].gain, whole.condition(1001, 0.0).fantasies[1].gain, atol=1e-3)


def test_of_few_pixels_long_scales_uncertain_trends_and_other_kernels_columns_are_known_everywhere():
    few, long = posterior(SHORT, near=True, m=100), posterior(RBF(9.0) + WhiteKernel(0.1), near=True)
    trend = posterior(SHORT, near=True, trend=Trend.polynomial(GRID.coordinates, 1))
    for each in (few, long, trend):
        assert each.condition(7, 0.0).fantasies[0].window is None
    assert covariance_of(DotProduct() + RBF(1.0), GRID).near_column(3, np.arange(5), np.zeros(5)) is None


def test_a_column_that_has_not_fallen_off_at_the_edges_is_taken_whole():
    near, whole = posterior(RINGING, near=True), posterior(RINGING, near=False)
    for pixel in range(1000, 1400, 40):
        near, whole = near.condition(pixel, 0.0), whole.condition(pixel, 0.0)
        np.testing.assert_allclose(near.fantasies[-1].gain, whole.fantasies[-1].gain, atol=2e-3)
    assert any(fantasy.window is None for fantasy in near.fantasies)


def test_very_many_pixels_in_one_window_are_left_to_the_whole():
    pixels = (20 + np.arange(30)[:, None] * 64 + 10 + np.arange(30)).ravel()
    prior = covariance_of(Matern(1.9, nu=1.5) + WhiteKernel(0.1), GRID)
    assert prior.near_column(20 * 64 + 40, pixels, np.zeros(len(pixels))) is not None
    thrice = np.tile(pixels, 3)
    assert prior.near_column(20 * 64 + 40, thrice, np.zeros(len(thrice))) is None


def test_the_sides_of_a_window_hold_all_that_has_a_covariance():
    lags = np.stack(np.meshgrid(np.arange(-39, 40), np.arange(-29, 30), indexing="ij"), axis=-1)
    table = np.where((np.abs(lags[..., 0]) <= 3) & (np.abs(lags[..., 1]) <= 7), 1.0, 1e-6)
    np.testing.assert_array_equal(Profiles.of(table).reach(), [3, 7])
    assert window_sides(Profiles.of(table), (40, 30)) == (7, 15)
    assert window_sides(Profiles.of(np.ones((79, 59))), (40, 30)) is None
