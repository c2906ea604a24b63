import mpmath
import numpy as np
import pytest
from contexts import outlook_of
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.preprocessing import FunctionTransformer

from bluesky_gp import MaxValueEntropy, PixelGrid, ThompsonSampling
from bluesky_gp.acquisition.sampling import joint_samples, log_information

GRID = PixelGrid((6, 5))


def exact_log_information(z):
    with mpmath.workdps(60 if z < 0 else 400):  # from 0 on the terms are small differences from 1
        z = mpmath.mpf(z)
        below = mpmath.ncdf(z)
        return float(mpmath.log(z * mpmath.npdf(z) / (2 * below) - mpmath.log(below)))


@pytest.mark.parametrize("z", [-1e8, -1001.0, -999.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 5.0, 8.3, 20.0, 38.0, 40.0])
def test_the_information_is_right_however_far_below_the_maximum(z):
    assert log_information(np.array([z]))[0] == pytest.approx(exact_log_information(z), rel=1e-11)


@given(st.floats(-50.0, 40.0))
def test_the_information_is_right_everywhere(z):
    assert log_information(np.array([z]))[0] == pytest.approx(exact_log_information(z), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("z", [1e4, 1e100, 1e150])
def test_beyond_all_numbers_the_information_still_has_a_logarithm(z):
    assert log_information(np.array([z]))[0] == pytest.approx(-0.5 * z * z, rel=1e-6)


def test_the_entropy_is_the_mean_over_the_maxima_of_the_joint_samples():
    view = outlook_of(GRID)
    scores = MaxValueEntropy(num_samples=50).on(view)
    maxima = joint_samples(view, 50).max(axis=1)  # those of the batch, drawn once
    z = (maxima[:, None] - view.posterior.mean[view.pixels]) / view.posterior.std[view.pixels]
    expected = np.mean(z * norm.pdf(z) / (2.0 * norm.cdf(z)) - norm.logcdf(z), axis=0)
    assert np.exp(scores) == pytest.approx(expected)


def test_the_entropy_is_what_a_value_tells_of_the_maximum():
    """The value at a pixel is normal; once the maximum is known, it is cut off there."""
    z = 0.7
    y = np.linspace(-12.0, z, 200_001)
    density = norm.pdf(y) / norm.cdf(z)
    entropy = -np.trapezoid(density * (norm.logpdf(y) - norm.logcdf(z)), y)
    told = 0.5 * np.log(2.0 * np.pi * np.e) - entropy
    assert np.exp(log_information(np.array([z])))[0] == pytest.approx(told, rel=1e-6)


def test_a_masked_pixel_has_no_maximum():
    view = outlook_of(GRID)
    top = int(np.argmax(view.posterior.mean))
    mask = np.zeros(GRID.shape, dtype=bool)
    mask.flat[top] = True
    pixels = np.delete(np.arange(GRID.size), top)
    without = outlook_of(PixelGrid(GRID.shape, mask=mask), posterior=view.posterior, pixels=pixels)
    maxima = joint_samples(without, 32)[:, pixels].max(axis=1)
    z = (maxima[:, None] - view.posterior.mean[pixels]) / view.posterior.std[pixels]
    assert MaxValueEntropy(32).on(without) == pytest.approx(np.log(np.exp(log_information(z)).mean(axis=0)))


def test_a_transformation_changes_nothing_of_what_the_maximum_is_told():
    double = FunctionTransformer(np.sinh, np.arcsinh, check_inverse=False)
    pixels = outlook_of(GRID, transform=double).pixels
    told = outlook_of(GRID, transform=double)
    z = joint_samples(told, 32).max(axis=1)[:, None] - told.posterior.mean[pixels]
    expected = np.exp(log_information(z / told.posterior.std[pixels])).mean(axis=0)
    assert np.exp(MaxValueEntropy(32).on(told)) == pytest.approx(expected)


def test_samples_are_corrected_for_every_pixel_chosen_since_they_were_drawn():
    num, view = 6000, outlook_of(GRID, num=5)
    joint_samples(view, num)
    ahead = view.posterior
    for pixel, value in ((13, 0.5), (14, -0.2), (2, 0.0)):
        ahead = ahead.condition(pixel, ahead.mean[pixel] + value)
    drawn = joint_samples(view.with_(posterior=ahead), num)
    every = np.arange(GRID.size)
    assert np.all(np.abs(drawn.mean(axis=0) - ahead.mean) < 5.0 * ahead.std / np.sqrt(num) + 1e-9)
    assert np.cov(drawn.T) == pytest.approx(ahead.covariance(every, every), abs=0.08)
    assert drawn.std(axis=0) == pytest.approx(ahead.std, rel=0.06)


def test_a_pixel_is_chosen_as_often_as_it_is_the_maximum():
    draws = 1500
    view = outlook_of(GRID)
    mean, every = view.posterior.mean, np.arange(GRID.size)
    free = np.random.default_rng(1).multivariate_normal(mean, view.posterior.covariance(every, every), draws)
    best = np.bincount(np.argmax(free[:, view.pixels], axis=1), minlength=len(view.pixels)) / draws
    rng = np.random.default_rng(2)
    chosen = [int(np.argmax(ThompsonSampling().on(view.with_(rng=rng, memory={})))) for _ in range(draws)]
    frequency = np.bincount(chosen, minlength=len(view.pixels)) / draws
    assert np.all(np.abs(frequency - best) < 5.0 * np.sqrt(best * (1.0 - best) * 2.0 / draws) + 0.005)


def test_every_place_of_a_batch_has_a_sample_of_its_own_and_one_place_one():
    view = outlook_of(GRID)
    first, again = ThompsonSampling().on(view), ThompsonSampling().on(view)
    ahead = view.posterior.condition(7, float(view.posterior.mean[7]))
    assert np.array_equal(first, again)
    assert not np.allclose(first, ThompsonSampling().on(view.with_(posterior=ahead)), atol=0.01)


def test_a_sample_is_in_the_targets_unit():
    exponential = FunctionTransformer(np.arcsinh, np.sinh, check_inverse=False)
    view = outlook_of(GRID, transform=exponential)
    drawn = view.posterior.sample(np.random.default_rng(0))
    scale, center = view.state.units.standard.scale, view.state.units.standard.center
    assert ThompsonSampling().on(view) == pytest.approx(np.sinh(center + scale * drawn)[view.pixels])
