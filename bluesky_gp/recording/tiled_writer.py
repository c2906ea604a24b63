"""The plugin's writer of a run into Tiled, which writes when the catalog's thread says so.

bluesky-tiled-plugins' `TiledWriter` writes after so many events and not after so much time: with 1 each document
costs 200 ms, with its 10,000 nothing can be read before the run ends. Its parts are used here: hence private names.
Importing this file imports tiled.
"""

import logging
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import httpx
from bluesky_tiled_plugins.writing import tiled_writer as plugin
from bluesky_tiled_plugins.writing.tiled_writer import RunNormalizer
from bluesky_tiled_plugins.writing.validator import validate_structure

from bluesky_gp.recording.dimensions import NamedDimensions
from bluesky_gp.recording.versions import private

__all__ = ["BatchWriter", "RunNormalizer"]

logger = logging.getLogger("bluesky_gp.recording")

_PLUGIN = "bluesky-tiled-plugins"
_METHODS = (
    "_append_with_retry", "_close_stream_tree", "_internal_dims", "_write_internal_data", "_write_external_data",
)  # fmt: skip
_ATTRIBUTES = ("_stream_resource_cache", "_internal_data_cache", "_external_data_cache", "_desc_nodes")

_RunWriter = private(plugin, "_RunWriter", _PLUGIN)
for _name in _METHODS:
    private(_RunWriter, _name, _PLUGIN)


class BatchWriter(_RunWriter):  # type: ignore[misc, valid-type]
    """The plugin's writer of a run, which writes when it is told to."""

    def __init__(self, client: Any) -> None:
        super().__init__(client, batch_size=sys.maxsize, max_array_size=0)  # every array as zarr: SQLite refuses lists
        self._dimensions: defaultdict[str, dict[str, int]] = defaultdict(dict)  # sizes by name, for each stream
        for name in _ATTRIBUTES:
            private(self, name, _PLUGIN)

    def correct(self, stream: str, metadata: dict[str, Any]) -> None:
        """Give a stream, or the run itself for "", metadata that the plugin changes: it cuts integers to 53 bits."""
        node = self._desc_nodes[stream] if stream else self.root_node
        if any(node.metadata.get(key) != value for key, value in metadata.items()):
            node.update_metadata(metadata=metadata, drop_revision=True)

    def flush(self) -> None:
        """Write what has been taken."""
        for stream, rows in self._internal_data_cache.items():
            if rows:
                node = NamedDimensions(self._desc_nodes[stream], self._dimensions[stream], self.data_keys)
                self._write_internal_data(rows, desc_node=node)
                rows.clear()
        for doc in self._external_data_cache.values():
            self._write_external_data(doc)
        self._external_data_cache.clear()

    def _write_external_data(self, doc: Any) -> None:
        """Register files of a detector; those that Tiled cannot take are noted, and the run goes on without them."""
        try:
            super()._write_external_data(doc)
        except Exception as error:
            if _is_away(error):
                raise
            key = self._stream_resource_cache.get(doc["stream_resource"], {}).get("data_key", doc["stream_resource"])
            note = f"The files of {key} are not in the catalog: {type(error).__name__}: {error}".splitlines()[0]
            if note not in self.notes:
                logger.warning("%s", note)
                self.notes.append(note)

    def compare_files(self) -> None:
        """Look into the files of detectors for shapes and types, which descriptors often leave out."""
        for node in {node.uri: node for node in self._sres_nodes.values()}.values():
            try:
                node.refresh()
                self.notes += [f"{node.item['id']}: {note}" for note in validate_structure(node, fix_errors=True)]
            except Exception as error:  # no such file, no reader for it: said to whoever reads
                logger.debug("The files of %s were not compared.", node.item["id"], exc_info=error)

    def _close_stream_tree(self) -> None:
        """Tell a server's listeners that nothing more comes; one inside this process has none, and 25 ms a column."""
        if not hasattr(self.client.context.http_client, "app"):
            super()._close_stream_tree()

    def _append_with_retry(self, df_client: Any, table: Any, desc_name: str) -> None:
        """Append rows once: a second try after a lost answer may write them twice; `Follower` writes the run anew."""
        df_client.append_partition(0, table)

    def _internal_dims(self, desc_name: str, shape: tuple[int | None, ...]) -> tuple[str, ...]:
        return _distinct(super()._internal_dims(desc_name, shape))


def _is_away(error: Exception) -> bool:
    """Whether the server could not be asked or had a fault of its own, and may take the same later."""
    response = getattr(error, "response", None)
    return isinstance(error, httpx.TransportError) or (response is not None and response.status_code >= 500)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of dimensions that differ: one a size is what the writer gives, and xarray takes no square map."""
    given = list(names)
    return tuple(f"{name}_{n}" if (n := given[:i].count(name)) else name for i, name in enumerate(given))
