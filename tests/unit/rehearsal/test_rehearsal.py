"""The recommendation of a rehearsal."""

import json

import numpy as np
import pytest

from bluesky_gp import PixelOptimizer
from bluesky_gp.rehearsal import configurations, confirm


def test_what_is_recommended_is_enough_and_its_lines_make_that_optimizer(rehearsal):
    advice = rehearsal.recommended
    chosen = rehearsal.standings[advice.configuration.name]
    assert advice.enough and chosen.enough <= advice.num <= 40
    assert advice.found == 2 and advice.error <= rehearsal.required.level
    lines = advice.configuration.lines(rehearsal.full, advice.num)
    assert lines[-1] == f"RE(adaptive_map([spectrometer], stage, agent, num={advice.num}))"
    names = {}
    exec("\n".join(lines[:-1]), names)  # noqa: S102
    expected = PixelOptimizer(rehearsal.full.grid, "height", **advice.configuration.options)
    assert names["optimizer"].describe() == expected.describe()


def test_the_result_is_plain_data(rehearsal):
    plain = json.loads(json.dumps(rehearsal.to_dict(), allow_nan=False))
    assert plain["recommended"]["num"] == rehearsal.recommended.num
    assert plain["n_valid"] == 140
    assert {method["method"] for method in plain["methods"]} == set(rehearsal.standings)


def test_where_none_is_enough_that_is_said_and_the_one_that_came_closest_is_named(rehearsal_of):
    needle = np.zeros((12, 12))
    needle[7, 4] = 1.0
    noise = 0.05 * np.random.default_rng(1).standard_normal((12, 12))
    advice = rehearsal_of(needle + noise, num=12, seeds=[5, 6], baselines=False).recommended
    assert not advice.enough
    assert (advice.num, advice.n_seeds) == (12, 2)
    assert advice.found < 2


NOISE = np.random.default_rng(0).normal(size=(12, 12))


@pytest.mark.parametrize("goal", ["both", "map", "maximum"])
@pytest.mark.parametrize("name", ["normal", "with failures", "spikes"])
def test_from_noise_nothing_can_be_learnt_and_no_number_of_points_is_enough(rehearsal_of, name, goal):
    values = {
        "normal": NOISE,
        "with failures": np.where(NOISE > 1.0, np.nan, NOISE),
        "spikes": np.exp(2.0 * NOISE),
    }[name]
    found = rehearsal_of(values, configurations()[:1], num=50, seeds=[0, 1], baselines=False, goal=goal)
    assert not found.learnable and not found.recommended.enough
    assert found.standings["ei"].enough_for_map is None
    assert found.to_dict()["learnable"] is False
    assert confirm(found, n_jobs=1) == (found, [])


def test_a_pattern_under_as_much_noise_can_be_learnt(rehearsal_of):
    row, col = np.indices((12, 12))
    pattern = np.sin(row / 2.0) + np.cos(col / 3.0)
    found = rehearsal_of(pattern + NOISE, configurations()[:1], num=70, seeds=[0, 1], baselines=False)
    assert found.learnable and found.required.level < 1.0
