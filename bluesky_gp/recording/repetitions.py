"""Documents that a rewind repeats, each of which a store is given once."""

from collections.abc import Mapping
from typing import Any, cast

from event_model import unpack_event_page
from event_model.documents import EventPage

__all__ = ["first_time"]


def first_time(last: dict[str, int], name: str, doc: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the document, event pages in events, less what was there before: a rewind repeats events.

    Each is noted in `last`, events as the latest number of their descriptor.
    """
    if name == "event_page":
        return [part for event in unpack_event_page(cast(EventPage, doc)) for part in first_time(last, "event", event)]
    key, number = (doc["descriptor"], doc["seq_num"]) if name == "event" else (_identity(doc), 0)
    if number <= last.get(key, -1):
        return []
    last[key] = number
    return [(name, dict(doc))]


def _identity(doc: Mapping[str, Any]) -> str:
    return str(doc.get("uid", doc.get("datum_id", id(doc))))
