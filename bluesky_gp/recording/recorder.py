"""On the RunEngine's thread: each document into the journal of its run, and nothing else."""

import asyncio
import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bluesky_gp.priority import begin_urgent
from bluesky_gp.recording.backlog import Backlog
from bluesky_gp.recording.codec import encode, odd_key
from bluesky_gp.recording.follower import Follower
from bluesky_gp.recording.journal import Fsync
from bluesky_gp.recording.journal_folder import JournalFolder, PendingRun
from bluesky_gp.recording.versions import private

_LONG_START = 2**23  # bytes
_MEMORY_OF_START = 12  # bytes for each on the way into the catalog, measured with 200 MB

logger = logging.getLogger("bluesky_gp.recording")
if TYPE_CHECKING:
    from bluesky import RunEngine


class Recorder:
    """Writer that a session subscribes: ``RE.subscribe(catalog.writer)``.

    A document that cannot be written, because the disk is full or a share is away, waits in memory, and the RunEngine
    pauses at its next checkpoint. What waits is written before the next document, and tried once a second.

    Parameters
    ----------
    folder : JournalFolder
        Folder in which the journals are begun.
    follower : Follower
        The thread that writes the catalog behind them.
    fsync : {"document", "second", "never"}
        See `Journal`.

    Raises
    ------
    TypeError, ValueError
        Out of a call, and so out of the run, if a document holds what no journal keeps.
    JournalError
        Out of a call, and so out of the run, if the journal of a run cannot be begun, or if a plan that has no
        checkpoints goes on until no more documents can be kept in memory.
    """

    def __init__(self, folder: JournalFolder, follower: Follower, *, fsync: Fsync) -> None:
        self._folder = folder
        self._follower = follower
        self._fsync: Fsync = fsync
        self._runs: dict[str, PendingRun] = {}
        self._run_of: dict[str, str] = {}  # descriptors' and resources' uids -> their run's

    def __repr__(self) -> str:
        return f"<Recorder into {self._folder.path}, {len(self._runs)} runs open>"

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Append a document to the journal of its run."""
        self._follower.require_open()
        if name == "start":
            self._begin(doc)
        run = self._runs.get(self._uid(name, doc))
        if run is None or run.journal is None:
            logger.warning("A %s document of a run whose beginning was not recorded is dropped.", name)
            return
        written = run.journal.append(name, doc)
        if name == "stop":
            self._end(run)
        elif not written:
            _pause(run, run.journal)

    def _begin(self, doc: Mapping[str, Any]) -> None:
        uid = doc["uid"]
        if uid in self._runs:
            raise ValueError(f"Run {uid} is being recorded already: the catalog's writer is to be subscribed once")
        _check_start(doc)
        self._runs[uid] = run = self._folder.create(uid, fsync=self._fsync)
        run.engine, run.end_urgent = calling_engine(), begin_urgent()
        self._follower.follow(run)

    def _uid(self, name: str, doc: Mapping[str, Any]) -> str:
        """Return the uid of the run to which a document belongs, "" if it is not known."""
        if name == "start":
            return str(doc["uid"])
        parent = doc.get("descriptor", doc.get("resource"))  # events and stream_datums | datums
        uid = self._run_of.get(parent, "") if parent is not None else str(doc.get("run_start", self._newest()))
        if name in ("descriptor", "resource"):
            self._run_of[doc["uid"]] = uid
        return uid

    def _newest(self) -> str:
        """Return the run to which an old-style resource belongs, which does not say so."""
        return next(reversed(self._runs), "")

    def _end(self, run: PendingRun) -> None:
        del self._runs[run.uid]
        self._run_of = {child: uid for child, uid in self._run_of.items() if uid != run.uid}
        run.stopped, run.retry_at = True, 0.0
        run.end_urgent()
        if run.journal is not None and run.journal.waiting:
            logger.error(
                "%d documents of run %s are in memory only; leave this session open until there is room. %s",
                run.journal.waiting, run.uid, run.journal.error,
            )  # fmt: skip


def _pause(run: PendingRun, journal: Backlog) -> None:
    if run.engine is not None and pause_at_checkpoint(run.engine):
        logger.error(
            "%s The run pauses before its next move; %d documents wait in memory. RE.resume() goes on when there is "
            "room.", journal.error, journal.waiting,
        )  # fmt: skip
    elif run.engine is None:
        logger.error("%s %d documents wait in memory.", journal.error, journal.waiting)


def _check_start(doc: Mapping[str, Any]) -> None:
    """Raise where a start document cannot be recorded, before there is a journal; say what a very long one costs."""
    if (key := odd_key(doc)) is not None:
        raise TypeError(f"Metadata of a run has keys of text, got {key!r} ({type(key).__name__}): give {str(key)!r}")
    if (size := len(encode("start", doc))) > _LONG_START:
        logger.warning(
            "The start document of run %s has %d MB, which take long and %.1f GB of memory until the catalog has them; "
            "what is that long belongs into a stream or a file.",
            doc["uid"], size >> 20, size * _MEMORY_OF_START / 2**30,
        )  # fmt: skip


def calling_engine() -> "RunEngine | None":
    """Return the RunEngine whose plan emits the document that is being heard; None if it is none that does."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread without an event loop
        return None
    coroutine = None if task is None else task.get_coro()
    if not inspect.iscoroutine(coroutine):
        return None
    from bluesky import RunEngine  # whoever calls has imported it

    engine = inspect.getcoroutinelocals(coroutine).get("self")
    return engine if isinstance(engine, RunEngine) else None


def pause_at_checkpoint(engine: "RunEngine") -> bool:
    """Have a RunEngine pause at the next checkpoint, which it reaches before the next move; False if it will anyway.

    `RunEngine.request_pause` waits for the RunEngine's own thread, on which callbacks are: it would wait for ever, and
    from another thread come one checkpoint too late.
    """
    if engine.state != "running" or engine.deferred_pause_requested:
        return False
    request = private(engine, "_request_pause_coro", "bluesky")(defer=True)
    if calling_engine() is engine:
        engine.loop.create_task(request)
    else:  # a monitor's thread
        asyncio.run_coroutine_threadsafe(request, engine.loop)
    return True
