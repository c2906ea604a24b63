"""Catalogs of runs: open one, subscribe its writer, read runs back while they go on or later.

Everything that knows tiled's configuration stands in this file, and what knows the private parts of its writer in
`tiled_store`; tiled itself is imported when a catalog is opened, on the thread that writes it, so that a
session does not wait for it (2 to 3 s).
"""

import logging
import re
import secrets
import socket
import sqlite3
import threading
import urllib.request
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from bluesky_gp.recording.catalog import Catalog
from bluesky_gp.recording.journal import Fsync, JournalError, check_fsync
from bluesky_gp.recording.journal_folder import JournalFolder
from bluesky_gp.recording.relocation import adopt
from bluesky_gp.recording.tiled_store import TiledStore

__all__ = ["Catalog", "check_folder", "is_catalog", "open_catalog", "place_name", "server_configuration"]

_open: dict[str, Catalog] = {}  # by place
_open_guard = threading.Lock()


def open_catalog(
    place: str | Path, *, api_key: str | None = None, journal: str | Path | None = None, fsync: Fsync = "second"
) -> Catalog:
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
        When journals are forced onto the disk, see `bluesky_gp.recording.journal.Journal`.

    Returns
    -------
    Catalog
        The same one as before if this process has it open already. A folder's is opened in the background: what is
        wrong with it is raised where it is first read.

    Raises
    ------
    JournalError
        If the journals cannot be written where they should be.
    ConnectionError
        If no server answers.
    ValueError
        If `fsync` is none of the three, or Tiled cannot keep a catalog in a folder of that name.

    Examples
    --------
    >>> catalog = open_catalog("data/")  # doctest: +SKIP
    >>> RE.subscribe(catalog.writer)  # doctest: +SKIP
    >>> catalog[-1].primary.read()  # doctest: +SKIP
    """
    check_fsync(fsync)
    where = _resolve(place, api_key)
    if not where.is_remote:
        check_folder(where.folder)
    with _open_guard:
        if where.name not in _open or _open[where.name].closed:
            journals = JournalFolder(Path(journal) if journal is not None else where.folder / "journal")
            _check_writable(journals.pending_path)
            _open[where.name] = Catalog(where.name, journals, where.connect, fsync=fsync)
        catalog = _open[where.name]
    if where.is_remote:
        _wait_or_close(catalog)
    return catalog


def place_name(place: str | Path) -> str:
    """Return what a catalog's place is called in messages: a URL may hold a key, which nobody is shown."""
    return _resolve(place, None).name


def is_catalog(place: str | Path) -> bool:
    """Whether `open_catalog` would find something there, rather than make it; of servers it is only supposed."""
    where = _resolve(place, None)
    return where.is_remote or any((where.folder / name).exists() for name in ("catalog.db", "journal"))


def check_folder(folder: Path) -> None:
    """Raise ValueError if Tiled would write elsewhere: it takes what follows for the query or fragment of a URL."""
    bad = [character for character in "#?" if character in str(folder)]
    if bad:
        raise ValueError(
            f"no catalog can be kept in {folder}, because of the {bad[0]} in its name: give another folder"
        )


def _wait_or_close(catalog: Catalog) -> None:
    try:
        catalog.wait()
    except BaseException:
        catalog.close(timeout=0.0)
        raise


def server_configuration(folder: Path, *, api_key: str, database: str = "") -> dict[str, Any]:
    """Return the configuration of a Tiled server.

    Parameters
    ----------
    folder : Path
        Where the arrays are; without a `database` the whole catalog, which `open_catalog` must have made.
    api_key : str
        Whoever has it may read and write.
    database : str, optional
        ``postgresql://USER:PASSWORD@HOST/NAME``, which has the catalog and its tables; they are made if missing.
    """
    # Tables in SQLite, because DuckDB locks its file and a second process could not read a run that goes on.
    tables = database or f"sqlite:///{folder / 'tables.db'}"
    uri = f"sqlite:///{folder / 'catalog.db'}"
    if database:
        uri = "postgresql+asyncpg://" + database.partition("://")[2]
    arguments = {
        "uri": uri,
        "init_if_not_exists": bool(
            database
        ),  # of a folder we do that ourselves: Tiled starts a process for it each time
        "writable_storage": [str(folder / "arrays"), tables],
        "specs": [{"name": "CatalogOfBlueskyRuns", "version": "3.0"}],
    }
    return {
        "authentication": {"single_user_api_key": api_key},
        "trees": [{"tree": "catalog", "path": "/", "args": arguments}],
        # Without the exporter run.documents() is answered with 406.
        "media_types": {"BlueskyRun": {"application/json-seq": "bluesky_tiled_plugins.exporters:json_seq_exporter"}},
    }


