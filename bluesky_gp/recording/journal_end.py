"""The stop document of a run whose session died before it: added when its journal is taken in."""

import os
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from bluesky_gp.recording.codec import Document, encode
from bluesky_gp.recording.journal import JournalError
from bluesky_gp.recording.journal_reader import JournalReader

__all__ = ["finish_journal"]


def finish_journal(path: Path) -> str:
    """Give a journal whose session died the stop document that it lacks, and return the uid of its run.

    Half a line at the end is cut off. Call it only while holding the journal's lock.

    Raises
    ------
    JournalError
        If the journal is damaged or holds no run.
    """
    reader = JournalReader(path)
    summary = _Summary()
    for name, doc in reader.read():
        try:
            summary.add(name, doc)
        except Exception as error:  # what was made to harm
            raise JournalError(f"{path} holds a {name} document that is none: {error!r}.") from error
    if not summary.uid:
        raise JournalError(f"{path} has no start document: it holds no run, remove it.")
    if not summary.stopped:
        with path.open("r+b") as file:
            file.truncate(reader.offset)
            file.seek(reader.offset)
            file.write(encode("stop", summary.stop()))
            file.flush()
            os.fsync(file.fileno())
    return summary.uid


class _Summary:
    """Counts and times of the documents of a run, for the stop document that it lacks."""

    def __init__(self) -> None:
        self.uid = ""
        self.stopped = False
        self._time = 0.0
        self._streams: dict[str, str] = {}  # descriptor's uid -> name
        self._num_events: dict[str, int] = {}

    def add(self, name: str, doc: Document) -> None:
        if name == "start":
            self.uid = str(doc["uid"])
        elif name == "stop":
            self.stopped = True
        elif name == "descriptor":
            self._streams[doc["uid"]] = doc["name"]
        elif name in ("event", "event_page"):
            stream = self._streams[doc["descriptor"]]
            self._num_events[stream] = max([self._num_events.get(stream, 0), *_each(doc["seq_num"])])
        self._time = max([self._time, *_each(doc.get("time", 0.0))])

    def stop(self) -> Document:
        return {
            "uid": str(uuid4()),
            "time": self._time or time.time(),
            "run_start": self.uid,
            "exit_status": "abort",
            "reason": "The session ended before the run did; the end was added when its journal was taken in.",
            "num_events": self._num_events,
        }


def _each(value: Any) -> list[Any]:
    """Return the numbers of an event (one) or of an event page (any number)."""
    return value if isinstance(value, list) else [value]
