"""An agent out of plain data, as a queue and a file of devices have it."""

import pytest

from bluesky_gp import ConfidenceBound, PixelOptimizer
from bluesky_gp.configured import configured_agent
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.plain_data import describe
from bluesky_gp.plans import adaptive_map

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
    with pytest.raises(ValueError, match=r"gp: acquisition must be one of ei, pi, .* got 'best'"):
        configured_agent(target="det_height", grid=GRID, acquisition="best")
    with pytest.raises(ValueError, match=r"gp: .*unexpected keyword argument 'batchsize'"):
        configured_agent(target="det_height", grid=GRID, batchsize=3)


def test_a_plan_makes_the_agent_of_an_item_on_the_grid_of_its_stage(RE, docs, bench):
    RE(adaptive_map([bench.detector], bench.stage, {"target": "det_height", "batch_size": 3, "name": "item"}, num=6))
    assert docs.starts[0]["gp"]["agent"] == "item"
    assert docs.counts["primary"] == 6
    assert docs.starts[0]["gp"]["batch_size"] == 3


@pytest.mark.parametrize(("settings", "needed"), [({"batch_size": 3}, "target"), ({"target": "det_height"}, "grid")])
def test_settings_without_target_or_grid_are_refused_before_anything_moves(RE, bench, settings, needed):
    with pytest.raises(ValueError, match=rf"adaptive_map: the agent's settings need '{needed}'"):
        RE(adaptive_map([bench.detector], bench.stage.axes, settings, num=6))
