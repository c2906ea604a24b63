"""The questions and answers of one run."""

from concurrent.futures import Executor, Future

from bluesky_gp.priority import urgent
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.run import Decision, History, Outcome, RunOutcomes, after, decide

TELLING = 10  # pixels without a single value are no accident


class Progress:
    """Asks the optimizer, and remembers what it answered and what it knew then.

    Parameters
    ----------
    optimizer : Optimizer
    executor : Executor
        Where decisions are computed.
    heard : RunOutcomes
        What the run says of its pixels; it goes on hearing.
    history : History
        What the run began with.
    first : Decision or None
        The decision that `history` leads to, if it has been computed.
    num : int or None
        Pixels that this run and those that it resumes attempt.
    """

    def __init__(
        self,
        optimizer: AnyOptimizer,
        executor: Executor,
        heard: RunOutcomes,
        history: History,
        first: Decision | None,
        num: int | None,
    ) -> None:
        self.heard = heard
        self.over = False
        self.warned = False  # that nothing is learnt
        self.finish_reason = ""  # not empty: propose nothing more
        self._optimizer = optimizer
        self._executor = executor
        self._history = history
        self._num = num
        self._before = frozenset(outcome.pixel for outcome in history.learnt)
        self._previous = first
        self._learnt = 0  # outcomes that `_previous` knows
        self._asked = 0  # outcomes that `_answer` will know
        self._answer: Future[Decision] | None = None

    def ask(self) -> "Future[Decision]":
        """Ask for the next batch; asked again before another pixel was heard, it gives the same answer."""
        outcomes = self.heard.outcomes
        if self._answer is None or len(outcomes) > self._asked or _has_failed(self._answer):
            self._answer = self._submit(outcomes)
        return self._answer

    def _submit(self, outcomes: list[Outcome]) -> "Future[Decision]":
        if self.decision is not None:
            self._previous, self._learnt = self.decision, self._asked
        self._asked = len(outcomes)
        new = tuple(outcomes[self._learnt :])  # a copy: documents keep arriving on the RunEngine's thread
        num, reason = (0, self.finish_reason) if self.finish_reason else (self._left(outcomes), "num")
        return self._executor.submit(_decide, self._optimizer, self._history, self._previous, new, num, reason)

    def _left(self, outcomes: list[Outcome]) -> int:
        attempted = len(self._before.union(outcome.pixel for outcome in outcomes))
        size = self._optimizer.batch_size
        return size if self._num is None else min(size, self._num - attempted)

    @property
    def asked(self) -> bool:
        """Whether anybody asked for pixels."""
        return self._answer is not None

    @property
    def nothing_learnt(self) -> str:
        """That of the pixels so far, ten or more, not one has a value, and why the latest has none; empty otherwise."""
        state = None if self.decision is None else self.decision.state
        if state is None or state.n_measured or state.n_failed < TELLING:
            return ""
        reasons = [outcome.reason for outcome in self.heard.outcomes if outcome.failed]
        return f"not one of {state.n_failed} pixels has a value: " + (reasons[-1] if reasons else "marked by hand")

    @property
    def decision(self) -> Decision | None:
        """The latest decision; None before the first, and while the next is computed."""
        done = self._answer is not None and self._answer.done() and not _has_failed(self._answer)
        return self._answer.result() if done and self._answer is not None else None

    def discard(self) -> None:
        """End: nobody waits any more for what is still being computed."""
        self.over = True
        if self._answer is not None and not self._answer.done():
            self._answer.cancel()
            self._answer = None


def _decide(
    optimizer: AnyOptimizer,
    history: History,
    previous: Decision | None,
    new: tuple[Outcome, ...],
    num: int,
    reason: str,
) -> Decision:
    with urgent():
        return decide(optimizer, after(optimizer, history) if previous is None else previous, new, num, reason)


def _has_failed(answer: "Future[Decision]") -> bool:
    return answer.cancelled() or (answer.done() and answer.exception() is not None)
