"""A question of a run to its agent, and what computes the answer, wherever that is."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from bluesky_gp.priority import urgent
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.run import FINISH, GO_ON, Action, Decision, History, Orders, Outcome, after, decide


@dataclass(frozen=True)
class NextQuestion:
    """All that a decision is to heed: what is new, how many pixels of how many are attempted, those under way too."""

    outcomes: tuple[Outcome, ...]
    actions: tuple[Action, ...]
    num: int | None
    attempted: int
    ahead: bool = False
    room: int | None = None  # measurements for which the budget is enough; None: any number
    spent: str = ""  # why the run is to end, the budget being spent

    @property
    def finish(self) -> str:
        """Why the run is to end here by a person's word; empty: it is not."""
        last = next((action for action in reversed(self.actions) if action.kind in (FINISH, GO_ON)), None)
        return str(last.arguments["reason"]) if last is not None and last.kind == FINISH else ""

    def size(self, orders: Orders, batch_size: int) -> int:
        """Return how many pixels to propose: those that people want are measured beyond `num` as well."""
        size = int(orders.settings.get("batch_size", batch_size))
        left = size if self.num is None else min(size, self.num - self.attempted)
        wanted = max(left, min(len(set(orders.wanted)), size), len(orders.batch or ()))
        return wanted if self.room is None else min(wanted, self.room)


Answers = Callable[[AnyOptimizer, History, Decision | None, NextQuestion], "Future[Decision]"]
"""Answers the next question of a run that began with a history, after the decision before it (None: the first)."""


def answers_on(executor: Executor) -> Answers:
    """Return what has an executor compute the decisions."""

    def answer(
        optimizer: AnyOptimizer, history: History, previous: Decision | None, question: NextQuestion
    ) -> "Future[Decision]":
        return executor.submit(_decide, optimizer, history, previous, question)

    return answer


def _decide(optimizer: AnyOptimizer, history: History, previous: Decision | None, question: NextQuestion) -> Decision:
    with urgent():
        previous = after(optimizer, history) if previous is None else previous
        orders = previous.orders.after(question.actions, question.outcomes, optimizer.grid)
        ended = question.finish or question.spent
        num = 0 if ended else question.size(orders, optimizer.batch_size)
        reason = ended or "num"
        return decide(
            optimizer, previous, question.outcomes, num, reason, actions=question.actions, ahead=question.ahead
        )
