"""One run into Tiled: its documents made such that Tiled takes and keeps them, and given to the plugin's writer."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bluesky_gp.recording.columns import Column, column_of
from bluesky_gp.recording.cut_arrays import CUT
from bluesky_gp.recording.detector_files import folder_of
from bluesky_gp.recording.metadata import EXACT, Place, storable
from bluesky_gp.recording.names import check_names
from bluesky_gp.recording.safe_names import NAMES, SafeNames, renamed
from bluesky_gp.recording.tiled_writer import BatchWriter, RunNormalizer
from bluesky_gp.recording.versions import private

__all__ = ["Columns", "TiledRunWriter"]

logger = logging.getLogger("bluesky_gp.recording")

Columns = dict[tuple[str, str], Column]
"""By stream and key."""

Document = dict[str, Any]

_WAITING = ("_ext_ref_cache", "_datum_cache")  # references to files out of events, and what is known of those files


class TiledRunWriter:
    """One run on its way into Tiled, as `RunWriter` has it.

    Parameters
    ----------
    client
        Tiled's client of the catalog.
    columns : dict
        What earlier attempts have learnt of the run's columns; this one adds to it.
    allow : callable or None
        Called with each folder that the run's detectors wrote files to; None for a run of another session, into whose
        files nobody looks.
    """

    def __init__(self, client: Any, columns: Columns, allow: Callable[[Path], None] | None) -> None:
        self._writer = BatchWriter(client)
        self._normalize = RunNormalizer()
        self._normalize.subscribe(self._writer)
        self._columns = columns
        self._allow = allow
        self._uid = ""
        self._descriptors: dict[str, Document] = {}
        self._undescribed: dict[str, Document] = {}  # descriptors that wait for their first event
        self._remarks: Counter[tuple[str, str]] = Counter()
        self._first_remark: dict[tuple[str, str], str] = {}
        self._places: list[Place] = []
        self._names = SafeNames()
        self._cut: dict[str, dict[str, dict[str, list[int]]]] = {}  # by stream, key and number of the event
        self.is_outdated = False

    def __call__(self, name: str, doc: Document) -> None:
        """Take the next document."""
        if name == "descriptor":
            check_names([doc["name"], *doc["data_keys"]])
            self._names.add(doc["data_keys"])
        doc = dict(renamed(name, doc, self._names))
        match name:
            case "start":
                self._start(doc)
            case "descriptor":
                self._descriptor(doc)
            case "event":
                self._event(doc)
            case "stop":
                self._stop(doc)
            case _:
                self._describe(doc.get("descriptor"))
                self._file(name, doc)

    def flush(self) -> None:
        """Write what has been taken, unless it is to be written anew anyhow."""
        if not self.is_outdated:
            self._writer.flush()

    def _start(self, doc: Document) -> None:
        self._uid = doc["uid"]
        plain, places = storable(doc)
        self._normalize("start", plain)
        kept = {key: value for key, value in plain.items() if key not in ("tiled_access_tags", "tiled_specs")}
        self._writer.correct("", {"start": kept})
        self._note_places(["start"], places)

    def _note_places(self, where: Place, places: list[Place]) -> None:
        """Have the run's metadata say which of its numbers are text."""
        if places:
            self._places += [[*where, *place] for place in places]
            self._writer.correct("", {EXACT: self._places})

    def _descriptor(self, doc: Document) -> None:
        self._descriptors[doc["uid"]] = self._undescribed[doc["uid"]] = doc

    def _describe(self, uid: str | None, event: Document | None = None) -> None:
        """Send a descriptor that has waited, with columns as its first event has them."""
        if (doc := self._undescribed.pop(uid or "", None)) is None:
            return
        stream, data = doc["name"], {} if event is None else event["data"]
        keys = dict(doc["data_keys"])
        for key, about in keys.items():
            if _is_inside(key, about, event):
                column = self._columns.get((stream, key)) or column_of(about, data.get(key))
                self._columns[stream, key] = column
                keys[key] = {k: v for k, v in column.described(about).items() if k != "external"}
        plain, places = storable(doc | {"data_keys": keys})
        self._normalize("descriptor", plain)
        self._writer.correct(stream, {key: plain[key] for key in ("configuration",) if key in plain})
        self._note_places(["streams", stream], places)

    def _event(self, doc: Document) -> None:
        self._describe(doc["descriptor"], doc)
        descriptor = self._descriptors[doc["descriptor"]]
        stream, number = descriptor["name"], int(doc["seq_num"])
        data, stamps = dict(doc["data"]), dict(doc["timestamps"])
        for key in descriptor["data_keys"]:
            if (stream, key) in self._columns:
                data[key] = self._cell(stream, key, number, data.get(key))
                stamps.setdefault(key, doc["time"])
        event = {
            **doc,
            "seq_num": number,
            "time": float(doc["time"]),
            "data": {key: data[key] for key in descriptor["data_keys"] if key in data},
            "timestamps": {key: float(stamps[key]) for key in descriptor["data_keys"] if key in stamps},
        }
        if not self.is_outdated:
            self._normalize("event", event)

    def _cell(self, stream: str, key: str, number: int, value: Any) -> Any:
        """Return what the store has of a value; where its column is too narrow, the run is to be written anew."""
        column = self._columns[stream, key]
        if (wide := column.widened(value)) != column:
            self._columns[stream, key] = wide
            self.is_outdated = True
        if remark := wide.remark(value):
            self._remarks[stream, key] += 1
            self._first_remark.setdefault((stream, key), f"{key} in event {number} of {stream}: {remark}")
        if (shape := wide.cut(value)) is not None:
            self._cut.setdefault(stream, {}).setdefault(key, {})[str(number)] = shape
        return wide.stored(value)

    def _file(self, name: str, doc: Document) -> None:
        """Take what is said of a file beside the events."""
        folder = folder_of(name, doc) if name in ("resource", "stream_resource") else None
        if self._allow is not None and folder is not None:
            self._allow(folder)
        try:
            self._normalize(name, storable(doc)[0])
        except Exception as error:  # what another package has left out
            self._set_aside(f"A {name} of a file beside the events is not in the catalog: {error}".splitlines()[0])

    def _drop_missing(self) -> None:
        """Set aside what events say of files of which nothing else is said: the plugin would end the run for it."""
        waiting, datums = (private(self._normalize, name, "bluesky-tiled-plugins") for name in _WAITING)
        for reference in [reference for reference in waiting if reference.datum_id not in datums]:
            waiting.remove(reference)
            self._set_aside(f"{reference.data_key} of event {reference.seq_num} is in a file that nothing is said of")

    def _set_aside(self, note: str) -> None:
        logger.warning("Run %s: %s", self._uid, note)
        self._writer.notes.append(note)

    def _stop(self, doc: Document) -> None:
        for uid in list(self._undescribed):
            self._describe(uid)
        if self.is_outdated:
            return
        for where, remark in self._first_remark.items():
            others = self._remarks[where] - 1
            note = f"{remark}{f'; so in {others} more' if others else ''}. The journal has it as it came."
            self._set_aside(note)
        self._drop_missing()
        self.flush()
        for stream, shapes in self._cut.items():
            self._writer.correct(stream, {CUT: shapes})
        if self._names:
            self._writer.correct("", {NAMES: {name: key for key, name in self._names.items()}})
        if self._allow is not None:  # on a server too: this session's detectors wrote them where it can see them
            self._writer.compare_files()
        plain, places = storable(doc)
        self._note_places(["stop"], places)
        self._normalize("stop", plain)


def _is_inside(key: str, about: Mapping[str, Any], event: Document | None) -> bool:
    """Whether the values of a key stand in the events, and not in a file beside them."""
    return "external" not in about or bool(event and event.get("filled", {}).get(key, False))
