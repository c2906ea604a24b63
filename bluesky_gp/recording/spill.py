"""Documents that a journal could not take before its session ended: kept in the user's data until it can."""

import os
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_data_path

from bluesky_gp.recording.journal import JournalError
from bluesky_gp.recording.journal_reader import JournalReader

__all__ = ["folder", "keep", "put_back"]


def folder() -> Path:
    """Return where they are kept, most often another disk than that of the measurements."""
    return user_data_path("bluesky_gp") / "unwritten"


def keep(journal: Path, lines: Iterable[bytes]) -> Path:
    """Keep the lines that come after what a journal has, and return the file that has them.

    Raises
    ------
    OSError
        If there is no room here either.
    """
    folder().mkdir(parents=True, exist_ok=True)
    path = folder() / journal.name
    try:
        with path.open("xb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if not isinstance(error, FileExistsError):
            path.unlink(missing_ok=True)
        raise
    return path


def put_back(journal: Path) -> None:
    """Append to a journal what was kept of it. Call it only while holding the journal's lock.

    A second time after a crash it appends them again, and of a document that is there twice the first counts.

    Raises
    ------
    JournalError
        If the journal is damaged, or has still no room; nothing has changed then.
    """
    kept = folder() / journal.name
    if not kept.exists():
        return
    reader = JournalReader(journal)
    for _ in reader.read():
        pass
    try:
        _append(journal, reader.offset, kept.read_bytes())
    except OSError as error:
        raise JournalError(
            f"The journal {journal} is not whole: the rest of it is in {kept} and cannot be added: {error}."
        ) from error
    kept.unlink()


def _append(path: Path, size: int, data: bytes) -> None:
    """Put `data` behind the first `size` bytes of a file."""
    with path.open("r+b") as file:
        file.truncate(size)
        try:
            file.seek(size)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise
