"""The two wires to an agent elsewhere: documents to bluesky's 0MQ proxy, and questions that are answered directly."""

import logging
from collections.abc import Mapping
from typing import Any

import zmq
from bluesky.callbacks.zmq import Publisher

from bluesky_gp.recording import decode, encode

logger = logging.getLogger("bluesky_gp")

PROBE = b"bluesky_gp-"
"""Beginning of the prefix of messages by which an agent is known to hear the proxy; their document is empty."""

_TRY = 5.0  # s until a question is asked again


def address_of(text: str) -> str:
    """Return an address with its protocol: tcp unless it names another."""
    return text if "://" in text else f"tcp://{text}"


def as_json(doc: Any) -> bytes:
    """Write a document as JSON for anybody: arrays as lists, NaN as null."""
    import orjson

    return orjson.dumps(doc, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON")


class JSONPublisher(Publisher):
    """Publishes documents to bluesky's 0MQ proxy as JSON; what goes wrong is said once, and the run goes on.

    Parameters
    ----------
    address : str
        Of the proxy's side for publishers, ``"host:5567"``.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address, serializer=as_json)
        self._socket.linger = 0  # a proxy that is away keeps no session from ending
        self._faults: set[str] = set()

    def __call__(self, name: str, doc: Any) -> None:
        """Publish a document."""
        try:
            super().__call__(name, doc)
        except Exception as error:  # of one document: the agent asks for what it lacks
            if name not in self._faults:
                self._faults.add(name)
                logger.warning("a document, %s, is not published to %s: %s", name, self.address, error)

    def probe(self, token: str) -> None:
        """Publish nothing: no stream, no event, under a prefix that an agent recognizes."""
        self._socket.send(PROBE + token.encode() + b" bulk_events {}")


def ask(address: str, name: str, content: Mapping[str, Any], seconds: float = _TRY) -> dict[str, Any] | None:
    """Ask an agent once; return its answer, None if none came in time."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    with context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.connect(address_of(address))
        socket.send(encode(name, content))
        return decode(socket.recv())[1] if socket.poll(int(1000 * seconds)) else None
