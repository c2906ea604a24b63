"""The standing of a method, on runs made by hand."""

import numpy as np

from bluesky_gp.rehearsal.enough import Requirements
from bluesky_gp.rehearsal.run import Run
from bluesky_gp.rehearsal.standing import standing

REQUIRED = Requirements(maximum=3.0, near=2.5, top=2.0, level=0.5)


def run(error, best, seed=0):
    """A run judged every ten points, in which the best value measured grew after each of these points."""
    found = np.full(10 * len(error), -np.inf)
    for point, value in best.items():
        found[point - 1 :] = value
    num = 10 * np.arange(1, len(error) + 1)
    return Run("method", seed, num, np.array(error), np.arange(1, len(found) + 1), found, np.arange(len(found)))


def test_the_map_is_enough_from_where_it_stays_good_enough():
    assert standing([run([1.0, 0.4, 0.6, 0.5, 0.4], {1: 3.0})], REQUIRED).enough_for_map == 40
    assert standing([run([0.4, 0.4, 0.4], {1: 3.0})], REQUIRED).enough_for_map == 10
    assert standing([run([0.4, 0.4, 0.6], {1: 3.0})], REQUIRED).enough_for_map is None


def test_the_map_is_judged_by_the_median_of_the_seeds():
    errors = ([0.9, 0.3, 0.3], [0.9, 0.4, 0.4], [0.9, 0.9, 0.9])
    assert standing([run(error, {1: 3.0}) for error in errors], REQUIRED).enough_for_map == 20


def test_every_seed_must_find_a_pixel_that_the_noise_does_not_tell_from_the_best():
    runs = [run([0.4] * 4, {4: 1.0, 12: 2.6}), run([0.4] * 4, {3: 2.1, 31: 3.0})]
    result = standing(runs, REQUIRED)
    assert result.to_near.points == (12, 31)
    assert (result.to_top.points, result.to_maximum.points) == ((12, 3), (None, 31))
    assert result.enough == 31
    assert standing([*runs, run([0.4] * 4, {1: 2.4})], REQUIRED).enough is None


def test_regret_is_what_the_best_measured_value_misses():
    result = standing([run([0.4] * 3, {4: 1.0, 15: 2.5})], REQUIRED)
    assert result.regret.tolist() == [2.0, 0.5, 0.5]
    assert standing([run([0.4] * 3, {12: 1.0})], REQUIRED).to_dict()["regret"] == [None, 2.0, 2.0]


def test_a_run_that_a_rule_stopped_keeps_its_map():
    result = standing([run([0.6, 0.4], {1: 3.0}), run([0.6, 0.6, 0.6, 0.2], {1: 3.0})], REQUIRED)
    assert result.num.tolist() == [10, 20, 30, 40]
    assert result.errors[0].tolist() == [0.6, 0.4, 0.4, 0.4]


def test_map_and_maximum_may_be_wanted_alone():
    result = standing([run([0.9, 0.4, 0.4], {1: 1.0, 30: 3.0}), run([0.9, 0.4, 0.4], {25: 3.0})], REQUIRED)
    assert result.needed(10, "map") == 20
    assert result.needed(10, "maximum") == result.needed(10, "both") > 30
    assert standing([run([0.9] * 3, {1: 3.0})], REQUIRED).needed(10) is None
