"""The documents of a recorded run, found by a uid, the path of a journal, or the run of a catalog."""

import reprlib
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from bluesky_gp.recording.journal_reader import JournalReader, read_journal
from bluesky_gp.recording.locks import is_held

_TAKING_IN = 2.0  # s, that a session needs at most to see how a journal ends

Documents = Iterable[tuple[str, Mapping[str, Any]]]


class ResumeError(ValueError):
    """A run that cannot be gone on with; the message names the difference."""


def documents_of(run: Any, catalog: Any = None) -> Documents:
    """Return the documents of a recorded run.

    Parameters
    ----------
    run : run, path or str
        A run of a catalog (anything with ``documents()``); the path of a journal; or what finds a run in `catalog`: a
        uid, the beginning of one, a number.
    catalog : optional
        Where it is looked up. Its journals are preferred: they have the documents as they were emitted.

    Raises
    ------
    ResumeError
        If there is no such run, or several uids begin so.
    """
    if hasattr(run, "documents"):
        return run.documents()  # type: ignore[no-any-return]
    journal = journal_of(run, catalog)
    if journal is not None:
        return read_journal(journal)
    if catalog is None:
        shown = (
            repr(str(run)) if isinstance(run, str | int | PathLike) else f"{type(run).__name__} {reprlib.repr(run):.80}"
        )
        raise ResumeError(
            f"there is no journal {shown}, and no catalog to look it up in: give the path of a journal, a run of "
            f"a catalog, or a uid and GPAgent(..., catalog=open_catalog(...))"
        )
    try:
        return catalog[run].documents()  # type: ignore[no-any-return]
    except (KeyError, IndexError, ValueError) as error:
        raise ResumeError(f"{catalog} has no run {run!r}: {error}") from error


def journal_of(run: Any, catalog: Any) -> Path | None:
    """Return the journal of a run, given by its path or by a uid that a catalog knows; None if it has none."""
    if isinstance(run, str | PathLike) and Path(run).is_file():
        return Path(run)
    if isinstance(run, PathLike):
        raise ResumeError(f"there is no journal {str(run)!r}")
    if not isinstance(run, str):
        return None
    try:
        return catalog.journal(run) if hasattr(catalog, "journal") else None
    except ValueError as error:
        raise ResumeError(str(error)) from error


def check_over(journal: Path | None) -> None:
    """Raise if a run that has no stop document is still being measured, rather than left by a session that died.

    A session that takes it in holds the lock as well, but adds the stop document first.
    """
    reader, until = JournalReader(journal or Path()), monotonic() + _TAKING_IN
    while journal is not None and is_held(journal) and not _has_stopped(reader):
        if monotonic() > until:
            raise ResumeError(
                f"the run still goes on: a session that lives writes its journal {journal}. Let the run end there, by "
                f"RE.abort() if it is paused, or end that session"
            )
        sleep(0.1)


def _has_stopped(reader: JournalReader) -> bool:
    try:
        return any(name == "stop" for name, _ in reader.read())
    except FileNotFoundError:  # put away, now that the catalog has it
        return True
