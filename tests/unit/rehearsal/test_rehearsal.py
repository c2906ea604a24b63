"""The recommendation of a rehearsal."""

import json

import numpy as np

from bluesky_gp import PixelOptimizer


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
