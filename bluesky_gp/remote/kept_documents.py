"""The documents of one run that its agent learns from, each under a key by which two processes speak of it."""

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from bluesky_gp.run import EVENT_TIME, PIXELS, steered_entry

Document = Mapping[str, Any]


class KeptDocuments:
    """The start document, and descriptors and events of pixels, failures, actions of people and decisions.

    Of files that detectors write, those with a key that the agent learns from, and which frames belong to which events.

    Of an event only what an agent reads is kept: of a spectrum beside its target nothing. Of two documents with one
    key the first counts.

    Parameters
    ----------
    start : Mapping
        Start document of a run that an agent steers.

    Attributes
    ----------
    documents : dict
        Names and documents by their keys, in the order in which they came: ``DESCRIPTOR/SEQ_NUM`` of an event, the
        uid of any other.
    streams : dict
        Names of the streams by the uids of their descriptors.

    Raises
    ------
    ValueError
        If no agent steers the run.
    """

    def __init__(self, start: Document) -> None:
        entry = steered_entry(start)
        if entry is None:
            raise ValueError(f"run {start['uid']} is steered by no agent: open it with plans.start_metadata(...)")
        self.entry, self.uid, self.agent = entry, str(start["uid"]), str(entry["agent"])
        self.documents: dict[str, tuple[str, Document]] = {self.uid: ("start", start)}
        self.streams: dict[str, str] = {}
        self._wanted = (PIXELS, self.agent, f"{self.agent}_failures", f"{self.agent}_hands")
        self._keys = {entry["target"], *entry["axes"]["keys"], *entry.get("other_keys", {}).values()}

    def take(self, name: str, doc: Document) -> None:
        """Take a document in, if it is of this run and the agent learns from it."""
        if name == "descriptor" and doc["run_start"] == self.uid and doc["name"] in self._wanted:
            self.streams[doc["uid"]] = doc["name"]
            self.documents.setdefault(doc["uid"], (name, doc))
        elif name == "event" and doc["descriptor"] in self.streams:
            self.documents.setdefault(f"{doc['descriptor']}/{doc['seq_num']}", (name, self._short(doc)))
        elif (name == "stream_resource" and doc["run_start"] == self.uid and doc["data_key"] in self._keys) or (
            name == "stream_datum" and doc["stream_resource"] in self.documents
        ):
            self.documents.setdefault(doc["uid"], (name, doc))

    def _short(self, event: Document) -> Document:
        data = {
            key: _number(value)
            for key, value in event["data"].items()
            if key in self._keys or key.startswith(f"{self.agent}_")
        }
        short = {**{key: event[key] for key in ("descriptor", "seq_num", "time")}, "data": data}
        stamps = {key: time for key, time in event.get("timestamps", {}).items() if key == self.entry["target"]}
        return {**short, "timestamps": stamps} if EVENT_TIME in self._keys else short


def _number(value: Any) -> Any:
    """Return a value with NaN where JSON, which knows none, has nothing."""
    if value is None:
        return nan
    if not isinstance(value, list):
        return value
    array = np.array(value)
    return array.astype(np.float64) if array.dtype.hasobject else value
