"""The two ends of a journal: a run's start and stop document, without reading what lies between."""

from dataclasses import dataclass
from pathlib import Path

from bluesky_gp.recording.codec import Document, decode
from bluesky_gp.recording.journal_reader import JournalReader
from bluesky_gp.recording.locks import is_held

__all__ = ["JournalledRun", "run_of"]

_TAIL = 2**16  # bytes; a stop document has a few hundred


@dataclass(frozen=True)
class JournalledRun:
    """A run as the first and the last line of its journal say."""

    path: Path
    start: Document
    stop: Document | None  # None: it goes on, or its session died

    @property
    def goes_on(self) -> bool:
        """Whether a living session writes it."""
        return self.stop is None and is_held(self.path)


def run_of(path: Path) -> JournalledRun | None:
    """Return the run of a journal; None if it has no start document.

    Raises
    ------
    JournalError
        If its beginning is damaged.
    OSError
        If it cannot be read.
    """
    name, start = next(JournalReader(path).read(), ("", {}))
    return JournalledRun(path, start, _stop(path)) if name == "start" else None


def _stop(path: Path) -> Document | None:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _TAIL, 0))
        lines = file.read().splitlines(keepends=True)
    if len(lines) < 2 or not lines[-1].endswith(b"\n"):
        return None
    try:
        name, doc = decode(lines[-1])
    except ValueError:
        return None
    return doc if name == "stop" else None
