"""A catalog served to other machines or programs: a Tiled server over a folder, with an API key made for it."""

import os
import secrets
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bluesky_gp.recording.databases import prepare_postgresql
from bluesky_gp.recording.opening import open_catalog
from bluesky_gp.recording.refused_files import tell_reasons
from bluesky_gp.recording.tiled_server import check_folder, server_configuration

__all__ = ["api_key", "listen", "serve"]

_KEY_FILE = "api_key"
_SHORTEST_KEY = 32


def api_key(folder: Path) -> tuple[Path, str]:
    """Return the file of the key of a folder's catalog, made if it is missing, and the key.

    Only its owner may read the file (mode 600; on Windows it has the rights of the folder).

    Raises
    ------
    PermissionError
        If others may read it.
    ValueError
        If it holds no key.
    """
    path = folder / _KEY_FILE
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with suppress(FileExistsError), os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise PermissionError(f"{path} can be read by others: chmod 600 it, or remove it and a new key is made")
    key = path.read_text().strip()
    if len(key) < _SHORTEST_KEY or not key.isalnum():
        raise ValueError(f"{path} holds no key of {_SHORTEST_KEY} letters and digits: remove it, and one is made")
    return path, key


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 means any that is free.

    Raises
    ------
    OSError
        If the port is taken, or the host is not this machine.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family)


def serve(
    folder: Path, listener: socket.socket, *, key: str, database: str = "", readable: Iterable[Path] = ()
) -> None:
    """Serve a catalog until the process is told to end.

    That of a folder, into which what dead sessions left in it is taken first; or one in a PostgreSQL `database`, whose
    arrays are in the folder (see `server_configuration`, also for `readable`).

    Raises
    ------
    JournalError, ValueError
        As `open_catalog`, and if the database cannot be used.
    """
    import uvicorn
    from tiled.server.app import build_app_from_config

    check_folder(folder)
    if database:
        prepare_postgresql(database)
    else:
        with open_catalog(folder) as catalog:
            catalog.wait()
    app = build_app_from_config(server_configuration(folder, api_key=key, database=database, readable=readable))
    tell_reasons(app)
    # No log of accesses: a client may send the key in the URL.
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
