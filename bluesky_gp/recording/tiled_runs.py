"""Runs of a catalog and their streams as a session reads them: numbers of metadata exact, unreadable files named.

Importing this file imports tiled.
"""

import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from bluesky_tiled_plugins.clients.bluesky_event_stream import BlueskyEventStreamV3
from bluesky_tiled_plugins.clients.bluesky_run import BlueskyRunV3
from bluesky_tiled_plugins.clients.document import Descriptor, Event, Start, Stop
from tiled.utils import DictView

from bluesky_gp.recording.coordinates import with_coordinates
from bluesky_gp.recording.cut_arrays import CUT, uncut
from bluesky_gp.recording.detector_files import reason
from bluesky_gp.recording.document_order import in_order
from bluesky_gp.recording.metadata import EXACT, restored

__all__ = ["Run", "Stream"]


class Metadata(DictView):  # type: ignore[misc]
    """The metadata of a run, which answer in words where its stop document is looked up and it has none yet."""

    def __getitem__(self, key: str) -> Any:
        if key == "stop" and key not in self._internal_dict:
            uid = str(self._internal_dict.get("start", {}).get("uid", ""))[:8]
            raise KeyError(f"run {uid} has no stop document: it goes on, and metadata.get('stop') is None until then")
        return super().__getitem__(key)


class Run(BlueskyRunV3):  # type: ignore[misc]
    """A run of a catalog, as bluesky-tiled-plugins has it, in whose metadata no number is changed."""

    def __getattr__(self, key: str) -> Any:
        try:
            return super().__getattr__(key)
        except AttributeError as error:
            if key.startswith("_"):  # what IPython and pickle ask for
                raise
            raise AttributeError(f"the run has no stream {key!r}, there are {', '.join(self)}") from error

    @property
    def metadata(self) -> Any:
        """Start and stop document, and what the catalog's writer notes."""
        given = super().metadata
        if EXACT not in given:
            return Metadata(given)
        return Metadata(restored({key: given[key] for key in given if key != EXACT}, given[EXACT]))

    def documents(self, fill: bool = False) -> Iterator[tuple[str, Any]]:
        """Yield the run's documents in the order of their emission, arrays as long as they came."""
        places = super().metadata.get(EXACT, [])
        given = self._of_arrays() if self._has_complex() else super().documents(fill=fill)
        cut = {stream: self[stream].metadata.get(CUT, {}) for stream in self}
        for name, doc in uncut(in_order(given), cut):
            inside = [place[2:] for place in places if place[:2] == ["streams", doc.get("name")]]
            if name == "descriptor" and inside:
                yield name, type(doc)(restored(dict(doc), inside))
            elif name in ("start", "stop") and places:
                yield name, type(doc)(self.metadata.get(name, {}))
            else:
                yield name, doc

    def _has_complex(self) -> bool:
        """Whether there are arrays of complex numbers, which the server cannot write as JSON."""
        keys = [about for stream in self for about in self[stream].metadata.get("data_keys", {}).values()]
        return any(str(about.get("dtype_numpy", "")).startswith(("<c", ">c")) for about in keys)

    def _of_arrays(self) -> Iterator[tuple[str, Any]]:
        """Yield the documents made from tables and arrays; of files beside the events there are none."""
        metadata = self.metadata
        yield "start", Start(metadata["start"])
        for stream in self:
            yield from _documents_of(self[stream])
        yield "stop", Stop(metadata.get("stop", {}))


class Stream(BlueskyEventStreamV3):  # type: ignore[misc]
    """A stream of a run, of which everything is read that can be."""

    def read(self, variables: Iterable[Any] | None = None, dim0: str | None = None) -> Any:
        """Return the stream's values as a dataset; warn of those in files that cannot be read.

        A key that is asked for by name and cannot be read raises.
        """
        if variables is not None:
            return self._placed(super().read(variables=variables, dim0=dim0))
        faults = {key: f"{key} cannot be read: {fault}" for key in self._in_files() if (fault := self._fault(key))}
        for fault in faults.values():
            warnings.warn(fault, stacklevel=2)
        return self._placed(super().read(variables=self._var_keys - set(faults), dim0=dim0))

    def _placed(self, found: Any) -> Any:
        """Give what was read the coordinates that the documents of the run have."""
        return with_coordinates(found, self.metadata, self._start)

    @cached_property
    def _start(self) -> Any:
        """The start document of its run."""
        run = self.parent
        return (run if "start" in run.metadata else run.parent).metadata.get("start", {})

    def _in_files(self) -> list[str]:
        return [key for key, about in self.metadata.get("data_keys", {}).items() if "external" in about]

    def _fault(self, key: str) -> str:
        """Return why an array in a detector's files cannot be read; empty if it can."""
        if key not in self.base:
            return "its files are not in the catalog, see the metadata's notes"
        node = self.base[key]
        try:
            node.read(slice=(slice(0, 1),))
        except Exception as error:
            return reason(error, [asset.data_uri for source in node.data_sources() or [] for asset in source.assets])
        return ""


def _documents_of(stream: Any) -> Iterator[tuple[str, Any]]:
    descriptors = [Descriptor(doc) for doc in stream.descriptors]
    for doc in descriptors:
        yield "descriptor", doc
    keys = stream.metadata["data_keys"]
    table = stream.base["internal"].read()
    inside = [key for key in stream.base if key in keys and "external" not in keys[key]]
    arrays = {key: list(stream.base[key].read()) for key in inside}
    for number, row in enumerate(table.to_dict(orient="records")):
        values = row | {key: array[number] for key, array in arrays.items()}
        current = [doc["uid"] for doc in descriptors if doc["time"] <= row["time"]] or [descriptors[0]["uid"]]
        data = {key: values[key] for key in keys if key in values}
        event = {"uid": f"event-{current[-1]}-{row['seq_num']}", "descriptor": current[-1], "data": data}
        stamps = {key: row.get(f"ts_{key}", row["time"]) for key in data}
        yield "event", Event({**event, "seq_num": row["seq_num"], "time": row["time"], "timestamps": stamps})
