"""Records as people give them to functions: a path, a run or a figure's truth where documents or a record belong."""

import reprlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def pairs(owner: str, documents: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the documents of a run, ``(name, document)``; TypeError names what came instead, ValueError another run.

    Parameters
    ----------
    owner : str
        Name of the function that was given them.
    documents : iterable of (name, document)
    """
    if isinstance(documents, str | Path):
        _refuse(owner, documents, ": documents_of(uid or path, catalog) reads them")
    if hasattr(documents, "outcomes"):
        _refuse(owner, documents, ", which is read already: documents_of(uid or path, catalog) reads them again")
    if callable(getattr(documents, "documents", None)):
        _refuse(owner, documents, ": give what its documents() returns")
    if callable(documents) or not isinstance(documents, Iterable):
        _refuse(owner, documents, ": call it" if callable(documents) else "")
    first = None
    for each in documents:
        if not (isinstance(each, tuple | list) and len(each) == 2 and isinstance(each[0], str)):
            _refuse(owner, each, ", which is no pair: give (name, document) as run.documents() yields them")
        if each[0] == "start":
            first = _only(owner, each[1].get("uid"), first)
        yield each[0], each[1]


def _only(owner: str, uid: Any, first: Any) -> Any:
    """Return the uid of the run; ValueError where a list that was kept for a whole session has another after it."""
    if first is not None and uid != first:
        raise ValueError(
            f"{owner}: expected the documents of one run, got those of {first!s:.8} and then of {uid!s:.8}: keep one "
            f"list for each run, or read it from a catalog"
        )
    return uid


def check_record(owner: str, record: Any, kind: type) -> None:
    """Raise TypeError unless a record was read already."""
    if not isinstance(record, kind):
        raise TypeError(
            f"{owner}: expected a RunRecord, got {_shown(record)}: RunRecord.from_documents(run.documents()) reads one"
        )


def _refuse(owner: str, came: Any, hint: str) -> None:
    raise TypeError(f"{owner}: expected documents, got {_shown(came)}{hint}")


def _shown(value: Any) -> str:
    return f"{value!r:.80}" if isinstance(value, str | Path) else f"{type(value).__name__} {reprlib.repr(value):.80}"
