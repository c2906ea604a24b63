"""The rule that says how many points are enough, on runs made by hand."""

import numpy as np
import pytest

from bluesky_gp.rehearsal.enough import Goals, Reached, is_plateau, level, standing
from bluesky_gp.rehearsal.run import Run

GOALS = Goals(maximum=3.0, near=2.5, top=2.0, level=0.5)


def run(error, best, seed=0):
    """A run judged every ten points, in which the best value measured grew after each of these points."""
    found = np.full(10 * len(error), -np.inf)
    for point, value in best.items():
        found[point - 1 :] = value
    num = 10 * np.arange(1, len(error) + 1)
    return Run("method", seed, num, np.array(error), np.arange(1, len(found) + 1), found, np.arange(len(found)))


def test_the_map_is_enough_from_where_it_stays_good_enough():
    assert standing([run([1.0, 0.4, 0.6, 0.5, 0.4], {1: 3.0})], GOALS).enough_for_map == 40
    assert standing([run([0.4, 0.4, 0.4], {1: 3.0})], GOALS).enough_for_map == 10
    assert standing([run([0.4, 0.4, 0.6], {1: 3.0})], GOALS).enough_for_map is None


def test_the_map_is_judged_by_the_median_of_the_seeds():
    errors = ([0.9, 0.3, 0.3], [0.9, 0.4, 0.4], [0.9, 0.9, 0.9])
    assert standing([run(error, {1: 3.0}) for error in errors], GOALS).enough_for_map == 20


def test_every_seed_must_find_a_pixel_that_the_noise_does_not_tell_from_the_best():
    runs = [run([0.4] * 4, {4: 1.0, 12: 2.6}), run([0.4] * 4, {3: 2.1, 31: 3.0})]
    result = standing(runs, GOALS)
    assert result.to_near.points == (12, 31)
    assert (result.to_top.points, result.to_maximum.points) == ((12, 3), (None, 31))
    assert result.enough == 31
    assert standing([*runs, run([0.4] * 4, {1: 2.4})], GOALS).enough is None


def test_regret_is_what_the_best_measured_value_misses():
    result = standing([run([0.4] * 3, {4: 1.0, 15: 2.5})], GOALS)
    assert result.regret.tolist() == [2.0, 0.5, 0.5]
    assert standing([run([0.4] * 3, {12: 1.0})], GOALS).to_dict()["regret"] == [None, 2.0, 2.0]


def test_a_run_that_a_rule_stopped_keeps_its_map():
    result = standing([run([0.6, 0.4], {1: 3.0}), run([0.6, 0.6, 0.6, 0.2], {1: 3.0})], GOALS)
    assert result.num.tolist() == [10, 20, 30, 40]
    assert result.errors[0].tolist() == [0.6, 0.4, 0.4, 0.4]


def test_good_enough_is_an_error_a_tenth_above_the_end_or_the_floor():
    assert level(end=0.5, floor=0.2) == pytest.approx(0.55)
    assert level(end=0.2, floor=0.5) == pytest.approx(0.55)
    assert level(end=0.01, floor=0.02) == 0.1, "nobody minds a tenth of the map's spread"


def test_of_a_noisy_map_nine_tenths_of_what_can_be_explained_must_be():
    assert 1.0 - level(end=0.9, floor=0.8) ** 2 == pytest.approx(0.9 * (1.0 - 0.9**2))
    assert level(end=1.02, floor=0.9) == pytest.approx(1.02), "a map of noise alone"


def test_a_plateau_begins_before_the_last_quarter():
    assert [is_plateau(enough, 100) for enough in (20, 75, 80, None)] == [True, True, False, False]


def test_the_median_counts_the_seeds_that_never_did():
    assert Reached((10, None, 30)).median == 30
    assert Reached((10, None, None)).median is None
    assert Reached((10, 20)).found == 2


def test_nine_in_ten_seeds_are_most_but_of_five_all_are():
    assert Reached((10, 20, 30, 40, 50)).most == 50
    assert Reached((10, 20, 30, 40, None)).most is None
    assert Reached((10,) * 9 + (None,)).most == 10
    assert Reached((10,) * 8 + (None,) * 2).most is None


def test_the_bound_covers_nine_in_ten_other_seeds_in_three_of_four_rehearsals():
    rng = np.random.default_rng(0)
    points = np.rint(np.exp(rng.normal(4.0, 0.5, (400, 5)))).astype(int)
    bounds = [Reached(tuple(row)).bound(1, 10_000) for row in points.tolist()]
    needed = np.exp(4.0 + 0.5 * 1.2816)
    # At least: the bound is never less than the slowest seed that there was.
    assert 0.7 < np.mean(bounds > needed) < 0.85


def test_map_and_maximum_may_be_wanted_alone():
    result = standing([run([0.9, 0.4, 0.4], {1: 1.0, 30: 3.0}), run([0.9, 0.4, 0.4], {25: 3.0})], GOALS)
    assert result.needed(10, "map") == 20
    assert result.needed(10, "maximum") == result.needed(10, "both") > 30
    assert standing([run([0.9] * 3, {1: 3.0})], GOALS).needed(10) is None


def test_luck_in_the_random_pixels_makes_no_bound_wider():
    assert Reached((1, 40, 50, 45, 40)).bound(10, 100) < Reached((1, 40, 50, 45, 40)).bound(1, 100)
    assert Reached((2, 3, 4)).bound(10, 100) == pytest.approx(10.0)
    assert Reached((2, None, 4)).bound(10, 100) is None
