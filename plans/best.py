"""Moves to pixels that the agent has learnt of."""

from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.arguments import check_stage_and_agent
from bluesky_gp.plans.queueable import AGENT_BY_NAME, STAGE, queueable
from bluesky_gp.plans.reach import check_units
from bluesky_gp.plans.stages import StageOrMotors, as_stage, moves_to
from bluesky_gp.plans.typing import Pixel, plan
from bluesky_gp.plans.waiting import start_and_wait


@queueable("Move the stage to the best pixel that the agent knows.", stage=STAGE, agent=AGENT_BY_NAME)
@plan
def go_to_best(stage: StageOrMotors, agent: GPAgent) -> MsgGenerator[Pixel]:
    """Move the stage to the best pixel that the agent knows, and return it.

    Raises
    ------
    ValueError
        If no pixel has been measured, or the motors count in another unit than the grid.
    """
    check_stage_and_agent("go_to_best", stage, agent)
    best = agent.optimizer.state.best_pixel
    if best is None:
        raise ValueError(f"{agent.name}: no pixel has been measured yet, so none is the best")
    stage = as_stage(stage, agent.optimizer.grid)
    yield from check_units(stage)
    yield from start_and_wait([Msg("set", movable, value) for movable, value in moves_to(stage, best)])
    return tuple(best)
