"""An agent out of plain data, as a queue and a file of devices have it."""

import pytest

from bluesky_gp import ConfidenceBound, PixelOptimizer
from bluesky_gp.configured import configured_agent
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.plain_data import describe
from bluesky_gp.plans import adaptive_map
from bluesky_gp.scalarizers import NetCounts

GRID = {"shape": [8, 8], "step": [0.5, 0.5], "units": "um"}


def test_settings_of_agent_and_optimizer_are_told_apart():
    agent = configured_agent(
        target="det_height", grid=GRID, name="first", optimizer_target="height", units="nm", maps=0, batch_size=3,
        seed=7, stopping=[describe(MaxPixels(6))], acquisition=describe(ConfidenceBound(3.0)),
    )  # fmt: skip
    assert (agent.name, agent.target, agent.optimizer.target) == ("first", "det_height", "height")
    assert isinstance(agent.optimizer, PixelOptimizer)
    recipe = agent.optimizer.recipe
    assert (recipe.batch_size, recipe.seed, recipe.acquisition) == (3, 7, ConfidenceBound(3.0))
    assert recipe.stopping == (MaxPixels(6),)


def test_what_is_no_setting_is_said():
    with pytest.raises(ValueError, match=r"gp: there is no acquisition function 'ubc', .*; did you mean 'ucb'\?"):
        configured_agent(target="det_height", grid=GRID, acquisition="ubc")
    with pytest.raises(ValueError, match=r"gp: there is no setting 'batchsize', .*; did you mean 'batch_size'\?"):
        configured_agent(target="det_height", grid=GRID, batchsize=3)
    with pytest.raises(ValueError, match=r"gp: .*ConfidenceBound does not take .* did you mean 'beta'\?"):
        configured_agent(
            target="det_height", grid=GRID, acquisition={"class": "bluesky_gp:ConfidenceBound", "bete": 2.0}
        )


def test_the_settings_that_are_told_are_those_that_are_taken():
    with pytest.raises(ValueError) as caught:
        configured_agent(target="det_height", grid=GRID, colour=3)
    told = str(caught.value).partition("there are ")[2].split(", ")
    assert {"target", "grid", "scalarizer", "units", "acquisition", "batch_size"} <= {*told}
    assert len(told) == len({*told})


def test_a_scalarizer_is_plain_data_too():
    agent = configured_agent(target="det_spectrum", grid=GRID, scalarizer={"kind": "net_counts", "edge": [828, 856]})
    assert agent.metadata()["scalarizer"] == describe(NetCounts(edge=(828, 856)))


def test_a_plan_makes_the_agent_of_an_item_on_the_grid_of_its_stage(RE, docs, bench):
    RE(adaptive_map([bench.detector], bench.stage, {"target": "det_height", "batch_size": 3, "name": "item"}, num=6))
    assert docs.starts[0]["gp"]["agent"] == "item"
    assert docs.counts["primary"] == 6
    assert docs.starts[0]["gp"]["batch_size"] == 3


@pytest.mark.parametrize(("settings", "needed"), [({"batch_size": 3}, "target"), ({"target": "det_height"}, "grid")])
def test_settings_without_target_or_grid_are_refused_before_anything_moves(RE, bench, settings, needed):
    with pytest.raises(ValueError, match=rf"adaptive_map: the agent's settings need '{needed}'"):
        RE(adaptive_map([bench.detector], bench.stage.axes, settings, num=6))
