"""The review of a batch: shown to a person, who agrees, edits or vetoes; after a time it goes on by itself."""

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from math import isfinite
from threading import RLock, Timer
from time import time

from bluesky_gp.agent.hands import Hands
from bluesky_gp.run import AGREE, ANSWERS, Action, Decision
from bluesky_gp.status import FutureStatus

log = logging.getLogger("bluesky_gp")


@dataclass(frozen=True)
class Question:
    """A batch that waits for an answer.

    Parameters
    ----------
    pixels : tuple of tuple of int
    seconds : float or None
        After which it goes on by itself; None: never.
    words : str
        The batch as the log shows it.
    """

    pixels: tuple[tuple[int, ...], ...]
    seconds: float | None
    words: str = ""

    @classmethod
    def about(cls, agent: str, decision: Decision, seconds: float | None) -> "Question":
        """Return the question whether the batch of a decision is to be measured."""
        proposal = decision.proposal
        rows = [tuple(int(p) for p in row) for row in proposal.pixels]
        known = zip(rows, proposal.mean, proposal.std, strict=True)  # of the first pixels nothing is
        shown = [f"{row} {mean:.3g} +- {std:.2g}" if isfinite(mean) else f"{row}" for row, mean, std in known]
        ends = "" if seconds is None else f", or is measured in {seconds:g} s"
        words = f"a batch waits for {agent}.agree(), .edit([...]) or .veto([...]){ends}: {', '.join(shown)}"
        return cls(tuple(rows), seconds, words)


class Review:
    """Waits for the answer to a question; a plan sets it, and its Status is done when somebody answered.

    While the RunEngine is paused no time runs out; set again by a rewind, it waits for the same answer.

    Parameters
    ----------
    name : str
        Of the device.
    hands : Hands
        Where answers come in, and where it goes on by itself.
    """

    parent = None

    def __init__(self, name: str, hands: Hands) -> None:
        self.name = name
        self.until: float | None = None  # s since 1970, when it goes on by itself
        self.answer = ""  # kind of the latest answer
        self._hands = hands
        self._posed: Question | None = None
        self._answered: Future[None] = Future()
        self._timer: Timer | None = None
        self._guard = RLock()

    @property
    def question(self) -> Question | None:
        """The batch that waits for an answer; None: none does."""
        return None if self._answered.done() else self._posed

    def set(self, question: Question) -> FutureStatus:
        """Show a batch and wait for the answer."""
        with self._guard:
            if question is not self._posed:
                self._posed, self._answered, self.answer = question, Future(), ""
                log.warning("%s: %s", self.name, question.words)
                for action in self._hands.waiting:
                    self.hear(action)
            self.resume()
        return FutureStatus(self._answered, name=self.name)

    def hear(self, action: Action) -> None:
        """Take an action that may be the answer."""
        with self._guard:
            if self.question is not None and action.kind in ANSWERS:
                self.answer = action.kind
                self.end()

    def end(self) -> None:
        """Wait no more."""
        with self._guard:
            self.pause()
            if not self._answered.done():
                self._answered.set_result(None)

    def pause(self) -> None:
        """Stop the clock: the RunEngine is paused."""
        with self._guard:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self.until = None, None

    def resume(self) -> None:
        """Wind the clock up: the RunEngine goes on."""
        with self._guard:
            self.pause()
            question = self.question
            if question is not None and question.seconds is not None:
                self.until = time() + question.seconds
                self._timer = Timer(question.seconds, self._go_on, [question])
                self._timer.daemon = True
                self._timer.start()

    def _go_on(self, question: Question) -> None:
        with self._guard:
            if self.question is question and self.until is not None:
                self._hands.add(Action(AGREE, {"after": question.seconds}, "", time()))
