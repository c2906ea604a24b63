"""The saving by an overview image, out of runs with it and without."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.rehearsal import Configuration, FullMap, configurations, rehearse
from bluesky_gp.rehearsal.image_worth import image_worth
from bluesky_gp.rehearsal.run import Run

NUM = np.arange(10, 101, 10)
NONE = np.empty(0, dtype=np.intp)


def run(seed, reaches, share=0.0):
    """A run whose map is good from so many points on."""
    error = np.where(NUM >= reaches, 0.3, 0.9)
    return Run("ei", seed, NUM, error, NUM, np.zeros(10), NONE, share)


def worth(seeing, blind):
    with_it, without = ([run(s, n) for s, n in enumerate(points)] for points in (seeing, blind))
    return image_worth(with_it, without, floor=0.1)


def test_an_image_that_halves_the_points_of_every_seed_is_worth_taking():
    found = worth([20, 30, 40], [40, 60, 80])
    assert (found.points, found.points_without) == ((20, 30, 40), (40, 60, 80))
    assert found.ratio == pytest.approx(0.5) and found.margin == pytest.approx(1.0)
    assert found.saves and not found.costs


def test_an_image_that_costs_points_is_said_to():
    found = worth([60, 50, 40], [30, 25, 20])
    assert found.costs and not found.saves


def test_seeds_that_disagree_and_a_single_seed_tell_nothing():
    for found in (worth([20, 80, 40], [40, 40, 40]), worth([20], [80])):
        assert not found.saves and not found.costs
    assert json.loads(json.dumps(worth([20], [80]).to_dict(), allow_nan=False))["margin"] is None


def test_a_seed_that_never_got_there_counts_as_the_budget():
    found = worth([20, 20, 20], [999, 40, 40])
    assert found.points_without[0] is None
    assert found.ratio == pytest.approx((0.2 * 0.5 * 0.5) ** (1 / 3))


def test_seeds_are_compared_in_pairs_and_those_of_a_check_that_have_none_are_left_out():
    seeing = [run(seed, 20, share=0.4) for seed in (2, 1, 7)]
    found = image_worth(seeing, [run(1, 40), run(2, 80)], floor=0.1)
    assert found.points_without == (80, 40) and found.share == 0.4


def test_an_image_that_is_the_map_is_found_to_be_worth_taking_and_one_of_a_wrong_shape_is_refused():
    rng = np.random.default_rng(5)
    image = rng.normal(size=(12, 12))
    values = np.sin(2.0 * image) + 0.02 * rng.normal(size=(12, 12))
    grid, few = PixelGrid((12, 12)), {"num": 30, "seeds": range(2), "baselines": False, "n_jobs": 1}
    choices = configurations(batch_sizes=[5], overview=image)
    assert [c.name for c in choices] == ["ei", "ei + image", "ucb", "uncertainty"]
    found = rehearse(grid, values, choices[:2], **few)
    assert found.image_worth.ratio < 0.7 and found.image_worth.share > 0.5
    assert found.to_dict()["overview"]["method_without"] == "ei"
    assert replace(found, configurations=found.configurations[:1]).image_worth is None
    with pytest.raises(ValueError, match="must have two axes"):
        rehearse(grid, values, configurations(overview=np.ones(5)), **few)


def test_the_lines_to_paste_have_the_image_measured_in_the_run():
    full = FullMap(PixelGrid((4, 5)), np.arange(20.0).reshape(4, 5))
    lines = Configuration("ei + image", {"overview": np.eye(4)}).lines(full, 12)
    assert lines[-1] == "RE(adaptive_map([spectrometer], stage, agent, num=12, overview=[imager]))"
    assert "optimizer = PixelOptimizer(grid, target='target')" in lines