@dataclass(frozen=True)
class _Place:
    """Where a catalog is: its name, the folder that goes with it, and what connects to it."""

    name: str
    folder: Path
    connect: Callable[[], "TiledStore"]
    is_remote: bool = True


def _resolve(place: str | Path, api_key: str | None) -> _Place:
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        url = urlsplit(place)
        name = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"  # without the key that the query may hold
        return _Place(name, _user_folder(name), lambda: _connect_url(place, api_key))
    if isinstance(place, str) and _is_profile(place):
        return _Place(place, _user_folder(place), lambda: _connect_profile(place, api_key))
    folder = Path(place).expanduser().resolve()
    return _Place(str(folder), folder, lambda: _connect_folder(folder), is_remote=False)


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


def _connect_folder(folder: Path) -> TiledStore:
    """Open the catalog in a folder with a Tiled server inside this process, which opens no port."""
    _make_catalog(folder)
    # starlette's advice is for those who write tests with its client; tiled uses it for this.
    warnings.filterwarnings(
        "ignore", message="Using `httpx` with `starlette.testclient`", module="tiled.client.context"
    )
    from tiled.client import from_context
    from tiled.client.context import Context
    from tiled.server.app import build_app_from_config
    from tiled.server.settings import get_settings

    logging.getLogger("tiled.server.app").setLevel(logging.WARNING)  # it prints its version into the user's terminal
    # One object holds the key of every Tiled server in a process: a key of our own would lock the others' clients out.
    api_key = get_settings().single_user_api_key
    app = build_app_from_config(server_configuration(folder, api_key=api_key))
    return TiledStore(_catalog_of_runs(from_context(Context.from_app(app, api_key=api_key)), folder), embedded=True)


def _connect_url(url: str, api_key: str | None) -> TiledStore:
    _check_answers(url)
    from tiled.client import from_uri

    return TiledStore(_catalog_of_runs(from_uri(url, api_key=api_key), place_name(url)), embedded=False)


def _check_answers(url: str) -> None:
    """Raise if nothing listens; tiled would find out in 24 s."""
    parts = urlsplit(url)
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(parts.netloc):
        return
    try:
        socket.create_connection((parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]), 5.0).close()
    except OSError as error:
        raise ConnectionError(
            f"No server answers at {parts.scheme}://{parts.hostname}:{parts.port}: {error}"
        ) from error


def _connect_profile(name: str, api_key: str | None) -> TiledStore:
    from tiled.client import from_profile

    options = {} if api_key is None else {"api_key": api_key}
    return TiledStore(_catalog_of_runs(from_profile(name, **options), name), embedded=False)


def _catalog_of_runs(client: Any, place: str | Path) -> Any:
    from bluesky_tiled_plugins.clients.catalog_of_bluesky_runs import CatalogOfBlueskyRuns

    if not isinstance(client, CatalogOfBlueskyRuns) or not client.is_sql:
        raise ValueError(
            f"{place} is no catalog of Bluesky runs. Give the URL of one, or make it on the server: "
            'client.create_container("runs", specs=[tiled.structures.core.Spec("CatalogOfBlueskyRuns", "3.0")])'
        )
    return client


def _make_catalog(folder: Path) -> None:
    """Make the databases of a catalog, unless they are there; tell one that was moved where it is now.

    As `tiled catalog init` does, which starts a process that takes 2.7 s; this takes 0.1.
    """
    database = folder / "catalog.db"
    with FileLock(folder / "catalog.lock"):
        if database.exists():
            adopt(folder)
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
