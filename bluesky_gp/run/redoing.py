"""Decisions made again from what they knew, one after another: the way back to the state of a recorded run."""

from collections.abc import Sequence
from math import isfinite
from typing import cast

from bluesky_gp.protocols import AnyOptimizer, State
from bluesky_gp.run.decision import Decision, beginning, decide, proposing
from bluesky_gp.run.history import History, Point, Step


def after(optimizer: AnyOptimizer, history: History) -> Decision:
    """Come to the decision after which a run begins, as the runs before it did; changes nothing.

    What the optimizer had been told by hand is learnt at once and from the beginning, so that nothing but the values
    counts; every decision of earlier runs is made again from what it knew, whatever stopping rules there are now.
    """
    decision = beginning(optimizer, _told(optimizer, history.told))
    for step in history.steps:
        _, decision = repeat(optimizer, decision, step)
    return decision


def repeat(optimizer: AnyOptimizer, previous: Decision, step: Step) -> tuple[Decision, Decision]:
    """Make a decision again; return it, and the same with the pixels that were proposed then, to go on from."""
    decision = decide(
        optimizer, previous, step.learnt, step.asked, actions=step.heeded, ahead=step.pending > 0, stopping=False
    )
    return decision, proposing(decision, optimizer.grid.unravel(step.proposed))


def _told(optimizer: AnyOptimizer, known: Sequence[Point]) -> State:
    if not known:
        return cast(State, optimizer.beginning)
    good = [point for point in known if isfinite(point[optimizer.target])]
    failed = [point for point in known if not isfinite(point[optimizer.target])]
    return cast(State, optimizer.learn(optimizer.beginning, good, failed))
