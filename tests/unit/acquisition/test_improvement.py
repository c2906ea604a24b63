import mpmath
import numpy as np
import pytest
from contexts import outlook_of
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp import PixelGrid
from bluesky_gp.acquisition.improvement import (
    ConfidenceBound,
    ConfidenceSchedule,
    ExpectedImprovement,
    PosteriorUncertainty,
    ProbabilityOfImprovement,
    log_improvement,
)

EVERY = [ExpectedImprovement(), ProbabilityOfImprovement(), ConfidenceBound(), PosteriorUncertainty()]
every = pytest.mark.parametrize("acquisition", EVERY, ids=repr)
FAR = [-1e150, -1e8, -1e4, -1001.0, -999.0, -500.0, -40.0, -39.0, -8.0, -1.001, -1.0, -0.999, -0.1, 0.0, 0.1, 5.0, 40.0]


def score(acquisition, mean, std, best):
    return acquisition(np.atleast_1d(mean), np.atleast_1d(std), best, rng=np.random.default_rng(0))


def exact_log_improvement(z):
    with mpmath.workdps(50):
        z = mpmath.mpf(z)
        if z > -1e5:
            return float(mpmath.log(mpmath.npdf(z) + z * mpmath.ncdf(z)))
        return float(-z * z / 2 - mpmath.log(2 * mpmath.pi) / 2 - 2 * mpmath.log(-z) + mpmath.log1p(-3 / z**2))


@pytest.mark.parametrize("z", [*FAR, 1e6])
def test_log_improvement_is_right_however_far_below_the_incumbent(z):
    assert log_improvement(np.array([z]))[0] == pytest.approx(exact_log_improvement(z), rel=1e-12)


@given(st.floats(-1e3, 30.0))
def test_log_improvement_is_right_everywhere(z):
    exact = exact_log_improvement(z)
    assert log_improvement(np.array([z]))[0] == pytest.approx(exact, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("z", [-1e4, -1e3, -40.0, -1.0])
def test_log_improvement_grows_through_every_change_of_formula(z):
    around = log_improvement(z * (1.0 + np.linspace(1e-3, -1e-3, 101)))
    assert np.all(np.diff(around) > 0.0)


@pytest.mark.parametrize("z", [*FAR[2:], 1e6])
def test_log_probability_is_right_however_far_below_the_incumbent(z):
    with mpmath.workdps(50):
        exact = float(mpmath.log(mpmath.ncdf(z)))
    assert score(ProbabilityOfImprovement(), z, 1.0, 0.0)[0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("mean", "std", "best", "xi"), [(1.0, 2.0, 1.5, 0.0), (-1.0, 0.5, -1.2, 0.3), (3.0, 1.0, 1.0, 0)]
)
def test_improvement_and_its_probability_are_those_of_samples(mean, std, best, xi):
    n = 200_000
    gain = mean + std * np.random.default_rng(0).standard_normal(n) - best - xi
    improvement = np.maximum(gain, 0.0)
    expected = np.exp(score(ExpectedImprovement(xi), mean, std, best)[0])
    probability = np.exp(score(ProbabilityOfImprovement(xi), mean, std, best)[0])
    assert abs(expected - improvement.mean()) < 5.0 * improvement.std() / np.sqrt(n)
    assert abs(probability - np.mean(gain > 0.0)) < 5.0 * 0.5 / np.sqrt(n)


def test_the_bound_and_the_uncertainty_are_what_they_say():
    mean, std = np.array([1.0, 2.0]), np.array([0.5, 0.1])
    np.testing.assert_allclose(score(ConfidenceBound(3.0), mean, std, 9.0), [2.5, 2.3])
    np.testing.assert_array_equal(score(PosteriorUncertainty(), mean, std, 9.0), std)


def test_the_scheduled_bound_is_that_of_the_theorem_for_the_pixels_and_values_there_are():
    mask = np.arange(30).reshape(6, 5) % 3 == 0
    for num in (8, 14):
        view = outlook_of(PixelGrid((6, 5), mask=mask), num=num)
        beta = 2.0 * np.log(20 * num**2 * np.pi**2 / (6 * 0.05))
        expected = view.mean + np.sqrt(0.5 * beta) * view.std
        np.testing.assert_allclose(ConfidenceSchedule(delta=0.05, scale=0.5).on(view), expected)


@given(st.floats(-3.0, 3.0), st.floats(0.01, 2.0), st.floats(0.1, 1.0))
def test_a_better_mean_is_never_ranked_below_and_neither_is_a_wider_spread_under_the_incumbent(mean, std, step):
    for acquisition in EVERY:
        worse, better = score(acquisition, [mean, mean + step], [std, std], 0.0)
        assert better >= worse
        narrow, wide = score(acquisition, [-abs(mean)] * 2, [std, std + step], 0.0)
        assert wide >= narrow


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_the_ranking_does_not_depend_on_the_unit_of_the_target(shift, scale):
    rng = np.random.default_rng(0)
    mean, std = rng.standard_normal(20), rng.random(20) + 0.1
    for acquisition in EVERY:
        ranking = np.argsort(score(acquisition, mean, std, 1.0))
        again = np.argsort(score(acquisition, shift + scale * mean, scale * std, shift + scale))
        np.testing.assert_array_equal(again, ranking)


@every
@pytest.mark.parametrize("unit", [1e-100, 1e-12, 1.0, 1e12, 1e100])
def test_a_spread_of_zero_and_any_unit_give_numbers_and_no_warning(acquisition, unit):
    mean = unit * np.array([-5.0, -1.0, 0.0, 1.0, 5.0])
    for std in (np.zeros(5), np.full(5, unit)):
        scores = score(acquisition, mean, std, 0.0)
        assert not np.isnan(scores).any()
        assert np.all(np.diff(scores) >= 0.0)


def test_without_spread_the_improvement_is_the_difference_itself():
    assert score(ExpectedImprovement(xi=0.5), 3.0, 0.0, 1.0)[0] == pytest.approx(np.log(1.5))
    assert score(ExpectedImprovement(), 0.5, 0.0, 1.0)[0] < -1e200


@every
def test_of_no_candidates_there_are_no_scores(acquisition):
    assert score(acquisition, np.empty(0), np.empty(0), 0.0).shape == (0,)


def test_one_number_far_below_the_incumbent_is_as_in_an_array():
    far = -np.array([0.5, 30.0, 1e4])
    assert [float(log_improvement(z)) for z in far] == log_improvement(far).tolist()
