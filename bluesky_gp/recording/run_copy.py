"""A run of a catalog as the journal that it would have, into which it is read on while it goes on."""

import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

from bluesky_gp.recording.finding import Documents
from bluesky_gp.recording.journal import Journal
from bluesky_gp.recording.journal_reader import read_journal
from bluesky_gp.recording.repetitions import first_time

__all__ = ["RunCopy"]

_KEPT = 2  # files: a process that computes may still read the one before the latest


class RunCopy:
    """The copy of a run of a catalog, as a journal.

    What the run has more is added to the same file, stream by stream; when the run has ended, all is written once more
    into another one, in the order in which it was emitted.

    Parameters
    ----------
    folder : Path
        Place of its files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, int] = {}  # as `first_time` notes it
        self._growing: Journal | None = None
        self._ended: Path | None = None
        self._paths: list[Path] = []
        self._guard = threading.Lock()

    def renew(self, run: Any) -> Path:
        """Take in what a run of the catalog, as it was found just now, has more; return the journal."""
        with self._guard:
            if self._ended is not None:
                return self._ended
            has_ended = bool(run.metadata.get("stop"))
            more = None if has_ended and self._growing is None else run.documents_after(self._known)
            if more is None:
                path = self._written(run.documents())
            else:
                growing = self._add(more)
                path = self._finished(run, growing) if has_ended else growing.path
            self._ended = path if has_ended else None
            return path

    def close(self) -> None:
        """Let go of its file."""
        with self._guard:
            if self._growing is not None:
                self._growing.close()

    def _add(self, more: Documents) -> Journal:
        if self._growing is None:
            self._growing = Journal(self._new_path(), fsync="never")
        for name, doc in more:
            if name != "stop" or doc:
                for part in first_time(self._known, name, doc):
                    self._growing.append(*part)
        return self._growing

    def _finished(self, run: Any, growing: Journal) -> Path:
        path = self._written(run.as_emitted(read_journal(growing.path)))
        growing.close()  # not before: where the server fails here, it is gone on with
        return path

    def _written(self, documents: Documents) -> Path:
        journal = Journal(self._new_path(), fsync="never")
        try:
            for name, doc in documents:
                journal.append(name, dict(doc))
        except BaseException:
            self._paths.remove(journal.path)
            journal.path.unlink()
            raise
        finally:
            journal.close()
        return journal.path

    def _new_path(self) -> Path:
        """Return the path of another file; those before the latest two are removed."""
        self._paths.append(self._folder / f"{uuid4().hex}.jsonl")
        for path in self._paths[:-_KEPT]:
            path.unlink(missing_ok=True)
        del self._paths[:-_KEPT]
        return self._paths[-1]
