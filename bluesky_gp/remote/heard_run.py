"""A run that is decided elsewhere, as the process that decides it hears it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from threading import Condition
from typing import Any

from bluesky_gp.agent import Progress, answers_on
from bluesky_gp.optimizer import PixelOptimizer, Recipe
from bluesky_gp.plain_data import make_setting
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.remote.distant_state import decision_mapping
from bluesky_gp.remote.kept_documents import Document, KeptDocuments
from bluesky_gp.run import Budget, Decision, History, PixelKeys, RunActions, RunOutcomes
from bluesky_gp.status import DaemonExecutor

_LATE = 0.3  # s that a document may come after a question that knows of it; then it is asked for
_ANSWER = 0.5  # s until whoever asks hears that the decision is still computed


class HeardRun:
    """Hears a run's documents in whatever order they come, and decides in that which the session says.

    A document that did not come is asked for. A run of which nothing is known, after a restart, is heard from its
    start, and its decisions are made again on the way, each where the record has it.

    Parameters
    ----------
    start : Mapping
        Its start document.
    """

    def __init__(self, start: Document) -> None:
        self.kept = KeptDocuments(start)
        self._came = Condition()
        self._progress: Progress | None = None
        self._fed = 0  # documents, in the session's order
        self._asked = (0, False)  # documents that the latest decision knows, and whether a batch was under way
        self._deciding: Future[Decision | int] | None = None

    def take(self, name: str, doc: Document) -> None:
        """Take a document in: in any order, late or repeated."""
        with self._came:
            self.kept.take(name, doc)
            self._came.notify_all()

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return a decision, that it is computed, how many documents there are of those it wants, or what went wrong.

        Parameters
        ----------
        question : Mapping
            ``order``: keys of the documents to know, from the one on whose number is ``since``; ``documents``: those
            that are sent along; ``ahead``: whether the batch of the latest decision is under way.
        """
        for name, doc in question["documents"]:
            self.take(name, doc)
        since, order, ahead = int(question["since"]), list(question["order"]), bool(question["ahead"])
        asked = (since + len(order), ahead)
        if self._deciding is None or (self._deciding.done() and (asked != self._asked or self._lacked)):
            self._asked, self._deciding = asked, DaemonExecutor().submit(self._decide, since, order, ahead)
        deciding = self._deciding
        wait([deciding], _ANSWER)
        if not deciding.done() or asked != self._asked:  # another question is not answered yet
            return {"computing": True}
        if (error := deciding.exception()) is not None:
            self._deciding = None  # asked again, it is tried again
            return {"failed": f"{type(error).__name__}: {error}"}
        result = deciding.result()
        return decision_mapping(result) if isinstance(result, Decision) else {"have": result}

    @property
    def _lacked(self) -> bool:
        """Whether the latest answer was that a document lacks."""
        return self._deciding is not None and self._deciding.exception() is None and _is_count(self._deciding.result())

    def _decide(self, since: int, order: Sequence[str], ahead: bool) -> Decision | int:
        """Hear what the order says and decide; where a document lacks, return how many were heard."""
        if since > self._fed:
            return self._fed
        progress = self._progress = self._progress or _progress(self.kept)
        for key in order[self._fed - since :]:
            if not self._has(key):
                return self._fed
            self._feed(progress, *self.kept.documents[key])
            self._fed += 1
        progress.heard.check_frames()  # the session has read them, and here they cannot be
        return _begun_ahead(progress).result() if ahead else progress.ask().result()

    def _has(self, key: str) -> bool:
        with self._came:
            return self._came.wait_for(lambda: key in self.kept.documents, _LATE)

    def _feed(self, progress: Progress, name: str, doc: Document) -> None:
        if name == "descriptor":
            progress.heard.descriptor(doc)
            progress.acted.descriptor(doc)
        elif name == "stream_resource":
            progress.heard.stream_resource(doc)
        elif name == "stream_datum":
            progress.heard.stream_datum(doc)
        elif name == "event" and self.kept.streams[doc["descriptor"]] == self.kept.agent:
            latest, recorded = progress.latest, doc["data"]
            if latest is None or latest.iteration < int(recorded[f"{self.kept.agent}_iteration"]):
                # Made before a restart, from what came before it; where pixels were pending, without their values.
                if recorded.get(f"{self.kept.agent}_pending"):
                    _begun_ahead(progress).result()
                progress.ask().result()
        elif name == "event":
            progress.heard.event(doc)
            progress.acted.event(doc)


def _is_count(result: Decision | int) -> bool:
    return isinstance(result, int)


def _begun_ahead(progress: Progress) -> "Future[Decision]":
    """Begin the decision that follows the batch under way, from what came before the first of its pixels."""
    progress.ask_ahead()
    if progress.awaited is None:
        raise RuntimeError("the session decides ahead, and here nothing can be: are the versions the same?")
    return progress.awaited


def made(entry: Mapping[str, Any]) -> tuple[PixelOptimizer, Scalarizer | None]:
    """Make the optimizer, with its stopping rules, and the scalarizer that a start document describes under ``gp``.

    Raises
    ------
    ValueError
        If the description is a name only, of a function of somebody's own.
    """
    optimizer = PixelOptimizer.of(Recipe.of(entry)).configured({"stopping": entry.get("stopping", ())})
    return optimizer, make_setting("scalarizer", entry.get("scalarizer"))


def _progress(kept: KeptDocuments) -> Progress:
    """Begin a run as an agent in its session does."""
    _, start = kept.documents[kept.uid]
    entry, history = kept.entry, History.of(kept.entry)
    optimizer, scalarizer = made(entry)
    heard = RunOutcomes(kept.uid, PixelKeys.of(entry, scalarizer), history.unlearnt, start.get("time"))
    acted = RunActions(kept.uid, kept.agent, history.unheeded)
    answers = answers_on(DaemonExecutor())
    return Progress(optimizer, answers, heard, acted, history, None, entry.get("num"), Budget.of(entry))
