"""Folder of the journals of a session, and the run that each belongs to until the catalog holds it."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from bluesky_gp.recording.backlog import Backlog
from bluesky_gp.recording.finding import Documents
from bluesky_gp.recording.journal import Fsync, Journal, JournalError
from bluesky_gp.recording.journal_reader import JournalReader
from bluesky_gp.recording.locks import give_back, lock_of
from bluesky_gp.recording.stores import RunWriter

if TYPE_CHECKING:
    from bluesky import RunEngine


@dataclass(eq=False)
class PendingRun:
    """A run between its first document and the moment when the catalog holds it whole.

    The RunEngine's thread writes `journal`, `stopped` and `retry_at`; all from `reader` on belongs to the follower.
    """

    uid: str
    path: Path
    lock: FileLock
    journal: Backlog | None = None  # None: another session wrote it and died
    engine: "RunEngine | None" = None  # who emits its documents
    end_urgent: Callable[[], None] = lambda: None  # a short run is not held up by what is written for those before
    stopped: bool = False
    held: bool = False  # by the catalog, whole
    settled: threading.Event = field(default_factory=threading.Event)  # the catalog holds it, or cannot have it now
    retry_at: float = 0.0
    failures: int = 0
    restarts: int = 0
    reader: JournalReader = field(init=False)
    writer: RunWriter | None = None
    last_seq_num: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rewind()

    def rewind(self) -> None:
        """Begin again with the journal's first line."""
        self.reader = JournalReader(self.path)
        self.writer = None
        self.last_seq_num.clear()


class JournalFolder:
    """Folder of journals: `path` has those of the runs that the catalog holds, ``path / "pending"`` all others.

    Where nothing can be written, `is_readonly`, no run is begun and none is taken in.

    Beside each pending journal lies a lock that its session holds as long as it lives.
    """

    def __init__(self, path: Path, *, is_readonly: bool = False) -> None:
        self.path = path
        self.is_readonly = is_readonly
        self.pending_path = path / "pending"
        self._refusal = f"{path.parent}, which can only be read: open another folder"

    def close_to_writing(self, refusal: str) -> None:
        """Begin no run from now on, because of what the catalog `refusal` says."""
        self.is_readonly, self._refusal = True, refusal

    def create(self, uid: str, *, fsync: Fsync) -> PendingRun:
        """Begin the journal of a run."""
        self._require_writable()
        path = self.pending_path / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}_{_file_name(uid)}.jsonl"
        lock = lock_of(path)
        lock.acquire(timeout=0)
        try:
            journal = Journal(path, fsync=fsync)
        except BaseException:
            give_back(lock)
            raise
        return PendingRun(uid, path, lock, Backlog(journal))

    def add(self, documents: Documents) -> Path:
        """Write the journal of a run that ended elsewhere, under its name only once it is whole.

        Raises
        ------
        JournalError
            If the documents are not those of one run from start to stop, or cannot be written.
        """
        self._require_writable()
        given = iter(documents)
        name, start = next(given, ("", {}))
        if name != "start":
            raise JournalError(f"Documents of a run begin with its start document, these with {name or 'nothing'!r}")
        if not isinstance(start.get("uid"), str):
            raise JournalError(f"A start document has the uid of its run, and this one has {start.get('uid')!r}")
        begun = datetime.fromtimestamp(start.get("time", 0.0), UTC)
        path = self.pending_path / f"{begun:%Y%m%dT%H%M%SZ}_{_file_name(start['uid'])}.jsonl"
        part = path.with_suffix(".part")  # what a copy that was cut short has left is written over
        part.unlink(missing_ok=True)
        journal = Journal(part)
        journal.append("start", start)
        for name, doc in given:
            journal.append(name, doc)
        journal.close()
        if name != "stop":
            part.unlink()
            raise JournalError(f"Run {start['uid']} has no stop document at its end: it goes on, or is damaged")
        return part.replace(path)

    def _require_writable(self) -> None:
        if self.is_readonly:
            raise JournalError(f"Nothing can be recorded in {self._refusal}")
        self.pending_path.mkdir(parents=True, exist_ok=True)

    def tend(self, run: PendingRun) -> None:
        """See that the journal of a run that goes on, and its lock, are where they should be."""
        if run.journal is None or not run.journal.tend():
            return
        if not Path(run.lock.lock_file).exists():  # somebody removed the folder, and the journal was written anew
            run.lock.release()
            run.lock = lock_of(run.path)
            run.lock.acquire(timeout=0)

    def pending(self) -> list[Path]:
        """Journals of runs that the catalog does not hold and could take in, oldest first."""
        return [] if self.is_readonly else sorted(self.pending_path.glob("*.jsonl"), key=_age)

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

    def keep(self, run: PendingRun) -> None:
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


def _age(path: Path) -> tuple[str, int]:
    """Return what orders journals: the second in which each began, within it when it was written last."""
    try:
        return path.name.partition("_")[0], path.stat().st_mtime_ns
    except FileNotFoundError:  # somebody else has just taken it in
        return "", 0


def _file_name(uid: str) -> str:
    """Return `uid` as part of a file name that every system takes and that leads nowhere else."""
    return re.sub(r"[^0-9A-Za-z-]", "-", uid)[:64]
