"""The Channel Access repeater in a few lines: hands the beacons of IOCs to every client of this machine."""

import asyncio
import contextlib
import struct
from typing import Any

REGISTER, CONFIRM = 24, 17  # commands of the Channel Access protocol


class Repeater(asyncio.DatagramProtocol):
    """Answers clients that register, so that they do not start a ``caRepeater``, which pyepics does not bring along."""

    def __init__(self) -> None:
        self._clients: set[Any] = set()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        """Register a client, or pass a beacon on."""
        if not data or struct.unpack(">H", data[:2])[0] == REGISTER:
            self._clients.add(address)
            self._transport.sendto(struct.pack(">HHHHII", CONFIRM, 0, 0, 0, 0, 0), address)
            return
        for client in self._clients - {address}:
            self._transport.sendto(data, client)


async def start_repeater(port: int) -> None:
    """Start a repeater on the loopback interface, unless there is one."""
    with contextlib.suppress(OSError):
        await asyncio.get_running_loop().create_datagram_endpoint(Repeater, local_addr=("127.0.0.1", port))
