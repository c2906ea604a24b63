"""Order of a run's documents that have been sorted by time, where the clock was set back in between."""

from collections.abc import Iterable
from typing import Any

__all__ = ["in_order"]

Document = tuple[str, Any]


def in_order(documents: Iterable[Document]) -> list[Document]:
    """Return the documents of a run in the order of their emission, as far as times and numbers tell.

    Within a stream, numbers count. A time that is earlier than that of the document before it in its stream, or than
    the run's beginning, was given after the clock was set back.
    """
    begin, *middle, end = documents
    placed: list[tuple[int, float, Document]] = []
    for stream in _by_stream([document for document in middle if "time" in document[1]]):
        turns, latest = 0, begin[1].get("time", 0.0)
        for document in stream:
            turns += document[1]["time"] < latest
            latest = document[1]["time"]
            placed.append((turns, latest, document))
    placed.sort(key=lambda place: place[:2])
    of_files = [document for document in middle if "time" not in document[1]]
    return [begin, *_with_files([document for _, _, document in placed], of_files), end]


def _with_files(documents: list[Document], of_files: list[Document]) -> list[Document]:
    """Put what is said of files before the first event that has frames there; what is of no event comes last."""
    described = {doc.get("descriptor") for _, doc in of_files} - {None, ""}
    first = (i for i, (name, doc) in enumerate(documents) if name == "event" and doc["descriptor"] in described)
    place = next(first, len(documents))
    return [*documents[:place], *of_files, *documents[place:]]


def _by_stream(documents: list[Document]) -> list[list[Document]]:
    """Return each stream's documents: a descriptor before the first event of its own, events by their numbers."""
    streams = {doc["uid"]: doc["name"] for name, doc in documents if name == "descriptor"}
    first: dict[str, int] = {}
    for name, doc in documents:
        if name == "event":
            first[doc["descriptor"]] = min(first.get(doc["descriptor"], doc["seq_num"]), doc["seq_num"])

    def number(document: Document) -> tuple[int, bool]:
        name, doc = document
        return (doc["seq_num"], True) if name == "event" else (first.get(doc["uid"], 0), False)

    found: dict[str, list[Document]] = {stream: [] for stream in streams.values()}
    for name, doc in documents:
        found[streams[doc["uid"] if name == "descriptor" else doc["descriptor"]]].append((name, doc))
    return [sorted(parts, key=number) for parts in found.values()]
