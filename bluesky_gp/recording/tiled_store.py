"""Runs in a Tiled container: the catalog's thread writes into it, and a session reads from it."""

import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bluesky_gp.priority import give_way
from bluesky_gp.recording.columns import Column
from bluesky_gp.recording.names import check_names
from bluesky_gp.recording.stores import Abandoned, RunWriter

__all__ = ["TiledStore"]


class TiledStore:
    """Runs in a Tiled container.

    Parameters
    ----------
    client
        Tiled's client of the container.
    folder : Path, optional
        Folder of the catalog, if its server is inside this process.
    allow : callable, optional
        Makes a folder readable, one to which detectors of this session write.
    refusal : str
        Reason why nothing can be written into it, in words; "" if it can.
    """

    def __init__(
        self,
        client: Any,
        *,
        folder: Path | None = None,
        allow: Callable[[Path], None] = lambda folder: None,
        refusal: str = "",
    ) -> None:
        self._client = client
        self._folder = folder
        self._classes = _client_classes(client)
        self._thread = threading.get_ident()
        self._allow = allow
        self.refusal = refusal
        self._is_abandoned = False
        self._columns: dict[str, dict[tuple[str, str], Column]] = {}
        client.context.http_client.event_hooks["request"].append(self._before_request)

    @property
    def client(self) -> Any:
        """The container's client, with a table of classes of its own (see `_client_classes`)."""
        from tiled.utils import OneShotCachedMap

        client = self._client
        return type(client)(client.context, item=client.item, structure_clients=OneShotCachedMap(self._classes))

    def _before_request(self, _: object) -> None:
        """Let decisions pass before a request of ours, which takes 20 ms; nobody who reads is held up."""
        if threading.get_ident() == self._thread:
            if self._is_abandoned:
                raise Abandoned
            if self._folder is not None:
                give_way()

    def fault(self, error: Exception) -> str:
        """Return what is wrong, in words."""
        if self._folder is not None and not (self._folder / "catalog.db").exists():
            return f"{self._folder / 'catalog.db'} has been removed or is away"
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.300}"

    def abandon(self) -> None:
        """Raise `Abandoned` instead of the next request of the catalog's thread.

        A request that is under way as the interpreter ends may need a thread that is not started any more: the server
        would wait for it, and the interpreter for the server, for ever.
        """
        self._is_abandoned = True

    def begin(self, uid: str, *, own: bool) -> RunWriter:
        """Remove what there is of a run, and return the writer that begins it anew."""
        if self._find(uid) is not None:
            self._client.delete_contents(uid, recursive=True, external_only=False)
        if self._folder is not None:  # what the databases do not know, because somebody removed them
            shutil.rmtree(self._folder / "arrays" / uid, ignore_errors=True)
        from bluesky_gp.recording.run_writer import TiledRunWriter

        return TiledRunWriter(
            self._client.include_data_sources(), self._columns.setdefault(uid, {}), self._allow if own else None
        )

    def holds(self, uid: str) -> bool:
        """Whether the run is there with its stop document."""
        run = self._find(uid)
        return run is not None and bool(run.metadata.get("stop"))

    def _find(self, uid: str) -> Any:
        """Return the run of exactly this uid, None if there is none; ``client[uid]`` takes the beginning of one too."""
        from tiled.client.container import Container

        check_names([uid])
        try:
            return Container.__getitem__(self._client, uid)
        except KeyError:
            return None

    def close(self) -> None:
        """Close the connection to the server; if it is one inside this process, stop it."""
        self._client.context.close()


def _client_classes(client: Any) -> dict[str, Callable[[], type]]:
    """Return which class shows which kind of node.

    ``run.v2``, which databroker's Broker calls, changes that table for the whole process: what it changes is a
    `copy.copy` that shares its contents. Clients that are handed out therefore have a table each.
    """
    from bluesky_gp.recording.tiled_runs import Run, Stream

    table = client.structure_clients
    return {name: partial(table.__getitem__, name) for name in table} | {
        "BlueskyRun": lambda: Run,
        "BlueskyEventStream": lambda: Stream,
    }
