"""Runs in a Tiled container: what the catalog's thread writes into, and what a session reads from.

The only file that knows private parts of bluesky-tiled-plugins' writer.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from bluesky_gp.priority import give_way
from bluesky_gp.recording.stores import RunWriter

__all__ = ["TiledStore"]


class TiledStore:
    """Runs in a Tiled container."""

    def __init__(self, client: Any, *, embedded: bool) -> None:
        self._client = client
        self._embedded = embedded
        self._classes = _client_classes(client)
        self._thread = threading.get_ident()
        if embedded:
            client.context.http_client.event_hooks["request"].append(self._let_decisions_pass)

    @property
    def client(self) -> Any:
        """The container's client, with a table of classes of its own (see `_client_classes`)."""
        from tiled.utils import OneShotCachedMap

        client = self._client
        return type(client)(client.context, item=client.item, structure_clients=OneShotCachedMap(self._classes))

    def _let_decisions_pass(self, _: object) -> None:
        """Before a request of ours, which keeps the interpreter busy for 20 ms; nobody who reads is held up."""
        if threading.get_ident() == self._thread:
            give_way()

    def begin(self, uid: str) -> RunWriter:
        """Remove what there is of a run, and return the writer that begins it anew."""
        if self._find(uid) is not None:
            self._client.delete_contents(uid, recursive=True, external_only=False)
        return _TiledRunWriter(self._client.include_data_sources())

    def holds(self, uid: str) -> bool:
        """Whether the run is there with its stop document."""
        run = self._find(uid)
        return run is not None and bool(run.metadata.get("stop"))

    def _find(self, uid: str) -> Any:
        """Return the run of exactly this uid, None if there is none; ``client[uid]`` takes the beginning of one too."""
        from tiled.client.container import Container

        _check_names([uid])
        try:
            return Container.__getitem__(self._client, uid)
        except KeyError:
            return None

    def close(self) -> None:
        """Stop the server, if it is one inside this process."""
        if self._embedded:
            self._client.context.close()


def _client_classes(client: Any) -> dict[str, Callable[[], type]]:
    """Return which class shows which kind of node.

    ``run.v2``, which databroker's Broker calls, changes that table for the whole process: what it changes is a
    `copy.copy` that shares its contents. Clients that are handed out therefore have a table each.
    """
    from bluesky_tiled_plugins.clients.bluesky_run import BlueskyRunV3

    table = client.structure_clients
    return {name: partial(table.__getitem__, name) for name in table} | {"BlueskyRun": lambda: BlueskyRunV3}


class _TiledRunWriter:
    """One run into Tiled, written when `flush` says so.

    bluesky-tiled-plugins' `TiledWriter` writes after so many events and not after so much time: with 1 each document
    costs 200 ms, with its 10,000 nothing can be read before the run ends. Its parts are used here: hence private names.
    """

    def __init__(self, client: Any) -> None:
        from bluesky_tiled_plugins.writing.tiled_writer import RunNormalizer, _RunWriter

        # max_array_size=0: every array as zarr. SQLite refuses lists.
        self._writer = _RunWriter(client, batch_size=sys.maxsize, max_array_size=0)
        # Its own tries again when an answer is lost, which may write rows twice; `Follower` writes the run anew.
        self._writer._append_with_retry = lambda table, rows, _: table.append_partition(0, rows)  # noqa: SLF001
        names = self._writer._internal_dims  # noqa: SLF001
        self._writer._internal_dims = lambda *about: _distinct(names(*about))  # noqa: SLF001
        self._normalize = RunNormalizer()
        self._normalize.subscribe(self._writer)
        self._numbers: dict[str, list[str]] = {}

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        if name == "descriptor":
            _check_names([doc["name"], *doc["data_keys"]])
            self._numbers[doc["uid"]] = [key for key, about in doc["data_keys"].items() if about["dtype"] == "number"]
        if name == "event":
            doc = {**doc, "data": doc["data"] | self._floats(doc)}
        self._normalize(name, doc)

    def _floats(self, doc: dict[str, Any]) -> dict[str, float]:
        """Return what is a whole number and may become a fraction later: the first rows fix a column's type."""
        data = doc["data"]
        return {key: float(data[key]) for key in self._numbers[doc["descriptor"]] if isinstance(data[key], int)}

    def flush(self) -> None:
        writer = self._writer
        for stream, rows in writer._internal_data_cache.items():  # noqa: SLF001
            if rows:
                writer._write_internal_data(rows, desc_node=writer._desc_nodes[stream])  # noqa: SLF001
                rows.clear()
        for doc in writer._external_data_cache.values():  # noqa: SLF001
            writer._write_external_data(doc)  # noqa: SLF001
        writer._external_data_cache.clear()  # noqa: SLF001


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of dimensions that differ: one a size is what the writer gives, and xarray takes no square map."""
    given = list(names)
    return tuple(f"{name}_{n}" if (n := given[:i].count(name)) else name for i, name in enumerate(given))


def _check_names(names: Iterable[str]) -> None:
    """Raise where a name would lead out of the folder of arrays, in which each name is that of a folder."""
    for name in names:
        if not isinstance(name, str) or not name.strip(". ") or re.search(r"[\x00-\x1f/\\]", name):
            raise ValueError(f"{name!r:.80} names a run, a stream or a key, and cannot be part of a path")
