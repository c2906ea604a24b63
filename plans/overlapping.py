"""Decisions that are made while a batch is measured."""

from functools import partial
from typing import Any

from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.typing import PlanOfNothing, plan
from bluesky_gp.plans.waiting import start_and_wait


@plan
def ask_ahead(agent: GPAgent) -> MsgGenerator[None]:
    """Have the agent begin to decide what follows the batch that is measured next; `ask_agent` then has the answer.

    It counts the pixels of the batch as measured at their predicted mean, and its event says how many under
    ``AGENT_pending``. It decides when it is asked, as without this, while few pixels are known, at the end of a run,
    and where people have acted meanwhile.
    """
    yield from start_and_wait([Msg("prepare", agent.ahead, None)])


def overlapping(overlap: Any, agent: GPAgent, *, reviewed: bool) -> PlanOfNothing:
    """Return what `adaptive_map` does when it measures a batch: nothing beside, unless decisions are to overlap.

    Raises
    ------
    TypeError, ValueError
        If it is no switch, or people are to see every batch first.
    """
    if not isinstance(overlap, bool):
        raise TypeError(f"adaptive_map: overlap must be True or False, got {overlap!r:.60}")
    if overlap and reviewed:
        raise ValueError(
            "adaptive_map: overlap=True with review=: a batch that people are to see is chosen when they have seen "
            "the one before; leave one of them out"
        )
    return partial(ask_ahead, agent) if overlap else _nothing


def _nothing() -> MsgGenerator[None]:
    yield from ()
