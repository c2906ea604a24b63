"""Tiled's servers and clients for a catalog of runs: the one inside this process, and those that others run.

Everything that knows tiled's configuration stands in this file; tiled itself is imported when a catalog is opened, on
the thread that writes it, so that a session does not wait for it (2 to 3 s).
"""

import logging
import shutil
import socket
import threading
import urllib.request
import warnings
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bluesky_gp.recording.databases import copy_for_reading, make_catalog, postgresql_uri
from bluesky_gp.recording.session_end import before_its_server
from bluesky_gp.recording.tiled_store import TiledStore

__all__ = ["check_folder", "connect_copy", "connect_folder", "connect_profile", "connect_url", "server_configuration"]


_WRITING = {"create:node", "delete:node", "write:data", "write:metadata"}  # what a key must have to take a run
_one_at_a_time = threading.Lock()  # of two servers that began together in one process, one knew no catalogs of runs


def check_folder(folder: Path) -> None:
    """Raise ValueError if Tiled would write elsewhere: it takes what follows for the query or fragment of a URL."""
    bad = [character for character in "#?" if character in str(folder)]
    if bad:
        raise ValueError(
            f"no catalog can be kept in {folder}, because of the {bad[0]} in its name: give another folder"
        )


def server_configuration(
    folder: Path, *, api_key: str, database: str = "", readable: Iterable[Path] = ()
) -> dict[str, Any]:
    """Return the configuration of a Tiled server.

    Parameters
    ----------
    folder : Path
        Folder of the arrays; without a `database` the whole catalog, which `open_catalog` must have made.
    api_key : str
        Whoever has it may read and write.
    database : str, optional
        ``postgresql://USER:PASSWORD@HOST/NAME``, which has the catalog and its tables; `prepare_postgresql` makes them.
    readable : iterable of Path
        Folders of files that detectors wrote beside the events.
    """
    # Tables in SQLite, because DuckDB locks its file and a second process could not read a run that goes on.
    tables = database or f"sqlite:///{folder / 'tables.db'}"
    uri = postgresql_uri(database) if database else f"sqlite:///{folder / 'catalog.db'}"
    arguments = {
        "uri": uri,
        "readable_storage": [str(path) for path in readable],
        "writable_storage": [str(folder / "arrays"), tables],
        "specs": [{"name": "CatalogOfBlueskyRuns", "version": "3.0"}],
    }
    return {
        "authentication": {"single_user_api_key": api_key},
        "trees": [{"tree": "catalog", "path": "/", "args": arguments}],
        # Else beyond a hundred runs a search is as long as PostgreSQL's statistics say, and a sorted list ends at 200.
        "exact_count_limit": -1,
        # Without the exporter run.documents() is answered with 406.
        "media_types": {"BlueskyRun": {"application/json-seq": "bluesky_tiled_plugins.exporters:json_seq_exporter"}},
    }


def connect_folder(folder: Path, readable: Iterable[Path] = ()) -> TiledStore:
    """Open the catalog in a folder with a Tiled server inside this process, which opens no port."""
    make_catalog(folder)
    with _one_at_a_time:
        return _connect_here(folder, readable)


def _connect_here(folder: Path, readable: Iterable[Path]) -> TiledStore:
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
    app = build_app_from_config(server_configuration(folder, api_key=api_key, readable=readable))
    client = _catalog_of_runs(from_context(Context.from_app(before_its_server(app), api_key=api_key)), folder)
    return TiledStore(client, folder=folder, allow=partial(_allow, app))


def connect_copy(folder: Path, readable: Iterable[Path] = ()) -> TiledStore:
    """Open the catalog in a folder in which nothing can be written, as it is now."""
    copy = copy_for_reading(folder)
    store = connect_folder(copy, readable)
    weakref.finalize(store, shutil.rmtree, copy, ignore_errors=True)
    return store


def _allow(app: Any, folder: Path) -> None:
    """Let a server inside this process read another folder."""
    from tiled.storage import parse_storage

    storage = parse_storage(folder)
    app.state.root_tree.context.readable_storage[storage.uri] = storage


def connect_url(url: str, name: str, api_key: str | None) -> TiledStore:
    """Open the catalog at a URL; `name` is what messages call it, for the URL may hold a key."""
    _check_answers(url)
    try:
        return _connected(url, name, api_key)
    except Exception as error:
        if fault := _key_fault(error):
            raise PermissionError(f"The server at {name} {fault}: open_catalog({name!r}, api_key=...)") from None
        raise


def _connected(url: str, name: str, api_key: str | None) -> TiledStore:
    """Open the catalog at a URL; where that fails no connection stays open."""
    from tiled.client import from_context
    from tiled.client.context import Context

    class Closing(Context):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            try:
                super().__init__(*arguments, **options)
            except BaseException:
                if hasattr(self, "http_client"):
                    self.close()
                raise

    context, path = Closing.from_any_uri(url, api_key=api_key)
    with _closed_if_refused(context):
        return _remote_store(from_context(context, node_path_parts=path), name)


@contextmanager
def _closed_if_refused(context: Any) -> Iterator[None]:
    """Close a connection if what is read there raises."""
    try:
        yield
    except BaseException:
        context.close()
        raise


def _remote_store(client: Any, name: str) -> TiledStore:
    return TiledStore(_catalog_of_runs(client, name), refusal=_refusal(client.context))


def _refusal(context: Any) -> str:
    """Return why the server will not take a run, "" if it will: its keys may be for reading only."""
    if context.api_key is None:
        return "" if context.http_client.auth else "without a key it may only be read"
    links = context.server_info.authentication.links
    if links is None or not links.apikey:  # a server with a single key, which may do all
        return ""
    scopes = set(context.which_api_key()["scopes"])
    missing = set() if "inherit" in scopes else _WRITING - scopes
    return f"the key lacks {', '.join(sorted(missing))}" if missing else ""


def _key_fault(error: Exception) -> str:
    """Return what a server says of the key that it was given; empty if the error is another."""
    if getattr(getattr(error, "response", None), "status_code", 0) in (401, 403):
        return "does not take the key that it was given"
    return "wants a key" if "requires API key" in str(error) else ""


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


def connect_profile(name: str, api_key: str | None) -> TiledStore:
    """Open the catalog of a Tiled profile."""
    from tiled.client import from_profile

    options = {} if api_key is None else {"api_key": api_key}
    client = from_profile(name, **options)
    with _closed_if_refused(client.context):
        return _remote_store(client, name)


def _catalog_of_runs(client: Any, place: str | Path) -> Any:
    from bluesky_tiled_plugins.clients.catalog_of_bluesky_runs import CatalogOfBlueskyRuns

    if not isinstance(client, CatalogOfBlueskyRuns) or not client.is_sql:
        raise ValueError(
            f"{place} is no catalog of Bluesky runs. Give the URL of one, or make it on the server: "
            'client.create_container("runs", specs=[tiled.structures.core.Spec("CatalogOfBlueskyRuns", "3.0")])'
        )
    return client
