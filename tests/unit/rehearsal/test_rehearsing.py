"""Rehearsals of a small map: twelve by twelve pixels, one hill, a corner that fails, noise of a tenth of its height."""

import numpy as np
import pytest

from bluesky_gp import ExpectedImprovement
from bluesky_gp.rehearsal import default_budget
from bluesky_gp.rehearsal.configuration import Configuration

SHAPE = (12, 12)


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


def test_a_failed_pixel_costs_a_point(rehearsal, hill):
    failed = set(np.flatnonzero(np.isnan(hill)).tolist())
    orders = [run.order.tolist() for run in rehearsal.by_method["uncertainty"]]
    assert any(failed & set(order) for order in orders)
    assert all(len(order) == 40 for order in orders)


def test_smaller_is_better_on_demand(hill, rehearsal_of):
    choices = [Configuration("ei", {"acquisition": ExpectedImprovement()})]
    up, down = (
        rehearsal_of(sign * hill, choices, maximize=sign > 0, num=20, seeds=[1], baselines=False)
        for sign in (1.0, -1.0)
    )
    assert down.runs[0].best == pytest.approx(up.runs[0].best)
    assert "maximize=False" in "".join(down.recommended.configuration.lines(down.full, 20))


def test_any_argument_of_the_optimizer_can_be_compared(rehearsal_of):
    choices = [Configuration(f"share {share}", {"batch": share, "batch_size": 5}) for share in (0.5, 1.0)]
    found = rehearsal_of(None, choices, num=30, seeds=[0], baselines=False)
    assert list(found.standings) == ["share 0.5", "share 1.0"]
    assert found.standings["share 1.0"].num.tolist() == [5, 10, 15, 20, 25, 30]


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
def test_a_wrong_value_is_told(options, message, rehearsal_of):
    with pytest.raises(ValueError, match=message):
        rehearsal_of(**options)


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing(rehearsal, rehearsal_of):
    parallel = rehearsal_of(n_jobs=2)
    assert parallel.floor == rehearsal.floor
    for one, other in zip(parallel.runs, rehearsal.runs, strict=True):
        assert (one.method, one.seed) == (other.method, other.seed)
        assert np.array_equal(one.error, other.error) and np.array_equal(one.best, other.best)
