"""What is closed when the session ends, before Tiled's servers inside this process are.

Tiled stops such a server when the interpreter ends its threads, which is before the handlers of `atexit`; of what is
registered there the last comes first. So each server has this registered behind its own stop: one that stops while its
catalog still asks it something waits for ever, and a thread that the interpreter ends inside compiled code crashes it.
"""

import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from bluesky_gp.recording.versions import private

__all__ = ["at_session_end", "before_its_server"]

_closers: list[Callable[[], None]] = []


def at_session_end(close: Callable[[], None]) -> None:
    """Call `close` when the session ends, the last one first, and before what others have registered so far."""
    _closers.append(close)
    with contextlib.suppress(RuntimeError):  # the interpreter ends already
        _come_first()


def before_its_server(app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return the application of a server whose client, from its first request on, is closed before the server is.

    The client registers the server's stop just before that request; where the session ends in between, the request
    raises RuntimeError.
    """
    registered = False

    async def asked(scope: dict[str, Any], receive: Any, send: Any) -> None:
        nonlocal registered
        if scope["type"] == "http" and not registered:
            _come_first()
            registered = True
        await app(scope, receive, send)

    return asked


def _come_first() -> None:
    private(threading, "_register_atexit", "Python")(_close_all)


def _close_all() -> None:
    while _closers:
        _closers.pop()()
