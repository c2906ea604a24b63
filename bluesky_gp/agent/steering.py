"""The questions and answers of one run."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from math import isnan, nan

from bluesky_gp.agent.answering import Answers, NextQuestion
from bluesky_gp.agent.looks import worthwhile_exposure, worthwhile_looks
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.run import (
    Action,
    Budget,
    Decision,
    Doing,
    History,
    LearntValues,
    Orders,
    Outcome,
    Resumed,
    RunActions,
    RunOutcomes,
    Spent,
    Step,
    TimeSpent,
    after,
    left_by,
    number_after,
)

TELLING = 10  # pixels without a single value are no accident
KNOWN = 3  # times as many pixels as are under way, before decisions are made ahead; benchmarks/overlap.py


class Progress:
    """Asks the optimizer, and remembers what it answered and what it knew then.

    Parameters
    ----------
    optimizer : Optimizer
    answers : callable
        Computes decisions somewhere, see `answers_on`.
    heard : RunOutcomes
        What the run says of its pixels; it goes on hearing.
    acted : RunActions
        What people asked for in the run; likewise.
    history : History
        What the run began with.
    first : Decision or None
        The decision that `history` leads to, if it has been computed.
    num : int or None
        Pixels that this run and those that it resumes attempt.
    budget : Budget
        Seconds of this run, and dose of all.
    """

    def __init__(
        self,
        optimizer: AnyOptimizer,
        answers: Answers,
        heard: RunOutcomes,
        acted: RunActions,
        history: History,
        first: Decision | None,
        num: int | None,
        budget: Budget,
    ) -> None:
        self.heard = heard
        self.acted = acted
        self.over = False
        self.warned = False  # that nothing is learnt
        self.spent = Spent()  # as far as the plan counts it
        self._read: tuple[Decision, Spent] | None = None  # the decision read last, and what was spent before it was
        self._optimizer = optimizer
        self._answers = answers
        self._history = history
        self._num = num
        self._budget = budget
        self._before = frozenset(outcome.pixel for outcome in history.learnt)
        self._previous = first
        self._steps: list[Step] = []  # of the decisions before the latest
        self._deciding = 0.0  # s, that those took
        self._known = (0, 0)  # outcomes and actions that `_previous` knows
        self._asked = (0, 0)  # and that `_answer` will know
        self._there = (0, 0)  # and that there were when `_answer` was given: more, where it was begun ahead
        self._answer: Future[Decision] | None = None
        self._ahead: _Ahead | None = None

    def ask(self) -> "Future[Decision]":
        """Ask for the next batch; asked again before anything new was heard, it gives the same answer.

        An answer that was begun ahead counts, unless people have acted since, or it ends the run, which is for an
        answer to say that knows all pixels.
        """
        if self._answer is None or self.is_told or _has_failed(self._answer):
            there, ahead, self._ahead = self._heard, self._ahead, None
            if self.decision is not None:
                self._steps.append(self.decision.step)
                self._deciding += self.decision.seconds
                self._previous, self._known = self.decision, self._asked
            spent = self._budget.over(*self._spent_with(self.heard.outcomes[: there[0]]))
            if ahead is not None and ahead.asked[1] == there[1] and ahead.proposes and not spent:
                self._answer, self._asked = ahead.answer, ahead.asked
            else:
                self._answer, self._asked = self._submit(self._previous, self._known, there, ()), there
            self._there = there
        return self._answer

    def learnt_values(self, most: int) -> list[LearntValues]:
        """Return what the latest decision learnt by the agent's scalarizer, at most so many values together.

        Of this run alone, and without what its record has already.
        """
        decision = self.decision
        if decision is None or self.heard.keys.scalarizer is None:
            return []
        inherited = len(self._history.unlearnt) if decision.iteration == len(self._history.steps) else 0
        values = [outcome.value for outcome in decision.step.learnt[inherited:]]
        parts = [
            LearntValues(decision.iteration, first, tuple(values[first : first + most]))
            for first in range(0, len(values), most)
        ]
        return [part for part in parts if not self.heard.has(part)]

    @property
    def is_told(self) -> bool:
        """Whether anything was heard since the latest answer was given."""
        return self._heard != self._there

    @property
    def _heard(self) -> tuple[int, int]:
        return len(self.heard.outcomes), len(self.acted.actions)

    def _submit(
        self, previous: Decision | None, known: tuple[int, int], there: tuple[int, int], pending: Sequence[int]
    ) -> "Future[Decision]":
        outcomes = tuple(self.heard.outcomes[: there[0]])  # a copy: documents keep arriving on the RunEngine's thread
        actions = tuple(self.acted.actions[known[1] : there[1]])
        attempted = len(self._attempted(outcomes, pending))
        seconds, measured = self._spent_with(outcomes)
        own = len({outcome.pixel for outcome in outcomes[len(self._history.unlearnt) :]})
        pace = seconds / own if own else nan
        room = self._budget.room(seconds + len(pending) * (pace if own else 0.0), measured + len(pending), pace)
        question = NextQuestion(
            outcomes[known[0] :], actions, self.num_after(()), attempted, ahead=len(pending) > 0, room=room,
            spent=self._budget.over(seconds, measured),
        )  # fmt: skip
        return self._answers(self._optimizer, self._history, previous, question)

    def _spent_with(self, outcomes: Sequence[Outcome]) -> tuple[float, int]:
        """Return seconds since the run began, and number of measurements, with the latest of its outcomes."""
        return max((o.seconds for o in outcomes), default=0.0), len(self._history.learnt) + len(outcomes)

    def _attempted(self, outcomes: Sequence[Outcome], pending: Sequence[int]) -> frozenset[int]:
        return self._before.union((outcome.pixel for outcome in outcomes), pending)

    @property
    def n_attempted(self) -> int:
        """Number of pixels that this run and those that it resumes have measured, or that failed."""
        return len(self._attempted(self.heard.outcomes, ()))

    def ask_ahead(self) -> None:
        """Begin to decide what follows the batch under way, from what was heard before the first of its pixels.

        A run that is resumed in the middle of a batch so decides what the one that was cut short would have decided.
        Nothing is begun before three times as many pixels are known as are under way, for the last batch, whose
        successor ends the run, and where people have asked for anything that is not heeded yet.
        """
        previous, known = self._latest_and_known
        if self._ahead is not None or previous is None or previous.is_last:
            return
        batch = previous.step.proposed
        outcomes = self.heard.outcomes
        n = next((i for i in range(known[0], len(outcomes)) if outcomes[i].pixel in batch), len(outcomes))
        num, attempted = self.num_after(()), len(self._attempted(outcomes[:n], batch))
        steered = len(self.acted.actions) > known[1] or previous.orders.wanted
        if steered or previous.state.n_measured < KNOWN * len(batch) or (num is not None and attempted >= num):
            return
        there = (n, known[1])
        self._ahead = _Ahead(self._submit(previous, known, there, batch), there)

    @property
    def awaited(self) -> "Future[Decision] | None":
        """The answer that was begun ahead, unless people have acted since; None: there is none."""
        ahead = self._ahead
        return None if ahead is None or ahead.asked[1] != len(self.acted.actions) else ahead.answer

    def num_after(self, waiting: Sequence[Action]) -> int | None:
        """Return how many pixels the run attempts, once people's actions that wait are heeded; None: no number."""
        return number_after(self._num, (*self.acted.actions[len(self._history.unheeded) :], *waiting))

    def orders_after(self, waiting: Sequence[Action]) -> Orders:
        """Return people's orders as of the latest decision, those recorded since and those that wait."""
        latest, known = self._latest_and_known
        orders = Orders() if latest is None else latest.orders
        actions = (*self.acted.actions[known[1] :], *waiting)
        return orders.after(actions, self.heard.outcomes[known[0] :], self._optimizer.grid)

    def is_barred(self, pixel: Sequence[int], waiting: Sequence[Action]) -> bool:
        """Whether people forbade a pixel since it was proposed."""
        if not waiting and len(self.acted.actions) == self._asked[1]:
            return False
        barred = self.orders_after(waiting).barred
        return barred is not None and bool(barred[self._optimizer.grid.ravel([tuple(pixel)])[0]])

    @property
    def latest(self) -> Decision | None:
        """The latest decision, while the next is computed the one before."""
        return self._latest_and_known[0]

    @property
    def _latest_and_known(self) -> tuple[Decision | None, tuple[int, int]]:
        """The latest decision, and how many outcomes and actions it knows."""
        return (self._previous, self._known) if self.decision is None else (self.decision, self._asked)

    @property
    def under_way(self) -> frozenset[int]:
        """Flat indices of the latest batch that have no outcome yet."""
        proposed = self.decision.step.proposed if self.decision is not None else ()
        heard = {outcome.pixel for outcome in self.heard.outcomes[self._there[0] :]}
        return frozenset(proposed) - heard

    @property
    def left(self) -> Resumed:
        """What a run begins with that goes on where this one stands."""
        decision = next((d for d in (self.decision, self._previous) if d is not None and not d.is_last), None)
        steps = [*self._steps, *([self.decision.step] if self.decision is not None else [])]
        outcomes, actions = (*self._history.learnt, *self.heard.outcomes), (*self._history.heeded, *self.acted.actions)
        history = left_by(self.heard.uid, self._history, steps, outcomes, actions)
        return Resumed(history, after(self._optimizer, history) if decision is None else decision)

    def time_spent(self, ended: float) -> TimeSpent:
        """Return where the time of the run went that ended then, s since 1970."""
        deciding = self._deciding + (0.0 if self.decision is None else self.decision.seconds)
        return TimeSpent(ended - (self.heard.began or ended), deciding=deciding, **asdict(self.spent))

    def looks_at(self, pixel: int) -> int:
        """Return how many looks at a pixel that has had its first are worth their time, and the dose is enough for."""
        latest, own = self.latest, self.heard.outcomes[len(self._history.unlearnt) :]
        if latest is None or not own:
            return 1
        noise = self._noise_at(latest, pixel)
        moving = self.spent.moving / len({outcome.pixel for outcome in own})
        looks = worthwhile_looks(noise, moving, (self.spent.exposing + self.spent.recording) / len(own))
        room = self._budget.pixels_left(len(self._history.learnt) + len(self.heard.outcomes))
        to_come = set(latest.step.proposed).difference(outcome.pixel for outcome in own)
        return looks if room is None else max(min(looks, 1 + room - len(to_come)), 1)

    def exposure_at(self, pixel: int, usual: float) -> float:
        """Return for how many seconds a pixel is worth exposing, where the noise is that of the `usual` exposure."""
        latest, own = self.latest, self.heard.outcomes[len(self._history.unlearnt) :]
        if latest is None or not own:
            return usual
        beside = self.spent.moving + self.spent.exposing + self.spent.recording
        beside -= sum(float(outcome.others.get("exposure", usual)) for outcome in own)
        return worthwhile_exposure(self._noise_at(latest, pixel), beside / len(own), usual)

    def _noise_at(self, latest: Decision, pixel: int) -> float:
        variance = float(latest.state.std.ravel()[pixel]) ** 2
        return latest.state.noise_std**2 / variance if variance > 0.0 else nan

    def count(self, doing: Doing, seconds: float) -> None:
        """Take note of what the instrument did for so many seconds."""
        self.spent = (Spent.nothing() if isnan(self.spent.waiting) else self.spent).after(doing, seconds)

    def spent_before(self, decision: Decision) -> Spent:
        """Return what was spent before a decision was read for the first time; read again, its event says the same."""
        if self._read is None or self._read[0] is not decision:
            self._read = decision, self.spent
        return self._read[1]

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
        if self._ahead is not None:
            self._ahead.answer.cancel()
        if self._answer is not None and not self._answer.done():
            self._answer.cancel()
            self._answer = None


@dataclass(frozen=True, eq=False)
class _Ahead:
    """An answer that was begun while the batch before it was measured, and how much it knows."""

    answer: "Future[Decision]"
    asked: tuple[int, int]

    @property
    def proposes(self) -> bool:
        """Whether it is there, and names pixels."""
        return self.answer.done() and not _has_failed(self.answer) and not self.answer.result().is_last


def _has_failed(answer: "Future[Decision]") -> bool:
    return answer.cancelled() or (answer.done() and answer.exception() is not None)
