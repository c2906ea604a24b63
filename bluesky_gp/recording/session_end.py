"""The end of the interpreter, before its threads are ended: the moment at which a catalog is closed."""

import contextlib
import threading
from collections.abc import Callable

from bluesky_gp.recording.versions import private

__all__ = ["at_session_end"]


def at_session_end(close: Callable[[], None]) -> None:
    """Call `close` when the session ends, before what was registered so earlier.

    Tiled stops its embedded server when the interpreter ends its threads, which is before the handlers of `atexit`.
    """
    with contextlib.suppress(RuntimeError):  # the interpreter ends already
        private(threading, "_register_atexit", "Python")(close)
