"""The agent as users give it to a plan: itself, or its settings as an item of a queue has them."""

from collections.abc import Mapping
from typing import Any

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.stages import StageOrMotors


def as_agent(plan: str, agent: GPAgent | Mapping[str, Any], stage: StageOrMotors) -> GPAgent:
    """Make the agent that a mapping describes, on the grid of the stage unless it names one.

    Raises
    ------
    ValueError
        If it has no target, or neither it nor the stage has a grid.
    """
    if not isinstance(agent, Mapping):
        return agent
    from bluesky_gp.configured import configured_agent  # scikit-learn's kernels: a second to import

    settings = {"grid": getattr(stage, "grid", None), **agent}
    for needed in ("target", "grid"):
        if settings.get(needed) is None:
            raise ValueError(f"{plan}: the agent's settings need {needed!r}, got {dict(agent)}")
    return configured_agent(**settings)
