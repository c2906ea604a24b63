"""Runs of a catalog and their streams as a session reads them: numbers of metadata exact, unreadable files named.

Importing this file imports tiled.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from bluesky_tiled_plugins.clients.bluesky_event_stream import BlueskyEventStreamV3
from bluesky_tiled_plugins.clients.bluesky_run import BlueskyRunV3
from bluesky_tiled_plugins.clients.document import Start, Stop
from tiled.utils import DictView

from bluesky_gp.recording.coordinates import with_coordinates
from bluesky_gp.recording.cut_arrays import CUT, uncut
from bluesky_gp.recording.detector_files import reason
from bluesky_gp.recording.document_order import in_order
from bluesky_gp.recording.metadata import EXACT, restored
from bluesky_gp.recording.safe_names import NAMES, renamed
from bluesky_gp.recording.stream_events import documents_of_stream

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
        plain = {key: given[key] for key in given if key not in (EXACT, NAMES)}
        return Metadata(restored(plain, given[EXACT]) if EXACT in given else plain)

    def documents(self, fill: bool = False) -> Iterator[tuple[str, Any]]:
        """Yield the run's documents in the order of their emission, arrays as long as they came."""
        streams = self._streams()
        in_arrays = any(map(_has_complex, streams.values()))
        given = self._of_arrays(streams) if in_arrays else super().documents(fill=fill)
        return self._as_they_came(given, streams)

    def documents_after(self, numbers: Mapping[str, int]) -> Iterator[tuple[str, Any]] | None:
        """Return what the run has beyond what is known of it; None: it has to be read as a whole.

        That is one with values in files, or with arrays of any length. Start, descriptors and stop come every time, the
        last empty while the run goes on.

        Parameters
        ----------
        numbers : mapping
            By uid of a descriptor, the number of the latest event that is known.
        """
        streams = self._streams()
        if any(_has_more_than_arrays(stream) for stream in streams.values()):
            return None
        return self._as_they_came(self._of_arrays(streams, numbers), streams)

    def as_emitted(self, documents: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Yield documents of this run in the order of their emission, numbers exact and arrays as long as they came."""
        return self._as_they_came(documents, self._streams())

    def _streams(self) -> dict[str, Any]:
        return {name: self[name] for name in self}

    def _as_they_came(
        self, documents: Iterable[tuple[str, Any]], streams: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        places, keys = super().metadata.get(EXACT, []), super().metadata.get(NAMES, {})
        cut = {name: stream.metadata.get(CUT, {}) for name, stream in streams.items()}
        for name, stored in uncut(in_order(documents), cut):
            doc = type(stored)(renamed(name, stored, keys)) if keys else stored
            inside = [place[2:] for place in places if place[:2] == ["streams", doc.get("name")]]
            if name == "descriptor" and inside:
                yield name, type(doc)(restored(dict(doc), inside))
            elif name in ("start", "stop") and places:
                yield name, type(doc)(self.metadata.get(name, {}))
            else:
                yield name, doc

    def _of_arrays(
        self, streams: Mapping[str, Any], numbers: Mapping[str, int] | None = None
    ) -> Iterator[tuple[str, Any]]:
        """Yield the documents made from tables and arrays; of files beside the events there are none."""
        metadata = self.metadata
        yield "start", Start(metadata["start"])
        for name, stream in streams.items():
            yield from documents_of_stream(stream, name, metadata["start"]["uid"], numbers or {})
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
        placed = with_coordinates(found, self.metadata, self._run.metadata.get("start", {}))
        keys = self._run.item["attributes"]["metadata"].get(NAMES, {})
        return placed.rename(
            {name: key for name, key in keys.items() if name in placed and key not in placed.variables}
        )

    @cached_property
    def _run(self) -> Any:
        """The run that it belongs to."""
        run = self.parent
        return run if "start" in run.metadata else run.parent

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


def _has_complex(stream: Any) -> bool:
    """Whether there are arrays of complex numbers, which the server cannot write as JSON."""
    keys = stream.metadata.get("data_keys", {}).values()
    return any(str(about.get("dtype_numpy", "")).startswith(("<c", ">c")) for about in keys)


def _has_more_than_arrays(stream: Any) -> bool:
    """Whether values stand in files, or in arrays of which each is as long as it likes."""
    keys = stream.metadata.get("data_keys", {}).values()
    return any("external" in about or None in about.get("shape", ()) for about in keys)
