"""The process of an agent elsewhere: it hears a proxy of bluesky's documents, and answers the sessions that ask."""

import logging
from collections.abc import Mapping
from typing import Any

import zmq
from event_model import unpack_event_page

from bluesky_gp.recording import decode, encode
from bluesky_gp.remote.heard_run import HeardRun, made
from bluesky_gp.remote.kept_documents import Document
from bluesky_gp.remote.wires import PROBE, address_of
from bluesky_gp.run import steered_entry, versions

logger = logging.getLogger("bluesky_gp")

_RUNS = 8  # that are remembered; one that was forgotten is heard again from its start


class AgentServer:
    """Decides the runs of every `RemoteAgent` that asks it; it needs no settings, as start documents have them.

    Nothing is ever unpickled. Whoever reaches its address may have it compute, and read decisions.

    Parameters
    ----------
    documents : str
        The proxy's side for subscribers, ``"host:5568"``.
    listen : str
        Address to answer at, ``"127.0.0.1:5570"``.
    """

    def __init__(self, documents: str, listen: str) -> None:
        self.documents = documents
        self._runs: dict[str, HeardRun] = {}
        self._tokens: list[str] = []
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._hears, self._answers = context.socket(zmq.SUB), context.socket(zmq.REP)
        for socket in (self._hears, self._answers):
            socket.linger = 0
        self._hears.connect(address_of(documents))
        self._hears.subscribe(b"")
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
        self._hears.close()
        self._answers.close()

    def _heard(self, message: bytes) -> None:
        """Hear a message of the proxy; what is no document in JSON is somebody else's."""
        import orjson

        try:
            prefix, name, doc = message.split(b" ", 2)
            if prefix.startswith(PROBE):
                self._tokens = [*self._tokens[-99:], prefix.removeprefix(PROBE).decode()]
            else:
                self.hear(name.decode(), orjson.loads(doc))
        except Exception as error:  # garbage, pickles, documents of another make: the next may be ours
            logger.debug("a message of %s is not understood: %s: %s", self.documents, type(error).__name__, error)

    def hear(self, name: str, doc: Document) -> None:
        """Take a document in, if it is of a run that is decided elsewhere."""
        if name == "start":
            if (entry := steered_entry(doc)) is not None and "elsewhere" in entry and doc["uid"] not in self._runs:
                self._remember(doc)
        elif name == "event_page":
            for event in unpack_event_page(dict(doc)):  # type: ignore[arg-type]
                self.hear("event", event)
        elif name == "stop":
            self._runs.pop(doc["run_start"], None)
        elif name in ("descriptor", "event"):
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
        return {"heard": heard, "documents": self.documents, "versions": dict(versions())}

    def _decide(self, content: Mapping[str, Any]) -> dict[str, Any]:
        run = self._runs.get(content["run"])
        if run is None:
            name, start = (content["documents"] or [("", {})])[0]
            if name != "start":
                return {"have": 0}
            run = self._remember(start)
        return run.answer(content)
