"""The thread that writes a catalog behind the journals: once a second what there is, again where that failed."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bluesky_gp.recording.journal import JournalError
from bluesky_gp.recording.journal_end import finish_journal
from bluesky_gp.recording.journal_folder import JournalFolder, PendingRun
from bluesky_gp.recording.repetitions import first_time
from bluesky_gp.recording.spill import put_back
from bluesky_gp.recording.stores import Abandoned, RunWriter, Store

__all__ = ["Follower"]

logger = logging.getLogger("bluesky_gp.recording")

_DOCUMENTS_A_WRITE = 200  # bounds memory when a long journal is taken in
_LONGEST_REQUEST = 5.0  # seconds that the end of a session waits for the request under way
_LONG_WAIT = 10.0  # seconds after which somebody who reads is told what he waits for
_LONGEST_PAUSE = 60.0  # seconds between two tries at a catalog that is away


class Follower:
    """Copies journals into a store, on a thread of its own.

    Parameters
    ----------
    folder : JournalFolder
        Folder of the journals. Those that dead sessions left in it are taken in first.
    connect : callable
        Returns the store; called on the thread.
    place : str
        The catalog's name in messages.
    interval : float
        Seconds between two writes.
    """

    def __init__(
        self, folder: JournalFolder, connect: Callable[[], Store], *, place: str, interval: float = 1.0
    ) -> None:
        self._folder = folder
        self._connect = connect
        self._place = place
        self._interval = interval
        self._runs: list[PendingRun] = []
        self._store: Store | None = None
        self._error: Exception | None = None
        self._ready = threading.Event()
        self._wake = threading.Event()
        self._closing = False
        self._is_abandoned = False
        self._flushes: deque[_Flush] = deque()
        self._adopted: deque[Path] = deque()
        self._thread = threading.Thread(target=self._work, name=f"catalog {place}", daemon=True)
        self._thread.start()

    def follow(self, run: PendingRun) -> None:
        """Copy a run from now on."""
        self._runs.append(run)

    def adopt(self, path: Path) -> None:
        """Take in a pending journal that nobody writes, with the next writing."""
        self._adopted.append(path)

    def require_open(self) -> None:
        """Raise if nothing is written any more."""
        if self._closing:
            raise RuntimeError(f"The catalog {self._place} is closed: open it again and subscribe its writer")

    def hurry(self) -> None:
        """Write now, not at the next second."""
        self._wake.set()

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait until the store is open, and at most `timeout` for the runs that have ended to be in it.

        Raises
        ------
        Exception
            The one that kept the store from being opened.
        """
        self._ready.wait()
        if self._error is not None:
            raise self._error.with_traceback(None)
        ended = [run.settled for run in self._runs if run.stopped and not run.settled.is_set()]
        if ended:
            self.hurry()
            self._wait_for(ended, timeout)

    def _wait_for(self, ended: list[threading.Event], timeout: float) -> None:
        began = time.monotonic()
        for settled in ended:
            if settled.wait(max(began + _LONG_WAIT - time.monotonic(), 0.0)):
                continue
            left = sum(not other.is_set() for other in ended)
            logger.warning(
                "The catalog %s is still taking in %d runs that have ended, which are whole in %s. Reading waits for "
                "them, at most %g s.", self._place, left, self._folder.path, timeout,
            )  # fmt: skip
            break
        for settled in ended:
            settled.wait(max(began + timeout - time.monotonic(), 0.0))

    @property
    def is_ready(self) -> bool:
        """Whether `wait_until_ready` would return at once."""
        return self._ready.is_set() and self._error is None

    def flush(self, timeout: float) -> bool:
        """Wait until the store has what was journalled before this call; False if that takes longer than `timeout`."""
        flush = _Flush(time.monotonic() + timeout)
        self._flushes.append(flush)
        self.hurry()
        return flush.done.wait(timeout)

    def close(self, timeout: float) -> None:
        """Write what is left, once, and end the thread; what is not written in time stays pending."""
        self._closing = True
        self.hurry()
        self._thread.join(timeout)
        if self._thread.is_alive() and self._error is None:
            self._is_abandoned = True
            if self._store is not None:
                self._store.abandon()
                self._thread.join(_LONGEST_REQUEST)

    def _work(self) -> None:
        self._open()
        while not self._closing:
            self._wake.wait(self._interval)
            self._wake.clear()
            self._pass()
        for run in self._runs:
            run.retry_at = 0.0
        if not self._is_abandoned:
            self._pass()
        self._leave()

    def _open(self) -> None:
        try:
            self._store = self._connect()
            for path in self._folder.pending():
                if self._is_abandoned:
                    break
                self._take_in(path)
        except Exception as error:
            self._error = error
            if not _session_ends(error):
                logger.error(
                    "The catalog %s cannot be opened. Runs go on and are kept in %s. (%s: %s)",
                    self._place, self._folder.path, type(error).__name__, error,
                )  # fmt: skip
            logger.debug("The catalog %s cannot be opened.", self._place, exc_info=error)
        finally:
            self._ready.set()

    def _take_in(self, path: Path) -> None:
        lock = None
        try:
            if (lock := self._folder.claim(path)) is None:
                return
            put_back(path)
            run = PendingRun(finish_journal(path), path, lock, stopped=True)
        except (JournalError, OSError) as error:  # damaged, or somebody else's
            logger.warning("%s It stays where it is and is not in the catalog %s.", error, self._place)
            if lock is not None:
                lock.release()
            return
        logger.info("Taking in run %s from %s, which an earlier session left.", run.uid, path)
        self._runs.append(run)
        self._advance(run)

    def _pass(self) -> None:
        while self._adopted:
            self._take_in(self._adopted.popleft())
        waiting = [self._flushes.popleft() for _ in range(len(self._flushes))]
        if waiting:
            for run in self._runs:
                run.retry_at = 0.0
        up_to_date = [self._advance(run) for run in list(self._runs)]
        for flush in waiting:
            if all(up_to_date):
                flush.done.set()
            elif time.monotonic() < flush.until:
                self._flushes.append(flush)

    def _advance(self, run: PendingRun) -> bool:
        """Copy what a journal has that the store has not; return whether that is done."""
        try:
            self._folder.tend(run)
            if self._store is None or time.monotonic() < run.retry_at:
                return False
            run.held = run.held or self._copy(self._store, run)
            run.failures = 0  # the next one is news
            if run.held:
                self._folder.keep(run)
                self._runs.remove(run)
                run.settled.set()
        except Abandoned:
            return False
        except Exception as error:
            self._failed(run, error)
            return False
        finally:
            if run.stopped and self._store is None:
                run.settled.set()
        return run.held or run.writer is not None  # else it is to be written anew

    def _copy(self, store: Store, run: PendingRun) -> bool:
        """Return whether the store holds the run whole."""
        if run.writer is None:
            if run.journal is None and store.holds(run.uid):
                return True
            run.writer = store.begin(run.uid, own=run.journal is not None)
        ended = self._write(run, run.writer)
        if not run.writer.is_outdated:
            return ended
        run.rewind()
        if ended:
            return self._copy(store, run)
        run.restarts += 1
        run.retry_at = time.monotonic() + min(2.0**run.restarts, _LONGEST_PAUSE)
        return False

    def _write(self, run: PendingRun, writer: RunWriter) -> bool:
        """Give a writer what it has not seen; return whether that has the run's end."""
        for count, (name, doc) in enumerate(run.reader.read(), start=1):
            for kind, part in first_time(run.last_seq_num, name, doc):
                writer(kind, part)
            if name == "stop":
                return True
            if count % _DOCUMENTS_A_WRITE == 0:
                writer.flush()
        writer.flush()
        return False

    def _failed(self, run: PendingRun, error: Exception) -> None:
        run.rewind()
        run.failures += 1
        run.retry_at = time.monotonic() + min(2.0**run.failures, _LONGEST_PAUSE)
        if run.failures == 1:
            reason = str(error) if self._store is None else self._store.fault(error)
            logger.warning(
                "Run %s could not be written to the catalog %s (%s). The run goes on and loses nothing: its "
                "journal %s is complete, and is written whole when the catalog takes it, or when it is opened next.",
                run.uid, self._place, reason, run.path,
            )  # fmt: skip
        else:
            logger.debug("Run %s: try %d failed.", run.uid, run.failures, exc_info=error)
        if run.stopped:
            run.settled.set()

    def _leave(self) -> None:
        if self._runs:
            logger.warning(
                "The catalog %s does not hold %s of this session yet. Nothing is lost: all that was recorded is in %s, "
                "and the catalog's next opening takes it in: %s. At the end of a script catalog.close() waits for it, "
                "catalog.close(60) for up to a minute",
                self._place, counted_runs(len(self._runs)), self._folder.pending_path, _some(self._runs),
            )  # fmt: skip
        for run in self._runs:
            run.end_urgent()
            if run.journal is not None:
                run.journal.close()
            run.lock.release()
            run.settled.set()
        if self._store is not None:
            self._store.close()


@dataclass
class _Flush:
    """Somebody who waits for the store to be up to date, and until when."""

    until: float
    done: threading.Event = field(default_factory=threading.Event)


def _session_ends(error: Exception) -> bool:
    """Whether the interpreter refused to start a thread: what is not in the catalog is told when this one leaves."""
    return isinstance(error, RuntimeError) and "shutdown" in str(error)


def counted_runs(number: int) -> str:
    """Return so many runs in words."""
    return "1 run" if number == 1 else f"{number} runs"


def _some(runs: list[PendingRun]) -> str:
    named = [run.uid for run in runs[:5]]
    return ", ".join(named) + (", ..." if len(runs) > len(named) else "")
