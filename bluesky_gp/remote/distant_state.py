"""A decision on its way from one process to another: what the record has of it, and what people's regions look at."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from time import time
from typing import Any

import numpy as np

from bluesky_gp.agent import NextQuestion
from bluesky_gp.protocols import Proposal
from bluesky_gp.run import Decision, Orders, Step
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class DistantGains:
    """Gains expected of more pixels; implements `protocols.Gains`."""

    num: int
    map_error: float
    map_gain: float
    best_gain: float
    best_gain_most: float


@dataclass(frozen=True)
class DistantView:
    """What an overview image contributes; implements `protocols.Seen`."""

    share: float
    error: float
    error_without: float


@dataclass(frozen=True, eq=False)
class DistantState:
    """The state of an optimizer in another process, as far as records show it; nothing is learnt from it.

    Implements `protocols.State`, `Forecasts` and `Sees`.
    """

    n_measured: int
    n_failed: int
    theta: Floats
    noise_std: float
    log_marginal_likelihood: float
    mean: Floats
    std: Floats
    best_pixel: tuple[int, ...] | None
    best_value: float
    change: float
    forecast: DistantGains
    method: str
    warning: str
    contribution: DistantView | None


_SPECIAL = ("best_pixel", "forecast", "contribution")
_PROPOSAL = ("pixels", "scores", "mean", "std", "acquisition", "stop_reason")
_NUMBERS = ("iteration", "n_outcomes", "n_actions", "fit_time", "propose_time", "next_time")


def decision_mapping(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain data and arrays."""
    state: Any = decision.state
    seen = state.contribution
    plain = {field.name: getattr(state, field.name) for field in fields(DistantState) if field.name not in _SPECIAL}
    return {
        **{name: getattr(decision, name) for name in _NUMBERS},
        "by_hand": list(decision.by_hand),
        "asked": decision.step.asked,
        "pending": decision.step.pending,
        "proposal": {name: getattr(decision.proposal, name) for name in _PROPOSAL},
        "state": {
            **plain,
            "best_pixel": None if state.best_pixel is None else [int(p) for p in state.best_pixel],
            "forecast": {field.name: getattr(state.forecast, field.name) for field in fields(DistantGains)},
            "contribution": seen and {field.name: getattr(seen, field.name) for field in fields(DistantView)},
        },
    }


def decision_of(answer: Mapping[str, Any], orders: Orders, question: NextQuestion, flat: Any) -> Decision:
    """Return the decision that answers a question.

    Parameters
    ----------
    answer : Mapping
        From `decision_mapping`.
    orders : Orders
        What people ordered until then.
    question : NextQuestion
    flat : callable
        Makes flat indices of pixels.
    """
    state = _state(answer["state"])
    pixels = np.asarray(answer["proposal"]["pixels"], dtype=np.intp)
    proposed = tuple(int(pixel) for pixel in flat(pixels)) if len(pixels) else ()
    return Decision(
        Proposal(**{**answer["proposal"], "pixels": pixels}, state=state),
        **{name: answer[name] for name in _NUMBERS},
        timestamp=time(),  # of the clock by which the run's other events are timed
        orders=orders,
        by_hand=tuple(answer["by_hand"]),
        step=Step(question.outcomes, int(answer["asked"]), proposed, question.actions, int(answer["pending"])),
    )


def _state(plain: Mapping[str, Any]) -> DistantState:
    best, seen = plain["best_pixel"], plain["contribution"]
    special = {
        "best_pixel": None if best is None else tuple(best),
        "forecast": DistantGains(**plain["forecast"]),
        "contribution": seen and DistantView(**seen),
    }
    return DistantState(**{**plain, **special})
