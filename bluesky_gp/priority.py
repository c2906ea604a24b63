"""What somebody waits for, and work in the background that lets it pass.

The threads of a process share one interpreter: a decision of 20 ms takes up to three times as long beside a thread that
writes a catalog, and so does a run of 10 ms. The catalog can wait that long, the microscope should not.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

__all__ = ["begin_urgent", "give_way", "step_back", "urgent"]

_PATIENCE = 0.25  # s; what takes longer is hardly delayed, and what is in the background has its own times to keep

_changed = threading.Condition()
_begun: dict[object, float] = {}  # when each began of what has not ended


@contextmanager
def urgent() -> Iterator[None]:
    """Have those who `give_way` wait while the body runs."""
    end = begin_urgent()
    try:
        yield
    finally:
        end()


def begin_urgent() -> Callable[[], None]:
    """Have those who `give_way` wait until what this returns is called; a second call of it does nothing."""
    key = object()
    with _changed:
        _begun[key] = monotonic()

    def end() -> None:
        with _changed:
            _begun.pop(key, None)
            _changed.notify_all()

    return end


def give_way() -> None:
    """Wait until nothing `urgent` goes on that began less than a quarter of a second ago."""
    with _changed:
        if (left := _seconds_left()) > 0.0:
            _changed.wait_for(lambda: _seconds_left() <= 0.0, timeout=left)


def _seconds_left() -> float:
    return max(_begun.values(), default=-_PATIENCE) + _PATIENCE - monotonic()


def step_back(niceness: int) -> None:
    """Have the operating system prefer others to this process, where it knows how; Windows does not."""
    if (nice := getattr(os, "nice", None)) is not None:
        nice(niceness)
