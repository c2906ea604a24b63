"""The wires to an agent elsewhere: documents over bluesky's 0MQ proxy or NATS, questions that are answered directly."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import zmq
from bluesky.callbacks.zmq import Publisher

from bluesky_gp.recording import decode, encode

logger = logging.getLogger("bluesky_gp")

PROBE = "bluesky_gp-"
"""Beginning of the only key of documents by which an agent is known to hear them; they have no events."""

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


def is_nats(address: str) -> bool:
    """Say whether an address is of a NATS server."""
    return address.startswith(("nats://", "tls://"))


def shown(address: str) -> str:
    """Return an address without the password that it may have."""
    return address.replace(f"{urlsplit(address_of(address)).netloc.rpartition('@')[0]}@", "")


class ProxyWire(Publisher):
    """Publishes documents to bluesky's 0MQ proxy as JSON; one that is away keeps no session from ending."""

    def __init__(self, address: str) -> None:
        super().__init__(address, serializer=as_json)
        self._socket.linger = 0


class DocumentPublisher:
    """Publishes documents; what goes wrong is said once, and the run goes on.

    Parameters
    ----------
    address : str
        Of the proxy's side for publishers, ``"host:5567"``, which takes JSON; or of a NATS server,
        ``"nats://host:4222"``, which takes MessagePack, as bluesky-nats has it.
    """

    def __init__(self, address: str) -> None:
        self.address = shown(address)
        self._wire = _wire_to(address)
        self._faults: set[str] = set()

    def __call__(self, name: str, doc: Any) -> None:
        """Publish a document."""
        try:
            self._wire(name, doc)
        except Exception as error:  # of one document: the agent asks for what it lacks
            if name not in self._faults:
                self._faults.add(name)
                reason = f"{type(error).__name__}: {error}"
                logger.warning("a document, %s, is not published to %s: %s", name, self.address, reason)

    @property
    def doubt(self) -> str:
        """The beginning of a question about what may be missing, which ends with the agent's address."""
        if is_nats(self.address):
            return "is that server there, with JetStream, `nats-server -js`, and is it"
        return "is the proxy there, `bluesky-0MQ-proxy 5567 5568`, and is its other side"

    def probe(self, token: str) -> None:
        """Publish nothing: no stream, no event, under a key that an agent recognizes."""
        self("bulk_events", {PROBE + token: []})

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()


def _wire_to(address: str) -> Any:  # NATSWire, or ProxyWire
    if is_nats(address):
        from bluesky_gp.remote.nats_wire import NATSWire

        return NATSWire(address)
    return ProxyWire(address)


@dataclass(frozen=True)
class Source:
    """Documents that others publish: the socket at which their messages arrive, their format, the way to end it."""

    socket: "zmq.Socket[bytes]"
    reads: Callable[[bytes], Any]
    close: Callable[[], None]


def source_of(address: str) -> Source:
    """Return the documents of a proxy's side for subscribers, ``"host:5568"``, or of a NATS server."""
    if is_nats(address):
        from ormsgpack import unpackb

        from bluesky_gp.remote.nats_wire import heard_over_nats

        socket, close = heard_over_nats(address)
        return Source(socket, unpackb, close)
    from orjson import loads

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    hears = context.socket(zmq.SUB)
    hears.linger = 0
    hears.connect(address_of(address))
    hears.subscribe(b"")
    return Source(hears, loads, hears.close)


def ask(address: str, name: str, content: Mapping[str, Any], seconds: float = _TRY) -> dict[str, Any] | None:
    """Ask an agent once; return its answer, None if none came in time."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    with context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.connect(address_of(address))
        socket.send(encode(name, content))
        return decode(socket.recv())[1] if socket.poll(int(1000 * seconds)) else None
