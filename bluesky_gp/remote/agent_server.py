"""The process of an agent elsewhere: it hears documents that are published, and answers the sessions that ask."""

import logging
from collections.abc import Mapping
from typing import Any

import zmq
from event_model import unpack_event_page

from bluesky_gp.recording import decode, encode
from bluesky_gp.remote.heard_run import HeardRun, made
from bluesky_gp.remote.kept_documents import Document
from bluesky_gp.remote.wires import PROBE, address_of, shown, source_of
from bluesky_gp.run import computed_with, steered_entry

logger = logging.getLogger("bluesky_gp")

_RUNS = 8  # that are remembered; one that was forgotten is heard again from its start


class AgentServer:
    """Decides the runs of every `RemoteAgent` that asks it; it needs no settings, as start documents have them.

    Nothing is ever unpickled. Whoever reaches its address may have it compute, and read decisions.

    Parameters
    ----------
    documents : str
        The proxy's side for subscribers, ``"host:5568"``, or a NATS server, ``"nats://host:4222"``.
    listen : str
        Address to answer at, ``"127.0.0.1:5570"``.
    """

    def __init__(self, documents: str, listen: str) -> None:
        self.documents = shown(documents)
        self._runs: dict[str, HeardRun] = {}
        self._tokens: list[str] = []
        self._source = source_of(documents)
        self._hears = self._source.socket
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._answers = context.socket(zmq.REP)
        self._answers.linger = 0
        self._answers.bind(address_of(listen))

    def serve(self) -> None:
        """Hear and answer until the process is told to end."""
        poller = zmq.Poller()
        for socket in (self._hears, self._answers):
            poller.register(socket, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            while self._hears.poll(0):  # whatever came before a question
                self._heard(self._hears.recv())
            if self._answers in ready:
                self._answers.send(encode("answer", self._answered(self._answers.recv())))

    def close(self) -> None:
        """Close both sockets."""
        self._source.close()
        self._answers.close()

    def _heard(self, message: bytes) -> None:
        """Hear a message; what is no document is somebody else's."""
        try:
            _, name, doc = message.split(b" ", 2)
            self.hear(name.decode(), self._source.reads(doc))
        except Exception as error:  # garbage, pickles, documents of another make: the next may be ours
            logger.debug("a message of %s is not understood: %s: %s", self.documents, type(error).__name__, error)

    def hear(self, name: str, doc: Document) -> None:
        """Take a document in, if it is of a run that is decided elsewhere, or a probe."""
        if name == "bulk_events":
            self._tokens = [*self._tokens, *(key.removeprefix(PROBE) for key in doc if key.startswith(PROBE))][-100:]
        elif name == "start":
            if (entry := steered_entry(doc)) is not None and "elsewhere" in entry and doc["uid"] not in self._runs:
                self._remember(doc)
        elif name == "event_page":
            for event in unpack_event_page(dict(doc)):  # type: ignore[arg-type]
                self.hear("event", event)
        elif name == "stop":
            self._runs.pop(doc["run_start"], None)
        elif name in ("descriptor", "event", "stream_resource", "stream_datum"):
            for run in tuple(self._runs.values()):
                run.take(name, doc)

    def _remember(self, start: Document) -> HeardRun:
        if len(self._runs) >= _RUNS:
            self._runs.pop(next(iter(self._runs)))
        run = self._runs[str(start["uid"])] = HeardRun(start)
        return run

    def _answered(self, message: bytes) -> dict[str, Any]:
        """Answer a question; whatever is wrong with it is the answer."""
        try:
            name, content = decode(message)
            return self._hello(content) if name == "hello" else self._decide(content)
        except Exception as error:  # another's question must not end this process
            return {"failed": f"{type(error).__name__}: {error}"}

    def _hello(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Say whether the runs of a session can be decided here, and whether its probe was heard."""
        made(content["gp"])
        if not (heard := content["token"] in self._tokens) and self._hears.poll(200):
            self._heard(self._hears.recv())
            heard = content["token"] in self._tokens
        return {"heard": heard, "documents": self.documents, "computed_with": computed_with()}

    def _decide(self, content: Mapping[str, Any]) -> dict[str, Any]:
        run = self._runs.get(content["run"])
        if run is None:
            name, start = (content["documents"] or [("", {})])[0]
            if name != "start":
                return {"have": 0}
            run = self._remember(start)
        return run.answer(content)
