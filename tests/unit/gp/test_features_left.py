"""Columns of pixels that share features, by windows and a product: what solutions and FFTs give."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel

from bluesky_gp.gp import FeatureCovariance, FeatureKernel, GridPosterior, RotatedMatern, Trend, covariance_of
from bluesky_gp.grid import PixelGrid

GRID = PixelGrid((40, 40))
BATCH = [5, 6, 46, 800, 801, 839, 1599, 700]
NEXT = [7, 45, 100, 802, 1000]


@pytest.fixture(params=[0.05, 1e-6], ids=["noisy", "hardly noisy"])
def posteriors(request, monkeypatch):
    """By windows, and exactly, of a hundred and fifty values."""
    monkeypatch.setattr("bluesky_gp.gp.lattice_covariance.EXACT", 0)
    rng = np.random.default_rng(0)
    base = covariance_of(ConstantKernel(0.5) * RotatedMatern((1.5, 1.2), 1.2) + WhiteKernel(request.param), GRID)
    U = np.stack([np.ones(GRID.size), np.sin(np.arange(GRID.size) / 7.0), rng.standard_normal(GRID.size)], axis=1)
    covariance = FeatureCovariance.of(base, FeatureKernel((0.4, 0.2), (2, 1)), U)
    S, trend = rng.choice(GRID.size, 150, replace=False), Trend.known(np.zeros(GRID.size))
    values = covariance.sample(rng)[S]
    return [GridPosterior.fit(covariance, S, values, trend=trend, exact=exact) for exact in (False, True)]


def after(posterior, batch):
    for pixel in batch:
        posterior = posterior.condition(pixel, 0.3)
    return posterior


def assert_alike(near, exact):
    assert near.left is not None and exact.left is None
    np.testing.assert_allclose(near.variance, exact.variance, atol=2e-4)
    np.testing.assert_allclose(near.mean, exact.mean, atol=1e-3)
    for mine, theirs in zip(near.fantasies, exact.fantasies, strict=True):
        np.testing.assert_allclose(mine.gain, theirs.gain, atol=1e-3)


def test_a_batch_is_taken_as_measured_as_by_whole_columns(posteriors):
    assert_alike(*(after(posterior, BATCH) for posterior in posteriors))


def test_after_the_batch_was_measured_the_next_is_taken_so_too(posteriors):
    near, exact = posteriors
    values = np.linspace(-1.0, 1.0, len(BATCH))
    observed = near.observe(np.array(BATCH[::-1]), values, ahead=after(near, BATCH).foreseen)
    assert not observed.left.taken
    assert_alike(after(observed, NEXT), after(exact.observe(np.array(BATCH[::-1]), values), NEXT))


def test_a_pixel_measured_twice_is_known_as_by_whole_columns(posteriors):
    twice = np.array([800, 800, 801])
    near, exact = (posterior.observe(twice, np.zeros(3)) for posterior in posteriors)
    assert_alike(after(near, NEXT), after(exact, NEXT))


def test_where_a_window_is_no_small_part_of_the_lattice_whole_columns_are_taken(posteriors, monkeypatch):
    near, exact = posteriors
    monkeypatch.setattr("bluesky_gp.gp.near_column._MOST", 3)
    again, whole = after(near, BATCH), after(exact, BATCH)
    assert again.left is None
    np.testing.assert_allclose(again.variance, whole.variance, atol=2e-4)


def test_whole_columns_may_follow_windows(posteriors, monkeypatch):
    near, exact = (after(posterior, BATCH[:4]) for posterior in posteriors)
    monkeypatch.setattr("bluesky_gp.gp.near_column._MOST", 3)
    again, whole = after(near, BATCH[4:]), after(exact, BATCH[4:])
    assert near.left is not None and again.left is None
    np.testing.assert_allclose(again.variance, whole.variance, atol=2e-4)


def test_the_coefficients_of_a_trend_that_are_uncertain_have_whole_columns(posteriors):
    prior, (S, values) = posteriors[0].prior, posteriors[0].measured
    slope = Trend.polynomial(GRID.coordinates, 1)
    assert GridPosterior.fit(prior, S, values, trend=slope).left is None
