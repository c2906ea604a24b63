"""A recorded run as its clauses look at it: the documents in order, and what is read of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from event_model import unpack_event_page
from event_model.documents import EventPage

from bluesky_gp.recording import Documents, JournalError
from bluesky_gp.run import Axes, RunRecord, pairs, steered_entry

Document = Mapping[str, Any]


class BrokenClause(Exception):  # noqa: N818 - not an error of the program, but of the record
    """A clause does not hold; the message is the sentence that says why."""


@dataclass(frozen=True)
class Evidence:
    """A recorded run, as its documents and what they say.

    Parameters
    ----------
    documents : list of (name, document)
        Event pages in events.
    given : mapping
        Objects that the record has only the name of.
    damage : str
        Why there are no more documents; empty if nothing kept them from being read.
    """

    documents: list[tuple[str, Document]]
    given: Mapping[str, Any] = field(default_factory=dict)
    damage: str = ""

    @classmethod
    def of(cls, documents: Documents, given: Mapping[str, Any]) -> "Evidence":
        """Read documents up to the first that is damaged."""
        kept: list[tuple[str, Document]] = []
        try:
            for name, doc in pairs("verify", documents):
                kept += _events(doc) if name == "event_page" else [(name, doc)]
        except (JournalError, ValueError, OSError) as error:  # a line of a journal that is none
            return cls(kept, given, str(error))
        return cls(kept, given)

    def of_kind(self, kind: str) -> list[Document]:
        """Return the documents of one kind."""
        return [doc for name, doc in self.documents if name == kind]

    @property
    def start(self) -> Document:
        """The start document."""
        return next(iter(self.of_kind("start")), {})

    @property
    def stop(self) -> Document:
        """The stop document, empty where there is none."""
        return next(iter(self.of_kind("stop")), {})

    @property
    def gp(self) -> Document:
        """The agent's entry of the start document, empty where no agent wrote one."""
        return steered_entry(self.start) or {}

    @property
    def is_plain_map(self) -> bool:
        """Whether `adaptive_map` measured every pixel as it does by default."""
        ways = self.start.get("plan_args", {}).get("per_pixel", "None")
        return self.start.get("plan_name") == "adaptive_map" and ways in (None, "None")

    @cached_property
    def descriptors(self) -> dict[str, Document]:
        """The descriptors, by uid."""
        return {doc["uid"]: doc for doc in self.of_kind("descriptor")}

    @cached_property
    def record(self) -> RunRecord:
        """The run read back."""
        return RunRecord.from_documents(self.documents, scalarizer=self.given.get("scalarizer"))

    @property
    def axes(self) -> Axes:
        """The keys that say where a pixel is."""
        return Axes.of(self.gp["axes"])

    def events(self, stream: str = "") -> Iterator[tuple[str, Document]]:
        """Yield name of the stream and event, of all streams or one; of events with one number the first."""
        seen = set()
        for doc in self.of_kind("event"):
            name, mark = self.descriptors[doc["descriptor"]]["name"], (doc["descriptor"], doc["seq_num"])
            if stream in ("", name) and mark not in seen:
                seen.add(mark)
                yield name, doc


def _events(page: Document) -> list[tuple[str, Document]]:
    return [("event", event) for event in unpack_event_page(cast(EventPage, page))]
