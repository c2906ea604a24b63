"""Runs of one catalog into another, one after the other, each whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bluesky_gp.recording.catalog import Catalog
from bluesky_gp.recording.finding import Documents, ResumeError, documents_of
from bluesky_gp.recording.journal import JournalError

__all__ = ["CopiedRun", "copy_runs"]


@dataclass(frozen=True)
class CopiedRun:
    """The fate of one run of a catalog that is copied."""

    uid: str
    fate: Literal["copied", "there already", "goes on", "failed"]
    reason: str = ""  # of a failure


def copy_runs(
    source: Catalog, target: Catalog, *, timeout: float = 600.0, change: Callable[[Documents], Documents] = iter
) -> Iterator[CopiedRun]:
    """Copy every run that has ended and that `target` does not hold; yield each run of `source` with its fate.

    A run is written as one file into the journals of `target`, which its catalog takes in: a copy that is cut short at
    any moment is gone on with by copying again, and each run is there once.

    Parameters
    ----------
    source, target : Catalog
        Two open catalogs. Documents are read from the journals of `source`, which have every bit, else from itself.
    timeout : float
        Seconds that `target` may need for one run.
    change : callable, optional
        Makes the documents that are written of those of a run: `bluesky_gp.run.with_adaptive_stream`, for a viewer.

    Raises
    ------
    ValueError
        If both are the same.
    """
    if source is target:
        raise ValueError(f"{source} cannot be copied into itself: name another place")
    for uid in list(source):
        if target.holds(uid):
            yield CopiedRun(uid, "there already")
        elif not source.holds(uid):
            yield CopiedRun(uid, "goes on")
        else:
            yield _copy(uid, source, target, timeout, change)


def _copy(
    uid: str, source: Catalog, target: Catalog, timeout: float, change: Callable[[Documents], Documents]
) -> CopiedRun:
    try:
        target.take_in(change(documents_of(uid, source)), timeout)
    except (JournalError, ResumeError, TimeoutError, OSError) as error:
        return CopiedRun(uid, "failed", str(error))
    return CopiedRun(uid, "copied")
