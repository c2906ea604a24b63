"""One question to the optimizer and its answer: pure, so that a thread, a process or Dask may compute it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter, time
from typing import Any

from bluesky_gp.protocols import AnyOptimizer, Forecasts, Proposal, State
from bluesky_gp.run.outcomes import Outcome, final_outcomes


@dataclass(frozen=True, eq=False)
class Decision:
    """A decision of the agent, and all that the next decision starts from."""

    proposal: Proposal[Any]
    iteration: int = -1  # 0 for the first
    n_outcomes: int = 0  # that it knows, of this run and of those that it resumes
    fit_time: float = 0.0  # s
    propose_time: float = 0.0  # s
    next_time: float = 0.0  # s, that the next decision is expected to take
    timestamp: float = 0.0  # s since 1970

    @property
    def state(self) -> State:
        """All that the optimizer has learnt."""
        state: State = self.proposal.state
        return state

    @property
    def is_last(self) -> bool:
        """Whether the run ends here."""
        return len(self.proposal.pixels) == 0


def beginning(optimizer: AnyOptimizer, state: State) -> Decision:
    """Return the decision before the first: nothing proposed, the optimizer in the given state."""
    return Decision(_complete(Proposal.nothing(optimizer.grid, state, "")))


def decide(
    optimizer: AnyOptimizer,
    previous: Decision,
    outcomes: Sequence[Outcome],
    num: int,
    reason: str = "num",
    *,
    stopping: bool = True,
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
    stopping : bool
        False: no stopping rule of the optimizer is asked, as when a decision is made again.
    """
    began = perf_counter()
    state = _learn(optimizer, previous, outcomes)
    learnt = perf_counter()
    proposal = optimizer.propose(state, num, stopping=stopping) if num > 0 else None
    if proposal is None or not len(proposal.pixels):
        left, why = (state, reason) if proposal is None else (proposal.state, proposal.stop_reason or "no pixel left")
        proposal = Proposal.nothing(optimizer.grid, optimizer.learn(left, (), (), final=True), why)
    last = not len(proposal.pixels)
    return Decision(
        _complete(proposal),
        iteration=previous.iteration + 1,
        n_outcomes=previous.n_outcomes + len(outcomes),
        fit_time=learnt - began,
        propose_time=perf_counter() - learnt,
        next_time=0.0 if last else optimizer.expected_seconds(proposal.state),
        timestamp=time(),
    )


def _learn(optimizer: AnyOptimizer, previous: Decision, outcomes: Sequence[Outcome]) -> State:
    pixels = previous.proposal.pixels
    proposed = optimizer.grid.ravel(pixels).tolist() if len(pixels) else []
    state: State = optimizer.learn(previous.state, *points_of(outcomes, proposed, optimizer.target))
    return state


def points_of(
    outcomes: Sequence[Outcome], proposed: Sequence[int], target: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return outcomes as points and failures, as an optimizer learns them: in the order in which they were proposed."""
    asked = {pixel: place for place, pixel in enumerate(proposed)}
    ordered = sorted(final_outcomes(outcomes), key=lambda outcome: asked.get(outcome.pixel, len(asked)))
    points: list[dict[str, Any]] = [
        {"_id": o.pixel, **o.others, target: o.value, "_seconds": o.seconds} for o in ordered if not o.failed
    ]
    failures = [{"_id": o.pixel, "_seconds": o.seconds} for o in ordered if o.failed]
    return points, failures


def proposing(decision: Decision, pixels: Any) -> Decision:
    """Return a decision with other pixels, as they were proposed in a record, shape ``(k, n_axes)``."""
    return replace(decision, proposal=replace(decision.proposal, pixels=pixels))


def _complete(proposal: Proposal[Any]) -> Proposal[Any]:
    """Have a state compute its maps and forecast here: reading them on the RunEngine's thread is a look-up then."""
    state = proposal.state
    _ = state.mean, state.std, state.best_value, state.forecast if isinstance(state, Forecasts) else None
    return proposal
