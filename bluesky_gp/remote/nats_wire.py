"""Documents over NATS in place of bluesky's 0MQ proxy: published as bluesky-nats does, and heard as the proxy's are."""

import asyncio
import atexit
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import zmq
from bluesky_nats.nats_publisher import NATSPublisher
from bluesky_nats.nats_runtime import NatsRuntime
from bluesky_nats.outbox import Delivery, Outbox
from nats.aio.client import Client
from nats.js.errors import NotFoundError

logger = logging.getLogger("bluesky_gp")

EVERYTHING = "events.>"
"""Subjects of everybody's documents, by the convention of bluesky-nats."""
SUBJECT = "events.bluesky_gp"

_CONNECTING = 3.0  # s
_ACKNOWLEDGED = 2.0  # s that a document may take: the RunEngine waits for it
_KEPT = 86400.0  # s that a stream made here keeps documents


class _Connection:
    """A client on a thread of its own, which is sought again for ever, and leaves no task behind when it is closed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.client = Client()
        self.runtime = NatsRuntime("bluesky_gp-nats", owns_client=False)
        atexit.register(self.close)

    async def open(self) -> None:
        """Connect, however long it takes."""
        await self.client.connect(self._url, error_cb=_told, max_reconnect_attempts=-1, reconnect_time_wait=1)

    def close(self) -> None:
        """End the connection and the thread."""
        atexit.unregister(self.close)
        if not self.runtime.closed:
            with suppress(Exception):  # of a server that is away
                self.runtime.setup(self._end())
            self.runtime.close()

    async def _end(self) -> None:
        with suppress(Exception):
            await asyncio.wait_for(self.client.close(), _CONNECTING)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _told(error: Exception) -> None:
    logger.debug("NATS: %s: %s", type(error).__name__, error)  # nats-py's own way is a traceback a second


class NATSWire:
    """Publishes documents to a server's JetStream, in whose stream others find them as well.

    Where no stream takes them, the one of which bluesky-nats speaks is made: ``bluesky``, which keeps them for a day.

    Parameters
    ----------
    url : str
        ``"nats://host:4222"``; it is connected to with the first document.

    Raises
    ------
    ConnectionError
        Instead of waiting, when there is no connection any more; it is sought meanwhile.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: _Connection | None = None
        self._publisher: Any = None

    def __call__(self, name: str, doc: Any) -> None:
        """Publish a document; done when the server has it."""
        if self._publisher is None:
            self._publisher = self._connected()
        if not self._publisher.outbox.is_connected:
            raise ConnectionError("the connection is lost")
        self._publisher(name, doc)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> Any:
        self._connection = connection = _Connection(self._url)
        runtime, client = connection.runtime, connection.client
        try:
            runtime.setup(asyncio.wait_for(connection.open(), _CONNECTING))
            stream = client.jetstream(timeout=_ACKNOWLEDGED)
            runtime.setup(_have_stream(stream))
        except BaseException:
            connection.close()
            raise
        publisher = NATSPublisher(Outbox(runtime, client, delivery=Delivery.BEST_EFFORT), stream, SUBJECT)
        publisher.run_id = "-"  # what is published before a run names none
        return publisher


async def _have_stream(stream: Any) -> None:
    """Make a stream, where none takes our documents."""
    try:
        await stream.find_stream_name_by_subject(f"{SUBJECT}.start")
    except NotFoundError:
        await stream.add_stream(name="bluesky", subjects=[EVERYTHING], max_age=_KEPT)


def heard_over_nats(url: str) -> "tuple[zmq.Socket[bytes], Callable[[], None]]":
    """Return a socket at which messages arrive in the form of the proxy's, and what ends it.

    bluesky-nats' own dispatcher hears a stream from its beginning, of months perhaps; this hears what is published from
    now on, and does so again after the server was away.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    hears, says = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    for socket in (hears, says):
        socket.hwm, socket.linger = 0, 0  # no message waits for a decision
    address = f"inproc://{uuid4().hex}"
    hears.bind(address)
    says.connect(address)

    async def take(message: Any) -> None:
        says.send(b" ".join([b"nats", message.subject.rpartition(".")[2].encode(), message.data]))

    connection = _Connection(url)
    connection.runtime.spawn(_listen(connection, take))

    def close() -> None:
        connection.close()
        hears.close()
        says.close()

    return hears, close


async def _listen(connection: _Connection, take: Any) -> None:
    await connection.open()
    await connection.client.subscribe(EVERYTHING, cb=take)
