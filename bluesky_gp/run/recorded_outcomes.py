"""The outcomes of a whole run, of any plan, out of its documents."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from event_model import DocumentRouter, Event, StreamDatum, StreamResource

from bluesky_gp.run.events import RunOutcomes
from bluesky_gp.run.keys import PixelKeys
from bluesky_gp.run.outcomes import Outcome


def read_outcomes(
    documents: Iterable[tuple[str, Mapping[str, Any]]], keys_of: Callable[[Mapping[str, Any]], PixelKeys]
) -> tuple[Mapping[str, Any], list[Outcome]]:
    """Return the start document of a run and its outcomes, events one by one or in pages; both empty without a start.

    Parameters
    ----------
    documents : iterable of (str, dict)
    keys_of : callable
        ``f(start) -> PixelKeys``: what to listen for.
    """
    reader = _Reader(keys_of)
    for name, doc in documents:
        reader(name, dict(doc))
    return reader.begun, [] if reader.heard is None else reader.heard.outcomes


class _Reader(DocumentRouter):
    """Hears one run."""

    def __init__(self, keys_of: Callable[[Mapping[str, Any]], PixelKeys]) -> None:
        super().__init__()
        self.begun: Mapping[str, Any] = {}
        self.heard: RunOutcomes | None = None
        self._keys_of = keys_of

    def start(self, doc: Mapping[str, Any]) -> None:
        self.begun, self.heard = doc, RunOutcomes(doc["uid"], self._keys_of(doc), began=doc.get("time"))

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        if self.heard is not None:
            self.heard.descriptor(doc)

    def stream_resource(self, doc: StreamResource) -> None:
        if self.heard is not None:
            self.heard.stream_resource(doc)

    def stream_datum(self, doc: StreamDatum) -> None:
        if self.heard is not None:
            self.heard.stream_datum(doc)

    def event(self, doc: Event) -> Event:
        if self.heard is not None:
            self.heard.event(doc)
        return doc
