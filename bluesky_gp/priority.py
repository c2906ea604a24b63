"""Computations that somebody waits for, and work in the background that lets them pass.

The threads of a process share one interpreter: a decision of 20 ms takes up to three times as long beside a thread that
writes a catalog. The catalog can wait that long, the microscope should not.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

__all__ = ["give_way", "urgent"]

_PATIENCE = 0.25  # s; a longer computation is hardly delayed, and what is in the background has its own times to keep

_changed = threading.Condition()
_begun: list[float] = []  # when each computation that goes on began


@contextmanager
def urgent() -> Iterator[None]:
    """Have those who `give_way` wait while the body runs."""
    began = monotonic()
    with _changed:
        _begun.append(began)
    try:
        yield
    finally:
        with _changed:
            _begun.remove(began)
            _changed.notify_all()


def give_way() -> None:
    """Wait until nothing `urgent` goes on that began less than a quarter of a second ago."""
    with _changed:
        if _begun:
            _changed.wait_for(lambda: not _begun, timeout=max(_begun[-1] + _PATIENCE - monotonic(), 0.0))
