import numpy as np
import pytest
from mpmath import log as mplog
from mpmath import mp, ncdf
from views import GRID, optimizer, view

from bluesky_gp import ConfidenceBound, ExpectedImprovement, PosteriorUncertainty, ProbabilityOfImprovement
from bluesky_gp.acquisition.combined import Feasible, PerSecond, Product, Sum, log_probability
from bluesky_gp.acquisition.level_set import LevelSet, TargetValue
from bluesky_gp.plain_data import DescriptionError, describe, make

EI, PI, STD = ExpectedImprovement(), ProbabilityOfImprovement(), PosteriorUncertainty()


def scores(acquisition, found):
    return found.scored_by(acquisition)


def mean_alone(mean, std, best, *, rng):
    return mean


def test_a_sum_of_plain_scores_is_their_weighted_sum():
    found = view()
    assert scores(Sum([STD, mean_alone], [2.0, -0.5]), found) == pytest.approx(2.0 * found.std - 0.5 * found.mean)
    assert scores(Sum([STD, LevelSet(1.0)]), found) == pytest.approx(found.std + scores(LevelSet(1.0), found))


def test_a_sum_of_logarithms_is_the_logarithm_of_the_sum_however_small():
    found = view()
    both = Sum([EI, TargetValue(3.0)], [1.0, 3.0])
    assert both.logarithmic
    expected = np.log(np.exp(scores(EI, found)) + 3.0 * np.exp(scores(TargetValue(3.0), found)))
    assert scores(both, found) == pytest.approx(expected)
    far = found.against(1e5)
    assert np.isfinite(scores(Sum([EI, PI]), far)).all()


def test_beside_a_plain_score_a_logarithm_enters_as_a_number():
    found = view()
    mixed = Sum([EI, STD])
    assert not mixed.logarithmic
    assert scores(mixed, found) == pytest.approx(np.exp(scores(EI, found)) + found.std)


def test_a_product_is_the_logarithm_of_the_product_of_powers():
    found = view()
    expected = scores(EI, found) + 0.5 * np.log(found.std)
    assert scores(Product([EI, STD], [1.0, 0.5]), found) == pytest.approx(expected)
    assert np.isfinite(scores(Product([EI, STD]), found.against(1e5))).all()


def test_of_a_negative_factor_nothing_is_left():
    found = view()
    worthless = scores(Product([EI, lambda mean, std, best, *, rng: mean - 3.0]), found)
    assert np.array_equal(worthless == -np.inf, found.mean <= 3.0)


def test_one_part_alone_is_that_part():
    found = view()
    assert np.array_equal(scores(Sum([EI]), found), scores(EI, found))
    assert np.array_equal(scores(Product([EI]), found), scores(EI, found))


def exact_probability(mean, std, low, high):
    with mp.workdps(1500):
        return float(mplog(ncdf((high - mean) / mp.mpf(std)) - ncdf((low - mean) / mp.mpf(std))))


@pytest.mark.parametrize("std", [1.0, 0.02])
@pytest.mark.parametrize(("low", "high"), [(-np.inf, 0.5), (0.5, np.inf), (-0.4, 0.5), (0.3, 0.30001)])
def test_the_probability_of_lying_in_bounds_is_exact_far_outside_too(std, low, high):
    mean = np.array([-1.0, -0.3, 0.0, 0.4, 0.5, 1.3])
    expected = [exact_probability(m, std, mp.mpf(low), mp.mpf(high)) for m in mean]
    assert log_probability(mean, np.full(len(mean), std), low, high) == pytest.approx(expected, rel=1e-9, abs=1e-11)


def test_a_number_that_is_known_is_in_bounds_or_not():
    known = log_probability(np.array([0.0, 1.0, 2.0]), np.zeros(3), 0.5, 1.5)
    assert known[1] == 0.0 and np.all(known[[0, 2]] < -1e200)


def test_feasible_is_an_improvement_over_the_best_feasible_pixel_times_the_probability():
    found = view()
    mean, std = found.other("tilt")
    inside = found.measured[mean[found.measured] > -2.0]
    best = found.state.mean.ravel()[inside].max()
    assert best < found.best and len(inside) > 1
    expected = scores(EI, found.against(best)) + log_probability(mean, std, -2.0, np.inf)[found.pixels]
    assert scores(Feasible("tilt", above=-2.0), found) == pytest.approx(expected)


