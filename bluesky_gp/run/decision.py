"""One question to the optimizer and its answer: pure, so that a thread, a process or Dask may compute it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter, time
from typing import Any

import numpy as np

from bluesky_gp.protocols import Floats, Indices, Optimizer
from bluesky_gp.run.events import Outcome, last_words


@dataclass(frozen=True, eq=False)
class Decision:
    """What the agent decided, and all that the next decision starts from."""

    pixels: Indices  # (k, n_axes), in the order in which to visit them; k = 0: stop
    scores: Floats  # (k,)
    mean: Floats  # (k,), target's unit
    std: Floats  # (k,)
    acquisition: Floats  # grid.shape, NaN where nothing may be proposed
    stop_reason: str
    state: Any  # of the optimizer
    iteration: int = -1  # 0 for the first
    n_outcomes: int = 0  # that it knows, of this run and of those that it resumes
    fit_time: float = 0.0  # s
    propose_time: float = 0.0  # s
    next_time: float = 0.0  # s, that the next decision is expected to take
    timestamp: float = 0.0  # s since 1970

    @property
    def is_last(self) -> bool:
        """Whether the run ends here."""
        return len(self.pixels) == 0


def beginning(optimizer: Optimizer, state: Any) -> Decision:
    """Return the decision before the first: nothing proposed, the optimizer in the given state."""
    return _nothing(optimizer, state, "")


def decide(
    optimizer: Optimizer, previous: Decision, outcomes: Sequence[Outcome], num: int, reason: str = "num"
) -> Decision:
    """Learn from `outcomes` and choose the next batch; changes nothing.

    Parameters
    ----------
    optimizer : Optimizer
        Only its pure half is used.
    previous : Decision
        The one that asked for these pixels.
    outcomes : sequence of Outcome
        What became of them, in order of arrival; they are learnt in the order in which they were proposed.
    num : int
        Pixels to propose at most; 0: make the last fit and propose nothing.
    reason : str
        Why nothing more is to be proposed, if `num` is 0.
    """
    began = perf_counter()
    state = _learn(optimizer, previous, outcomes)
    learnt = perf_counter()
    decision = _chosen(optimizer, state, num) if num > 0 else _last(optimizer, state, reason)
    return replace(
        decision,
        iteration=previous.iteration + 1,
        n_outcomes=previous.n_outcomes + len(outcomes),
        fit_time=learnt - began,
        propose_time=perf_counter() - learnt,
        next_time=0.0 if decision.is_last else optimizer.expected_seconds(decision.state),
        timestamp=time(),
    )


def _learn(optimizer: Optimizer, previous: Decision, outcomes: Sequence[Outcome]) -> Any:
    asked = {int(p): i for i, p in enumerate(optimizer.grid.ravel(previous.pixels))} if len(previous.pixels) else {}
    ordered = sorted(last_words(outcomes), key=lambda outcome: asked.get(outcome.pixel, len(asked)))
    points = [
        {"_id": o.pixel, **o.others, optimizer.target: o.value, "_seconds": o.seconds} for o in ordered if not o.failed
    ]
    failures = [{"_id": o.pixel, "_seconds": o.seconds} for o in ordered if o.failed]
    return optimizer.learn(previous.state, points, failures)


def _chosen(optimizer: Optimizer, state: Any, num: int) -> Decision:
    proposal = optimizer.propose(state, num)
    if not len(proposal.pixels):
        return _last(optimizer, proposal.state, proposal.stop_reason or "no pixel left")
    return Decision(
        pixels=np.asarray(proposal.pixels),
        scores=proposal.scores,
        mean=proposal.mean,
        std=proposal.std,
        acquisition=proposal.acquisition,
        stop_reason=proposal.stop_reason,
        state=_with_maps(proposal.state),
    )


def _last(optimizer: Optimizer, state: Any, reason: str) -> Decision:
    return _nothing(optimizer, optimizer.learn(state, (), (), final=True), reason)


def _nothing(optimizer: Optimizer, state: Any, reason: str) -> Decision:
    none = np.empty(0)
    return Decision(
        pixels=np.empty((0, optimizer.grid.ndim), dtype=np.intp),
        scores=none,
        mean=none,
        std=none,
        acquisition=np.full(optimizer.grid.shape, np.nan),
        stop_reason=reason,
        state=_with_maps(state),
    )


def _with_maps(state: Any) -> Any:
    """Have a state compute its maps and forecast here: reading them on the RunEngine's thread is a look-up then."""
    _ = state.mean, state.std, state.best_value, getattr(state, "forecast", None)
    return state
