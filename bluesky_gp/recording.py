"""Catalogs of runs: open one, subscribe its writer, read runs back while they go on or later.

Everything that knows tiled's configuration or private parts stands in this file; tiled itself is imported when a
catalog is opened, on the thread that writes it, so that a session does not wait for it (2 to 3 s).
"""

import logging
import re
import secrets
import sqlite3
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from filelock import FileLock

from bluesky_gp.follower import Follower, RunWriter
from bluesky_gp.journal import Fsync, JournalError
from bluesky_gp.recorder import JournalFolder, Recorder

__all__ = ["Catalog", "open_catalog", "server_configuration"]

logger = logging.getLogger(__name__)

_open: dict[str, "Catalog"] = {}  # by place
_open_guard = threading.Lock()


def open_catalog(
    place: str | Path, *, api_key: str | None = None, journal: str | Path | None = None, fsync: Fsync = "second"
) -> "Catalog":
    """Open a catalog of runs, to write and to read.

    Parameters
    ----------
    place : str or Path
        A folder, made if it is missing; or the URL of a catalog of Bluesky runs on a Tiled server; or the name of a
        Tiled profile. A name without a slash is a profile only if there is one and no folder of that name.
    api_key : str, optional
        For a URL or a profile; without it Tiled looks for one in the URL, in TILED_API_KEY and in its own files.
    journal : str or Path, optional
        Folder of the journals. Default: ``journal`` inside the folder, for a server a folder in the user's data.
    fsync : {"document", "second", "never"}, optional
        When journals are forced onto the disk, see `bluesky_gp.journal.Journal`.

    Returns
    -------
    Catalog
        The same one as before if this process has it open already.

    Examples
    --------
    >>> catalog = open_catalog("data/")  # doctest: +SKIP
    >>> RE.subscribe(catalog.writer)  # doctest: +SKIP
    >>> catalog[-1].primary.read()  # doctest: +SKIP
    """
    connect, name, folder = _resolve(place, api_key)
    with _open_guard:
        if name not in _open:
            journals = JournalFolder(Path(journal) if journal is not None else folder / "journal")
            _check_writable(journals.pending_path)
            _open[name] = Catalog(name, journals, connect, fsync=fsync)
        return _open[name]


class Catalog:
    """A catalog of runs that is written behind their journals; made by `open_catalog`.

    ``catalog[-1]``, ``catalog[scan_id]``, ``catalog[uid]`` and ``catalog["first letters of uid"]`` are runs; everything
    else that tiled's client for a catalog of runs has (`search`, `keys`, ...) is here as well, and
    ``databroker.Broker(catalog)`` is the databroker of old. The first of these waits until the catalog is open.

    Attributes
    ----------
    writer : Recorder
        What to subscribe: ``RE.subscribe(catalog.writer)``.
    """

    def __init__(
        self, place: str, journals: JournalFolder, connect: Callable[[], "_TiledStore"], *, fsync: Fsync
    ) -> None:
        self._place = place
        self._journals = journals
        self._store: _TiledStore | None = None
        self._closed = False

        def connect_here() -> "_TiledStore":
            self._store = connect()
            _at_exit(self.close)  # registered after tiled's own, therefore run before it
            return self._store

        self._follower = Follower(journals, connect_here, place=place)
        self.writer = Recorder(journals, self._follower, fsync=fsync)

    @property
    def client(self) -> Any:
        """Tiled's own client of the catalog."""
        if self._closed:
            raise RuntimeError(f"The catalog {self._place} is closed: open_catalog({self._place!r}) opens it again")
        self._follower.wait_until_ready()
        assert self._store is not None  # noqa: S101
        return self._store.client

    def __getitem__(self, key: Any) -> Any:
        return self.client[key]

    def __len__(self) -> int:
        return len(self.client)

    def __iter__(self) -> Iterator[str]:
        return iter(self.client)

    def __contains__(self, uid: str) -> bool:
        return uid in self.client

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what IPython and pickle ask for must not open anything
            raise AttributeError(name)
        return getattr(self.client, name)

    def __repr__(self) -> str:
        if self._closed:
            return f"<Catalog {self._place}, closed>"
        if not self._follower.is_ready:
            return f"<Catalog {self._place}, opening>"
        return f"<Catalog {self._place}, {len(self)} runs>"

    def journal(self, uid: str) -> Path | None:
        """Return the journal of a run, by uid or the beginning of it: every document as it was emitted, bit for bit."""
        return self._journals.find(uid)

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until the catalog has what has been recorded so far, instead of for its next second.

        Raises
        ------
        TimeoutError
            If that takes longer than `timeout` seconds.
        """
        if not self._follower.flush(timeout):
            raise TimeoutError(f"The catalog {self._place} is not up to date after {timeout} s; the journals are.")

    def close(self, timeout: float = 10.0) -> None:
        """Write what is left and let go of the catalog; a second call does nothing. Done at exit as well."""
        with _open_guard:
            if self._closed:
                return
            self._closed = True
            if _open.get(self._place) is self:
                del _open[self._place]
        self._follower.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def server_configuration(folder: Path, *, api_key: str) -> dict[str, Any]:
    """Return the configuration of a Tiled server for the catalog in `folder`, which `open_catalog` must have made."""
    arguments = {
        "uri": f"sqlite:///{folder / 'catalog.db'}",
        # Tables in SQLite, because DuckDB locks its file and a second process could not read a run that goes on.
        "writable_storage": [str(folder / "arrays"), f"sqlite:///{folder / 'tables.db'}"],
        "specs": [{"name": "CatalogOfBlueskyRuns", "version": "3.0"}],
    }
    return {
        "authentication": {"single_user_api_key": api_key},
        "trees": [{"tree": "catalog", "path": "/", "args": arguments}],
        # Without the exporter run.documents() is answered with 406.
        "media_types": {"BlueskyRun": {"application/json-seq": "bluesky_tiled_plugins.exporters:json_seq_exporter"}},
    }


def _resolve(place: str | Path, api_key: str | None) -> tuple[Callable[[], "_TiledStore"], str, Path]:
    """Return what connects to a place, its name, and the folder that goes with it."""
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        url = urlsplit(place)
        name = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"  # without the key that the query may hold
        return lambda: _connect_url(place, api_key), name, _user_folder(name)
    if isinstance(place, str) and _is_profile(place):
        return lambda: _connect_profile(place, api_key), place, _user_folder(place)
    folder = Path(place).expanduser().resolve()
    return lambda: _connect_folder(folder), str(folder), folder


def _is_profile(place: str) -> bool:
    if "/" in place or "\\" in place or Path(place).exists():
        return False
    from tiled.profiles import list_profiles

    return place in list_profiles()


def _user_folder(name: str) -> Path:
    from platformdirs import user_data_path

    return user_data_path("bluesky_gp") / re.sub(r"[^0-9A-Za-z.-]+", "_", name)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(8)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise JournalError(
            f"Nothing can be recorded in {folder}: {error}. Give a folder that can be written."
        ) from error


class _TiledStore:
    """Runs in a Tiled container."""

    def __init__(self, client: Any, *, embedded: bool) -> None:
        self._client = client
        self._embedded = embedded
        self._classes = _client_classes(client)

    @property
    def client(self) -> Any:
        """The container's client, with a table of classes of its own (see `_client_classes`)."""
        from tiled.utils import OneShotCachedMap

        client = self._client
        return type(client)(client.context, item=client.item, structure_clients=OneShotCachedMap(self._classes))

    def begin(self, uid: str) -> RunWriter:
        if uid in self._client:
            self._client.delete_contents(uid, recursive=True, external_only=False)
        return _TiledRunWriter(self._client.include_data_sources())

    def holds(self, uid: str) -> bool:
        return uid in self._client and bool(self._client[uid].metadata.get("stop"))

    def close(self) -> None:
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
        self._normalize = RunNormalizer()
        self._normalize.subscribe(self._writer)
        self._numbers: dict[str, list[str]] = {}

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        if name == "descriptor":
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