def test_feasible_agrees_with_random_numbers():
    found = view()
    one = np.argmax(scores(Feasible("tilt", above=-3.0, below=3.0), found))
    mean, std = (values[found.pixels[one]] for values in found.other("tilt"))
    rng = np.random.default_rng(1)
    tilts, heights = rng.standard_normal((2, 400_000))
    inside = np.abs(mean + std * tilts) < 3.0
    best = found.state.mean.ravel()[found.measured[np.abs(found.other("tilt")[0][found.measured]) < 3.0]].max()
    gain = np.maximum(found.mean[one] + found.std[one] * heights - best, 0.0) * inside
    score = np.exp(scores(Feasible("tilt", above=-3.0, below=3.0), found)[one])
    assert score == pytest.approx(gain.mean(), abs=5 * gain.std() / np.sqrt(len(gain)))


def test_while_nothing_is_feasible_the_probability_alone_chooses():
    found = view()
    mean, std = found.other("tilt")
    expected = log_probability(mean, std, 30.0, np.inf)[found.pixels]
    assert np.isfinite(expected).all()
    assert np.array_equal(scores(Feasible("tilt", above=30.0), found), expected)


def test_of_a_number_that_no_pixel_has_nothing_is_said_and_the_variance_chooses():
    found = optimizer(others=("width",), acquisition=Feasible("width", above=0.0), batch=1.0)
    plain = optimizer(others=("width",), batch=0.0)
    assert found.suggest(3) == plain.suggest(3)
    assert "no number for" in found.state.warning


def test_seconds_are_those_of_the_slower_axis_and_the_exposure():
    found = view(chosen=(GRID.ravel([[4, 4]])[0],))
    seconds = PerSecond(0.5, (0.1, 2.0)).seconds(found)
    rows, cols = np.abs(GRID.unravel(found.pixels) - [4, 4]).T
    assert seconds == pytest.approx(0.5 + np.maximum(rows * 0.5 / 0.1, cols * 2.0 / 2.0))
    assert scores(PerSecond(0.5, (0.1, 2.0)), found) == pytest.approx(scores(EI, found) - np.log(seconds))


def test_far_pixels_are_left_to_later_where_the_stage_is_slow():
    slow = optimizer(acquisition=PerSecond(0.1, 0.01, STD), batch=1.0)
    start = GRID.unravel(slow.state.pixels[-1:])[0]
    chosen = slow.suggest(1)[0]
    assert abs(chosen["row"] - start[0]) * 0.5 <= 2.0 and abs(chosen["col"] - start[1]) * 2.0 <= 2.0


@pytest.mark.parametrize(
    "acquisition",
    [
        Sum([EI, Product([PI, STD])], [0.3, 0.7]),
        Feasible("tilt", above=0.5, acquisition=ConfidenceBound(3.0)),
        PerSecond(2.35, (1.0, 2.0), Feasible("tilt", below=1.0)),
    ],
)
def test_what_is_combined_is_described_and_made_again(acquisition):
    found, again = view(), make(describe(acquisition))
    assert describe(again) == describe(acquisition)
    assert np.array_equal(scores(again, found), scores(acquisition, found))


def test_a_part_that_was_somebodys_own_function_is_asked_for():
    with pytest.raises(DescriptionError, match="parts must be acquisition functions"):
        make(describe(Sum([EI, mean_alone])))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Sum([]), "parts must be"),
        (lambda: Sum([EI, STD], [1.0]), "2 parts need as many numbers"),
        (lambda: Sum([EI, PI], [1.0, -1.0]), "leaves no logarithm"),
        (lambda: Sum(EI, STD), r"Sum: parts must be a list of acquisition functions, got one, Exp.*: write \["),
        (lambda: Product(["ei"]), r"got \['ei'\]"),
        (lambda: Feasible("tilt"), "above= or below="),
        (lambda: Feasible("tilt", above=2.0, below=1.0), "above < below"),
        (lambda: PerSecond(0.0, 1.0), "above 0"),
        (lambda: PerSecond(1.0, (1.0, -1.0)), "above 0"),
    ],
)
def test_nonsense_is_refused(build, said):
    with pytest.raises((TypeError, ValueError), match=said):
        build()
