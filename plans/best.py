"""Moves that need to know what was learnt."""

from typing import Any

from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.stages import as_stage, moves
from bluesky_gp.plans.typing import Pixel, plan
from bluesky_gp.plans.waiting import settle


@plan
def go_to_best(stage: Any, agent: GPAgent) -> MsgGenerator[Pixel]:
    """Move the stage to the best pixel that the agent knows, and return it.

    Raises
    ------
    ValueError
        If no pixel has been measured.
    """
    best = agent.optimizer.state.best_pixel
    if best is None:
        raise ValueError(f"{agent.name}: no pixel has been measured yet, so none is the best")
    stage = as_stage(stage, agent.optimizer.grid)
    yield from settle([Msg("set", movable, value) for movable, value in moves(stage, best)])
    return tuple(best)
