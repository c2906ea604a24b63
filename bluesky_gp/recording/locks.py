"""The lock beside a journal, which the session that writes it holds as long as it lives."""

import contextlib
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["give_back", "is_held", "lock_of"]


def lock_of(journal: Path) -> FileLock:
    """Return the lock of a journal, not taken yet."""
    # Not thread-local: the RunEngine's thread takes it and the follower gives it back.
    return FileLock(journal.with_suffix(".lock"), thread_local=False)


def give_back(lock: FileLock) -> None:
    """Release and remove a lock; whoever takes it in between finds no journal beside it."""
    lock.release()
    with contextlib.suppress(OSError):  # Windows removes no file that somebody has open
        Path(lock.lock_file).unlink(missing_ok=True)


def is_held(journal: Path) -> bool:
    """Whether a living session writes a journal, or takes it in."""
    lock = lock_of(journal)
    if not Path(lock.lock_file).exists():
        return False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
