"""One question to the optimizer and its answer: pure, so that a thread, a process or Dask may compute it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter, time
from typing import Any

from bluesky_gp.protocols import AnyOptimizer, Forecasts, Proposal, State
from bluesky_gp.run.actions import LEARN, Action
from bluesky_gp.run.history import Step
from bluesky_gp.run.lessons import taught_points
from bluesky_gp.run.orders import Orders
from bluesky_gp.run.outcomes import Outcome, final_outcomes
from bluesky_gp.run.own_pixels import propose
from bluesky_gp.run.spent import Spent


@dataclass(frozen=True, eq=False)
class Decision:
    """A decision of the agent, and all that the next decision starts from."""

    proposal: Proposal[Any]
    iteration: int = -1  # 0 for the first
    n_outcomes: int = 0  # that it knows, of this run and of those that it resumes
    n_actions: int = 0  # of people, that it heeds, likewise
    fit_time: float = 0.0  # s
    propose_time: float = 0.0  # s
    next_time: float = 0.0  # s, that the next decision is expected to take
    timestamp: float = 0.0  # s since 1970
    orders: Orders = field(default_factory=Orders)
    by_hand: tuple[bool, ...] = ()  # of each pixel proposed: whether a person chose it
    step: Step = Step((), 0, ())  # what it learnt, heeded and was asked
    spent: Spent = Spent()  # by the run, until it was recorded

    @property
    def state(self) -> State:
        """All that the optimizer has learnt."""
        state: State = self.proposal.state
        return state

    @property
    def seconds(self) -> float:
        """Time that it took."""
        return self.fit_time + self.propose_time

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
    actions: Sequence[Action] = (),
    ahead: bool = False,
    stopping: bool = True,
) -> Decision:
    """Learn from `outcomes`, heed `actions` and choose the next batch; changes nothing.

    Parameters
    ----------
    optimizer : Optimizer
        Only its pure half is used.
    previous : Decision
        The one that asked for these pixels; made ahead, that for the pixels under way.
    outcomes : sequence of Outcome
        What became of them, in order of arrival; they are learnt in the order in which they were proposed.
    num : int
        Pixels to propose at most; 0: make the last fit and propose nothing.
    reason : str
        Why nothing more is to be proposed, if `num` is 0.
    actions : sequence of Action
        What people asked for since.
    ahead : bool
        Whether the batch of `previous` is under way: its pixels count as measured at their predicted mean.
    stopping : bool
        False: no stopping rule of the optimizer is asked, as when a decision is made again.
    """
    began = perf_counter()
    orders = previous.orders.after(actions, outcomes, optimizer.grid)
    optimizer = orders.changed(optimizer)
    state = _learn(optimizer, previous, outcomes, actions)
    if actions:
        state = orders.bounded(optimizer, state)
    learnt = perf_counter()
    before = previous.proposal.pixels
    pending = optimizer.grid.ravel(before).tolist() if ahead and len(before) else []
    proposal, own = propose(optimizer, before, orders, state, num, pending=pending, stopping=stopping)
    if not len(proposal.pixels):
        why = reason if num < 1 else proposal.stop_reason or "no pixel left"
        proposal = Proposal.nothing(optimizer.grid, optimizer.learn(proposal.state, (), (), final=True), why)
    flat = tuple(optimizer.grid.ravel(proposal.pixels).tolist()) if len(proposal.pixels) else ()
    return Decision(
        _complete(proposal),
        iteration=previous.iteration + 1,
        n_outcomes=previous.n_outcomes + len(outcomes),
        n_actions=previous.n_actions + len(actions),
        fit_time=learnt - began,
        propose_time=perf_counter() - learnt,
        next_time=0.0 if not flat else optimizer.expected_seconds(proposal.state),
        timestamp=time(),
        orders=orders,
        by_hand=own,
        step=Step(tuple(outcomes), len(flat) if all(own) or orders.batch else num, flat, tuple(actions), len(pending)),
    )


def _learn(
    optimizer: AnyOptimizer, previous: Decision, outcomes: Sequence[Outcome], actions: Sequence[Action]
) -> State:
    pixels = previous.proposal.pixels
    proposed = optimizer.grid.ravel(pixels).tolist() if len(pixels) else []
    state: State = optimizer.learn(previous.state, *points_of(outcomes, proposed, optimizer.target, actions))
    return state


def points_of(
    outcomes: Sequence[Outcome], proposed: Sequence[int], target: str, actions: Sequence[Action] = ()
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what a decision learns, points and failures: what actions teach, then outcomes in the order proposed."""
    lessons = [point for action in actions if action.kind == LEARN for point in taught_points(action, target)]
    asked = {pixel: place for place, pixel in enumerate(proposed)}
    ordered = sorted(final_outcomes(outcomes), key=lambda outcome: asked.get(outcome.pixel, len(asked)))
    points: list[dict[str, Any]] = [
        {"_id": o.pixel, **o.others, target: o.value, "_seconds": o.seconds} for o in ordered if not o.failed
    ]
    failures = [{"_id": o.pixel, "_seconds": o.seconds} for o in ordered if o.failed]
    return [*lessons, *points], failures


def proposing(decision: Decision, pixels: Any) -> Decision:
    """Return a decision with other pixels, as they were proposed in a record, shape ``(k, n_axes)``."""
    return replace(decision, proposal=replace(decision.proposal, pixels=pixels))


def _complete(proposal: Proposal[Any]) -> Proposal[Any]:
    """Have a state compute its maps and forecast here: reading them on the RunEngine's thread is a look-up then."""
    state = proposal.state
    _ = state.mean, state.std, state.best_value, state.forecast if isinstance(state, Forecasts) else None
    return proposal
