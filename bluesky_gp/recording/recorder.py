"""On the RunEngine's thread: each document into the journal of its run, and nothing else until the run ends."""

import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from bluesky_gp.recording.backlog import Backlog
from bluesky_gp.recording.journal import Fsync, Journal, JournalReader
from bluesky_gp.recording.locks import give_back, lock_of
from bluesky_gp.recording.pausing import calling_engine, pause_at_checkpoint

if TYPE_CHECKING:
    from bluesky import RunEngine

    from bluesky_gp.recording.follower import Follower, RunWriter

__all__ = ["JournalFolder", "RecordedRun", "Recorder"]

logger = logging.getLogger("bluesky_gp.recording")


@dataclass(eq=False)
class RecordedRun:
    """A run between its first document and the moment when the catalog holds it whole.

    The RunEngine's thread writes `journal`, `stopped` and `retry_at`; all from `reader` on belongs to the follower.
    """

    uid: str
    path: Path
    lock: FileLock
    journal: Backlog | None = None  # None: another session wrote it and died
    engine: "RunEngine | None" = None  # who emits its documents
    stopped: bool = False
    held: bool = False  # by the catalog, whole
    settled: threading.Event = field(default_factory=threading.Event)  # the catalog holds it, or cannot have it now
    retry_at: float = 0.0
    failures: int = 0
    reader: JournalReader = field(init=False)
    writer: "RunWriter | None" = None
    last_seq_num: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rewind()

    def rewind(self) -> None:
        """Begin again with the journal's first line."""
        self.reader = JournalReader(self.path)
        self.writer = None
        self.last_seq_num.clear()


class JournalFolder:
    """Where the journals are: `path` has those of the runs that the catalog holds, ``path / "pending"`` all others.

    Beside each pending journal lies a lock that its session holds as long as it lives.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pending_path = path / "pending"

    def create(self, uid: str, *, fsync: Fsync) -> RecordedRun:
        """Begin the journal of a run."""
        self.pending_path.mkdir(parents=True, exist_ok=True)
        path = self.pending_path / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}_{_file_name(uid)}.jsonl"
        lock = lock_of(path)
        lock.acquire(timeout=0)
        try:
            journal = Journal(path, fsync=fsync)
        except BaseException:
            give_back(lock)
            raise
        return RecordedRun(uid, path, lock, Backlog(journal))

    def tend(self, run: RecordedRun) -> None:
        """See that the journal of a run that goes on, and its lock, are where they should be."""
        if run.journal is None or not run.journal.tend():
            return
        if not Path(run.lock.lock_file).exists():  # somebody removed the folder, and the journal was written anew
            run.lock.release()
            run.lock = lock_of(run.path)
            run.lock.acquire(timeout=0)

    def pending(self) -> list[Path]:
        """Journals of runs that the catalog does not hold, oldest first."""
        return sorted(self.pending_path.glob("*.jsonl"))

    def claim(self, path: Path) -> FileLock | None:
        """Lock a pending journal; None if a living session holds it or another one has just taken it in."""
        lock = lock_of(path)
        try:
            lock.acquire(timeout=0.1)  # somebody may only be looking whether it is held
        except Timeout:
            return None
        if path.exists():
            return lock
        give_back(lock)  # which this look made anew
        return None

    def keep(self, run: RecordedRun) -> None:
        """Put a journal away, now that the catalog holds its run."""
        if run.journal is not None:
            run.journal.close()
        run.path.replace(self.path / run.path.name)
        give_back(run.lock)

    def find(self, uid: str) -> Path | None:
        """Return the journal of a run, by uid or the beginning of it; None if there is none.

        Raises
        ------
        ValueError
            If several runs begin so.
        """
        begin = _file_name(uid)
        pattern = f"*_{begin}*.jsonl"  # pending ones first: while we look, one may be put away
        found = {path.name: path for folder in (self.pending_path, self.path) for path in folder.glob(pattern)}
        if not begin or not found:
            return None
        exact = [path for name, path in found.items() if name.endswith(f"_{begin}.jsonl")]
        if len(found) > 1 and not exact:
            raise ValueError(f"{len(found)} runs in {self.path} begin with {uid!r}: give more letters of the uid")
        return (exact or [*found.values()])[-1]


def _file_name(uid: str) -> str:
    """Return `uid` as part of a file name that every system takes and that leads nowhere else."""
    return re.sub(r"[^0-9A-Za-z-]", "-", uid)[:64]


class Recorder:
    """What a session subscribes: ``RE.subscribe(catalog.writer)``.

    A document that cannot be written, because the disk is full or a share is away, waits in memory, and the RunEngine
    pauses at its next checkpoint. What waits is written before the next document, and tried once a second.

    Parameters
    ----------
    folder : JournalFolder
        Where the journals go.
    follower : Follower
        The thread that writes the catalog behind them.
    fsync : {"document", "second", "never"}
        See `Journal`.
    patience : float
        How long the end of a run waits at most, in seconds, until the catalog holds it.

    Raises
    ------
    JournalError
        Out of a call, and so out of the run, if the journal of a run cannot be begun, or if a plan that has no
        checkpoints goes on until no more documents can be kept in memory.
    """

    def __init__(self, folder: JournalFolder, follower: "Follower", *, fsync: Fsync, patience: float = 10.0) -> None:
        self._folder = folder
        self._follower = follower
        self._fsync: Fsync = fsync
        self._patience = patience
        self._runs: dict[str, RecordedRun] = {}
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
        self._runs[uid] = run = self._folder.create(uid, fsync=self._fsync)
        run.engine = calling_engine()
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

    def _end(self, run: RecordedRun) -> None:
        del self._runs[run.uid]
        self._run_of = {child: uid for child, uid in self._run_of.items() if uid != run.uid}
        run.stopped, run.retry_at = True, 0.0
        self._follower.hurry()
        in_time = run.settled.wait(self._patience)
        if run.journal is not None and run.journal.waiting:
            logger.error(
                "%d documents of run %s are in memory only; leave this session open until there is room. %s",
                run.journal.waiting, run.uid, run.journal.error,
            )  # fmt: skip
        elif not in_time:
            logger.warning(
                "Run %s is not in the catalog after %g s; it is written in the background, and is safe in %s.",
                run.uid, self._patience, run.path,
            )  # fmt: skip


def _pause(run: RecordedRun, journal: Backlog) -> None:
    if run.engine is not None and pause_at_checkpoint(run.engine):
        logger.error(
            "%s The run pauses before its next move; %d documents wait in memory. RE.resume() goes on when there is "
            "room.", journal.error, journal.waiting,
        )  # fmt: skip
    elif run.engine is None:
        logger.error("%s %d documents wait in memory.", journal.error, journal.waiting)