def _connect_folder(folder: Path) -> _TiledStore:
    """Open the catalog in a folder with a Tiled server inside this process, which opens no port."""
    _make_catalog(folder)
    # starlette's advice is for those who write tests with its client; tiled uses it for this.
    warnings.filterwarnings(
        "ignore", message="Using `httpx` with `starlette.testclient`", module="tiled.client.context"
    )
    from tiled.client import from_context
    from tiled.client.context import Context
    from tiled.server.app import build_app_from_config

    logging.getLogger("tiled.server.app").setLevel(logging.WARNING)  # it prints its version into the user's terminal
    api_key = secrets.token_hex(32)
    app = build_app_from_config(server_configuration(folder, api_key=api_key))
    return _TiledStore(_catalog_of_runs(from_context(Context.from_app(app, api_key=api_key)), folder), embedded=True)


def _connect_url(url: str, api_key: str | None) -> _TiledStore:
    from tiled.client import from_uri

    return _TiledStore(_catalog_of_runs(from_uri(url, api_key=api_key), url), embedded=False)


def _connect_profile(name: str, api_key: str | None) -> _TiledStore:
    from tiled.client import from_profile

    options = {} if api_key is None else {"api_key": api_key}
    return _TiledStore(_catalog_of_runs(from_profile(name, **options), name), embedded=False)


def _catalog_of_runs(client: Any, place: str | Path) -> Any:
    from bluesky_tiled_plugins.clients.catalog_of_bluesky_runs import CatalogOfBlueskyRuns

    if not isinstance(client, CatalogOfBlueskyRuns) or not client.is_sql:
        raise ValueError(
            f"{place} is no catalog of Bluesky runs. Give the URL of one, or make it on the server: "
            'client.create_container("runs", specs=[tiled.structures.core.Spec("CatalogOfBlueskyRuns", "3.0")])'
        )
    return client


def _make_catalog(folder: Path) -> None:
    """Make the databases of a catalog, unless they are there.

    As `tiled catalog init` does, which starts a process that takes 2.7 s; this takes 0.1.
    """
    database = folder / "catalog.db"
    with FileLock(folder / "catalog.lock"):
        if database.exists():
            return
        new = folder / "catalog.new.db"
        new.unlink(missing_ok=True)
        _make_database(new)
        tables = sqlite3.connect(folder / "tables.db")
        tables.execute("PRAGMA journal_mode=WAL")  # or readers would lock out the writer; stays with the file
        tables.close()
        new.replace(database)


def _make_database(path: Path) -> None:
    import asyncio

    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy.ext.asyncio import create_async_engine
    from tiled.catalog.alembic_constants import ALEMBIC_DIR
    from tiled.catalog.core import initialize_database

    def stamp(connection: Any) -> None:
        MigrationContext.configure(connection).stamp(ScriptDirectory(str(ALEMBIC_DIR)), "head")

    async def initialize() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        try:
            await initialize_database(engine)
            async with engine.begin() as connection:
                await connection.run_sync(stamp)
        finally:
            await engine.dispose()

    asyncio.run(initialize())


def _at_exit(close: Callable[[], None]) -> None:
    """Call `close` at exit, before tiled's embedded server is stopped.

    Tiled stops it when the interpreter ends its threads, which is before the handlers of `atexit`.
    """
    threading._register_atexit(close)  # type: ignore[attr-defined]  # noqa: SLF001
