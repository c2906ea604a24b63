import mpmath
import numpy as np
import pytest
from views import view

from bluesky_gp.acquisition.level_set import LevelSet, TargetValue, log_improvement_between, log_nearer


def h(z):
    return mpmath.npdf(z) + z * mpmath.ncdf(z)


@mpmath.workdps(60)
def exact_nearer(mean, std, d):
    mean, std, d = map(mpmath.mpf, (mean, std, d))
    return float(mpmath.log(std * (h((d - mean) / std) - 2 * h(-mean / std) + h((-mean - d) / std))))


@mpmath.workdps(60)
def exact_between(mean, std, low, high):
    mean, std, low, high = map(mpmath.mpf, (mean, std, low, high))
    return float(mpmath.log(std * (h((mean - low) / std) - h((mean - high) / std))))


WHERE = [0.0, 0.3, 1.0, 4.0, 17.0, 60.0]
WIDTHS = [1e-7, 1e-3, 0.05, 0.2, 0.31, 0.9, 1.1, 3.0, 40.0, 1e5]


@pytest.mark.parametrize("d", WIDTHS)
@pytest.mark.parametrize("std", [1.0, 1e-4])
def test_the_improvement_towards_a_value_is_exact_however_far_and_however_narrow(d, std):
    mean = np.array(WHERE) * std
    expected = [exact_nearer(m, std, d * std) for m in mean]
    assert log_nearer(mean, np.full(len(mean), std), d * std) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("std", [1.0, 1e-4])
def test_what_of_an_improvement_lies_between_two_bars_is_exact(width, std):
    mean = np.array([-z for z in WHERE] + WHERE + [1e4, 1e7]) * std
    expected = [exact_between(m, std, 0.0, width * std) for m in mean]
    got = log_improvement_between(mean, np.full(len(mean), std), 0.0, width * std)
    assert got == pytest.approx(expected, rel=1e-11, abs=1e-11)


def test_the_improvement_towards_a_value_is_that_of_random_numbers():
    rng = np.random.default_rng(0)
    f = 0.4 + 0.7 * rng.standard_normal(400_000)
    gain = np.maximum(0.0, 0.5 - np.abs(f))
    error = gain.std() / np.sqrt(len(f))
    assert np.exp(log_nearer(np.array([0.4]), np.array([0.7]), 0.5)) == pytest.approx(gain.mean(), abs=5 * error)


def test_nothing_comes_nearer_than_a_pixel_that_has_the_value():
    assert np.all(log_nearer(np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.0) == -np.inf)


@pytest.mark.parametrize("maximize", [True, False])
def test_a_level_is_looked_for_in_the_users_unit_whichever_way_is_better(maximize):
    found = view(maximize=maximize)
    mean, std = found.state.mean.ravel()[found.pixels], found.state.std.ravel()[found.pixels]
    assert LevelSet(3.0).on(found) == pytest.approx(1.96 * std - np.abs(mean - 3.0))


@pytest.mark.parametrize("maximize", [True, False])
def test_a_value_is_looked_for_in_the_users_unit_whichever_way_is_better(maximize):
    found = view(maximize=maximize)
    state = found.state
    mean, std = state.mean.ravel()[found.pixels], state.std.ravel()[found.pixels]
    d = np.abs(state.mean.ravel()[found.measured] - 3.0).min()
    assert TargetValue(3.0).on(found) == pytest.approx(log_nearer(np.abs(mean - 3.0), std, d))
