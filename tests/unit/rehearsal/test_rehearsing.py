"""Rehearsals of a small map: twelve by twelve pixels, one hill, a corner that fails, noise of a tenth of its height."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bluesky_gp import ExpectedImprovement, PixelGrid, PixelOptimizer
from bluesky_gp.rehearsal import default_budget, rehearse
from bluesky_gp.rehearsal.configuration import Configuration, configurations
from bluesky_gp.rehearsal.confirmation import check, confirm
from bluesky_gp.rehearsal.parallel import run_all

SHAPE = (12, 12)
GRID = PixelGrid(SHAPE)


def hill():
    row, col = np.indices(SHAPE)
    noise = 0.1 * np.random.default_rng(0).standard_normal(SHAPE)
    values = np.exp(-((row - 3.0) ** 2 + (col - 8.0) ** 2) / 15.0) + noise
    values[10:, :2] = np.nan
    return values


def rehearsal_of(values=None, choices=None, **options):
    told = {"num": 40, "seeds": range(2), "n_jobs": 1, "target": "height"} | options
    return rehearse(GRID, hill() if values is None else values, choices, **told)


@pytest.fixture(scope="module")
def rehearsal():
    return rehearsal_of()


def test_every_configuration_and_every_way_without_an_agent_is_judged_over_all_seeds(rehearsal):
    agents, others = list(rehearsal.standings)[:3], list(rehearsal.standings)[3:]
    assert agents == ["ei", "ucb", "uncertainty"]
    assert [name.partition(",")[0] for name in others] == ["random pixels"] * 2 + ["coarse grid"] * 2
    assert {len(runs) for runs in rehearsal.by_method.values()} == {2}
    assert all(len(set(run.order.tolist())) == 40 for run in rehearsal.runs if len(run.order))


def test_the_error_falls_to_the_noise_floor_and_the_hill_is_found(rehearsal):
    curve = rehearsal.standings["ei"].curve
    noise = 0.1 / rehearsal.full.std
    assert noise < rehearsal.floor < 2.0 * noise
    assert 1.5 * noise > curve[-1] > rehearsal.floor
    assert curve[0] > 1.2 * curve[-1]
    assert rehearsal.standings["ei"].to_near.found == 2
    assert rehearsal.standings["ei"].regret[-1] < rehearsal.floor


def test_a_failed_pixel_costs_a_point(rehearsal):
    failed = set(np.flatnonzero(np.isnan(hill())).tolist())
    orders = [run.order.tolist() for run in rehearsal.by_method["uncertainty"]]
    assert any(failed & set(order) for order in orders)
    assert all(len(order) == 40 for order in orders)


def test_what_is_recommended_is_enough_and_its_lines_make_that_optimizer(rehearsal):
    advice = rehearsal.recommended
    chosen = rehearsal.standings[advice.configuration.name]
    assert advice.enough and chosen.enough <= advice.num <= 40
    assert advice.found == 2 and advice.error <= rehearsal.goals.level
    lines = advice.configuration.lines(rehearsal.full, advice.num)
    assert lines[-1] == f"RE(adaptive_map([spectrometer], stage, agent, num={advice.num}))"
    names = {}
    exec("\n".join(lines[:-1]), names)  # noqa: S102
    expected = PixelOptimizer(GRID, "height", **advice.configuration.options)
    assert names["optimizer"].describe() == expected.describe()


def test_the_result_is_plain_data(rehearsal):
    plain = json.loads(json.dumps(rehearsal.to_dict(), allow_nan=False))
    assert plain["recommended"]["num"] == rehearsal.recommended.num
    assert plain["n_valid"] == 140
    assert {method["method"] for method in plain["methods"]} == set(rehearsal.standings)


def test_a_recommendation_is_checked_on_other_seeds(rehearsal):
    checked = check(rehearsal, n_jobs=1)
    assert checked.seeds == (2, 3)
    assert checked.tried == rehearsal.recommended
    assert checked.holds and checked.found >= 1


def test_one_that_does_not_hold_is_made_anew_with_the_seeds_that_showed_it(rehearsal):
    lucky = [
        replace(run, error=np.full_like(run.error, 0.01), best=np.full_like(run.best, run.best[-1]))
        for run in rehearsal.by_method["ei"]
    ]
    too_good = replace(rehearsal, configurations=rehearsal.configurations[:1], runs=tuple(lucky))
    confirmed, checks = confirm(too_good, rounds=6, n_jobs=1)
    assert [done.holds for done in checks] == [False] * (len(checks) - 1) + [True]
    assert len(checks) > 1
    assert confirmed.recommended.error > 10 * too_good.recommended.error
    assert checks[-1].tried == confirmed.recommended


def test_where_none_is_enough_that_is_said_and_the_one_that_came_closest_is_named():
    needle = np.zeros(SHAPE)
    needle[7, 4] = 1.0
    noise = 0.05 * np.random.default_rng(1).standard_normal(SHAPE)
    advice = rehearsal_of(needle + noise, num=12, seeds=[5, 6], baselines=False).recommended
    assert not advice.enough
    assert (advice.num, advice.n_seeds) == (12, 2)
    assert advice.found < 2


def test_smaller_is_better_on_demand():
    choices = [Configuration("ei", {"acquisition": ExpectedImprovement()})]
    up, down = (
        rehearsal_of(sign * hill(), choices, maximize=sign > 0, num=20, seeds=[1], baselines=False)
        for sign in (1.0, -1.0)
    )
    assert down.runs[0].best == pytest.approx(up.runs[0].best)
    assert "maximize=False" in "".join(down.recommended.configuration.lines(down.full, 20))


def test_any_argument_of_the_optimizer_can_be_compared():
    choices = [Configuration(f"share {share}", {"batch": share, "batch_size": 5}) for share in (0.5, 1.0)]
    found = rehearsal_of(None, choices, num=30, seeds=[0], baselines=False)
    assert list(found.standings) == ["share 0.5", "share 1.0"]
    assert found.standings["share 1.0"].num.tolist() == [5, 10, 15, 20, 25, 30]


def test_configurations_differ_from_the_first_in_one_thing_unless_all_are_wanted():
    kernels = {"default": None, "mine": "a kernel"}
    few = configurations({"a": 1, "b": 2}, [10, 5], kernels)
    assert [c.name for c in few] == [
        "a, batches of 10, default kernel",
        "a, batches of 10, mine kernel",
        "a, batches of 5, default kernel",
        "b, batches of 10, default kernel",
    ]
    assert few[0].options == {"acquisition": 1, "batch_size": 10}
    assert len(configurations({"a": 1, "b": 2}, [10, 5], kernels, every_combination=True)) == 8
    assert [c.name for c in configurations({"a": 1}, [3])] == ["a"]


def test_the_budget_is_a_third_of_the_pixels_within_reason():
    assert [default_budget(n) for n in (20, 100, 2500, 65536)] == [20, 60, 833, 1000]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num": 145}, "num must be between 4 and the 144 pixels of the map, got 145"),
        ({"seeds": []}, "at least one configuration and one seed"),
        ({"choices": []}, "at least one configuration and one seed"),
        ({"choices": [Configuration("a"), Configuration("a")]}, "two configurations have one name"),
        ({"values": np.zeros(SHAPE)}, "ten different ones are the least"),
    ],
)
def test_a_wrong_value_is_told(options, message):
    with pytest.raises(ValueError, match=message):
        rehearsal_of(**options)


def test_how_far_it_is_is_told_and_results_keep_the_order_of_the_jobs():
    told = []
    results, seconds = run_all([lambda n=n: n * n for n in range(5)], 1, lambda done, total: told.append((done, total)))
    assert results == [0, 1, 4, 9, 16]
    assert told == [(n, 5) for n in range(1, 6)]
    assert seconds >= 0.0


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing(rehearsal):
    parallel = rehearsal_of(n_jobs=2)
    assert parallel.floor == rehearsal.floor
    for one, other in zip(parallel.runs, rehearsal.runs, strict=True):
        assert (one.method, one.seed) == (other.method, other.seed)
        assert np.array_equal(one.error, other.error) and np.array_equal(one.best, other.best)
