"""The stand-in, in a session, for an agent that decides in another process."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from time import monotonic
from typing import Any
from uuid import uuid4
from weakref import finalize

from event_model import Event, EventDescriptor, RunStart, StreamDatum, StreamResource

from bluesky_gp.agent import Assignment, GPAgent, NextQuestion
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.remote.distant_state import decision_of
from bluesky_gp.remote.kept_documents import KeptDocuments
from bluesky_gp.run import Decision, History, Orders
from bluesky_gp.settings import check_number
from bluesky_gp.status import DaemonExecutor, FutureStatus

logger = logging.getLogger("bluesky_gp")


class NoAgentError(ConnectionError):
    """An agent elsewhere does not answer, or does not hear what is published."""


class RemoteAgent(GPAgent):
    """Steers runs as `GPAgent` does, with decisions that ``bluesky-gp agent`` makes on another machine.

    Every document of its runs is published to bluesky's 0MQ proxy, or to a NATS server, and heard there by the agent;
    when the plan asks, the question says which documents the answer has to know, and what of them was lost is sent with
    it. So the answers are those of an agent in the session, bit for bit, whatever becomes of the proxy and the agent
    meanwhile; the plan waits for them.

    Parameters
    ----------
    optimizer : PixelOptimizer
        Its settings go with the start document; it learns nothing itself, and holds after a run what it held before.
    target : str
        Event key of the number to learn.
    ask : str
        Where the agent answers, ``"host:5570"``.
    publish : str
        The proxy's side for publishers, ``"host:5567"``, or a NATS server, ``"nats://host:4222"``.
    patience : float
        Seconds without a sign of life of the agent, after which a run ends as failed; it can be resumed.
    greeting : float
        Seconds that the agent has, before a run is opened, to answer and to hear the proxy.
    **options
        Of `GPAgent`.
    """

    def __init__(
        self,
        optimizer: AnyOptimizer,
        *,
        target: str,
        ask: str,
        publish: str,
        patience: float = 3600.0,
        greeting: float = 15.0,
        **options: Any,
    ) -> None:
        from bluesky_gp.remote.wires import DocumentPublisher

        super().__init__(optimizer, target=target, **options)
        check_number("RemoteAgent", "patience", patience, above=0.0)
        check_number("RemoteAgent", "greeting", greeting, above=0.0)
        self.ask, self.patience, self.greeting = ask, patience, greeting
        self._publisher = DocumentPublisher(publish)
        # Holds the publisher: collected together with the agent, its context would wait for its socket for ever.
        self._closing = finalize(self, self._publisher.close)
        self._kept: KeptDocuments | None = None
        self._known = 0  # documents of the run that the agent has, as far as it is known here
        self._computed_with: Mapping[str, Any] = {}
        self._answers = self._ask_elsewhere

    def close(self) -> None:
        """Close the connection to the proxy."""
        self._closing()

    def metadata(self, history: History | None = None) -> dict[str, Any]:
        """Return what the start document says under ``gp``, with what the agent that decides computes with."""
        own = super().metadata(history)
        return {**own, "elsewhere": self.ask, **self._computed_with}

    # Documents

    def __call__(self, name: str, doc: Any, validate: bool = False) -> Any:
        """Publish a document, and hear it."""
        self._publisher(name, doc)
        return super().__call__(name, doc, validate)

    def start(self, doc: RunStart) -> None:
        """Begin to keep what the agent has to know."""
        before = self._run
        super().start(doc)
        if self._run is not before:
            entry: Mapping[str, Any] = doc.get("gp", {})  # type: ignore[assignment]
            self._kept = KeptDocuments(doc) if entry.get("agent") == self.name else None
            self._known = 0

    def descriptor(self, doc: EventDescriptor) -> None:
        """Keep a stream that the agent has to know."""
        super().descriptor(doc)
        if self._kept is not None:
            self._kept.take("descriptor", doc)

    def event(self, doc: Event) -> Event:
        """Keep an event that the agent has to know."""
        if self._kept is not None:
            self._kept.take("event", doc)
        return super().event(doc)

    def stream_resource(self, doc: StreamResource) -> None:
        """Keep a file that the agent has to know: it reads it where it runs."""
        if self._kept is not None:
            self._kept.take("stream_resource", doc)
        super().stream_resource(doc)

    def stream_datum(self, doc: StreamDatum) -> None:
        """Keep which frames belong to which events."""
        if self._kept is not None:
            self._kept.take("stream_datum", doc)
        super().stream_datum(doc)

    def _keep(self, decision: Decision) -> None:
        """Leave the optimizer as it is: what was learnt is elsewhere."""

    # Before a run

    def prepare(self, value: Assignment) -> FutureStatus:
        """Greet the agent, see that it hears what is published, and read the run that is to be resumed."""
        reading = super().prepare(value)
        return FutureStatus(DaemonExecutor().submit(self._greet, reading), name=self.name)

    def _greet(self, reading: FutureStatus) -> None:
        from bluesky_gp.remote.wires import ask

        until, answer, token = monotonic() + self.greeting, None, uuid4().hex
        content = {"gp": self.metadata(), "token": token}
        while monotonic() < until and not (answer and answer.get("heard")):
            self._publisher.probe(token)
            answer = ask(self.ask, "hello", content, until - monotonic()) or answer
            if answer and answer.get("failed"):
                raise ValueError(f"{self.name}: the agent at {self.ask} cannot decide this: {answer['failed']}")
        if answer is None:
            raise NoAgentError(f"{self.name}: no agent answers at {self.ask}; start one there, `bluesky-gp agent`")
        if not answer["heard"]:
            raise NoAgentError(
                f"{self.name}: the agent at {self.ask} hears nothing of what is published to "
                f"{self._publisher.address}; {self._publisher.doubt} the agent's, {answer['documents']}?"
            )
        self._computed_with = answer["computed_with"]
        if (error := reading.exception(None)) is not None:
            raise error

    # Decisions

    def _ask_elsewhere(
        self, optimizer: AnyOptimizer, history: History, previous: Decision | None, question: NextQuestion
    ) -> "Future[Decision]":
        """Ask on a thread of its own; a cancelled future is asked for no more."""
        if self._kept is None:
            raise RuntimeError(f"{self.name}: the run does not name it: open it with plans.start_metadata(...)")
        asked: Future[Decision] = Future()
        orders = _orders(optimizer, history, previous, question)
        DaemonExecutor().submit(self._fulfil, asked, self._kept.uid, dict(self._kept.documents), orders, question)
        return asked

    def _fulfil(
        self,
        asked: "Future[Decision]",
        uid: str,
        documents: Mapping[str, Any],
        orders: Orders,
        question: NextQuestion,
    ) -> None:
        try:
            answer = self._answer(asked, uid, documents, question.ahead)
            decision = None if answer is None else decision_of(answer, orders, question, self.optimizer.grid.ravel)
        except Exception as error:  # the plan has to hear of it
            if asked.set_running_or_notify_cancel():
                asked.set_exception(error)
        else:
            if asked.set_running_or_notify_cancel() and decision is not None:
                asked.set_result(decision)

    def _answer(
        self, asked: "Future[Decision]", uid: str, documents: Mapping[str, Any], ahead: bool
    ) -> dict[str, Any] | None:
        """Ask until there is an answer, with the documents that the agent lacks; None: nobody waits any more."""
        from bluesky_gp.remote.wires import ask

        keys, sent, last = list(documents), list[Any](), monotonic()
        while not asked.cancelled():
            since = self._known
            content = {"run": uid, "since": since, "order": keys[since:], "ahead": ahead, "documents": sent}
            answer, sent = ask(self.ask, "decide", content), []
            if answer is None:
                self._check_patience(monotonic() - last)
                continue
            last = monotonic()
            if answer.get("failed"):
                raise RuntimeError(f"{self.name}: the agent at {self.ask} could not decide: {answer['failed']}")
            if "have" in answer:
                self._known = int(answer["have"])
                sent = [documents[key] for key in keys[self._known :]]
            elif "proposal" in answer:
                self._known = len(keys)
                return answer
        return None

    def _check_patience(self, silent: float) -> None:
        logger.warning("%s: no answer from the agent at %s for %.0f s; the plan waits", self.name, self.ask, silent)
        if silent > self.patience:
            raise NoAgentError(
                f"{self.name}: no answer from the agent at {self.ask} for {silent:.0f} s; start `bluesky-gp agent` "
                f"there, and resume the run, adaptive_map(..., resume_from=...)"
            )


def _orders(optimizer: AnyOptimizer, history: History, previous: Decision | None, question: NextQuestion) -> Orders:
    """Return what people ordered until a question, without a single decision made again."""
    orders = Orders() if previous is None else previous.orders
    for step in history.steps if previous is None else ():
        orders = orders.after(step.heeded, step.learnt, optimizer.grid)
    return orders.after(question.actions, question.outcomes, optimizer.grid)
