"""Catalogs of runs: open one, subscribe its writer, read runs back while they go on or later."""

import errno
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from bluesky_gp.recording.catalog import Catalog
from bluesky_gp.recording.journal import Fsync, JournalError, check_fsync
from bluesky_gp.recording.journal_folder import JournalFolder
from bluesky_gp.recording.stores import ReadableStore
from bluesky_gp.recording.tiled_server import (
    check_folder,
    connect_copy,
    connect_folder,
    connect_profile,
    connect_url,
)

__all__ = ["is_catalog", "is_remote", "journals_of", "open_catalog", "place_name"]

_JOURNAL = "journal"  # folder of a place
_open: dict[str, Catalog] = {}  # by place
_open_guard = threading.Lock()


def open_catalog(
    place: str | Path,
    *,
    api_key: str | None = None,
    journal: str | Path | None = None,
    fsync: Fsync = "second",
    readable: Iterable[str | Path] = (),
    take_in: bool = True,
) -> Catalog:
    """Open a catalog of runs, to write and to read.

    Parameters
    ----------
    place : str or Path
        A folder, made if it is missing; or the URL of a catalog of Bluesky runs on a Tiled server; or the name of a
        Tiled profile. A name without a slash is a profile only if there is one and no folder of that name. Of a folder
        in which nothing can be written the catalog is read, as it is now.
    api_key : str, optional
        For a URL or a profile; without it Tiled looks for one in the URL, in TILED_API_KEY and in its own files.
    journal : str or Path, optional
        Folder of the journals. Default: ``journal`` inside the folder, for a server a folder in the user's data.
    fsync : {"document", "second", "never"}, optional
        When journals are forced onto the disk, see `bluesky_gp.recording.journal.Journal`.

    readable : iterable of str or Path, optional
        Folders of files that detectors of earlier sessions wrote beside their events, as image writers do. Those to
        which detectors of this session write are read without being named. On a server the server's folders count.
    take_in : bool, optional
        Whether journals of sessions that died are taken into the catalog. False: it is read, and no run is begun.

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
    TypeError
        If `place` is no text and no path.
    PermissionError
        If the server does not take the key, or wants one.
    ValueError
        If `fsync` is none of the three, `readable` names no folders, or Tiled cannot keep a catalog in a folder of that
        name.

    Examples
    --------
    >>> catalog = open_catalog("data/")  # doctest: +SKIP
    >>> RE.subscribe(catalog.writer)  # doctest: +SKIP
    >>> catalog[-1].primary.read()  # doctest: +SKIP
    """
    check_fsync(fsync)
    if not isinstance(place, str | Path):
        raise TypeError(f"open_catalog: place must be a folder, a URL or the name of a profile, got {place!r:.80}")
    where = _resolve(place, api_key, _folders(readable))
    if not where.is_remote:
        check_folder(where.folder)
    with _open_guard:
        if where.name not in _open or _open[where.name].closed:
            journals = _journals(where, Path(journal) if journal is not None else where.folder / _JOURNAL)
            connect = where.read if journals.is_readonly else where.connect
            if not take_in:
                journals = JournalFolder(journals.path, is_readonly=True)
            _open[where.name] = Catalog(where.name, journals, connect, fsync=fsync)
        catalog = _open[where.name]
    if where.is_remote:
        _wait_or_close(catalog)
    return catalog


def place_name(place: str | Path) -> str:
    """Return what a catalog's place is called in messages: a URL may hold a key, which nobody is shown."""
    return _resolve(place).name


def is_catalog(place: str | Path) -> bool:
    """Whether `open_catalog` would find something there, rather than make it; of servers it is only supposed."""
    where = _resolve(place)
    return where.is_remote or any((where.folder / name).exists() for name in ("catalog.db", _JOURNAL))


def journals_of(place: str | Path) -> list[Path]:
    """Return the journals that sessions of this machine keep of a place, those of runs that go on among them."""
    folder = _resolve(place).folder / _JOURNAL
    pending = [*(folder / "pending").glob("*.jsonl")]  # first: while we look, one may be put away
    return [*{path.name: path for path in (*pending, *folder.glob("*.jsonl"))}.values()]


def is_remote(place: str | Path) -> bool:
    """Whether a place is a server, of which one has the URL or a profile."""
    return _resolve(place).is_remote


def _wait_or_close(catalog: Catalog) -> None:
    try:
        catalog.wait()
    except BaseException:
        catalog.close(timeout=0.0)
        raise


@dataclass(frozen=True)
class _Place:
    """Place of a catalog: its name, the folder that goes with it, and what connects to it."""

    name: str
    folder: Path
    connect: Callable[[], ReadableStore]
    read: Callable[[], ReadableStore]  # where nothing can be written
    is_remote: bool = True


def _folders(readable: Iterable[str | Path]) -> list[Path]:
    if isinstance(readable, str | Path):
        raise ValueError(f"readable is a list of folders, got {readable!r}: give [{str(readable)!r}]")
    folders = [Path(folder).expanduser().resolve() for folder in readable]
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"readable names folders, and {folder} is none")
    return folders


def _resolve(place: str | Path, api_key: str | None = None, readable: Iterable[Path] = ()) -> _Place:
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        url = urlsplit(place)
        name = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"  # without the key that the query may hold
        connect = partial(connect_url, place, name, api_key)
        return _Place(name, _user_folder(name), connect, connect)
    if isinstance(place, str) and _is_profile(place):
        connect = partial(connect_profile, place, api_key)
        return _Place(place, _user_folder(place), connect, connect)
    folder = Path(place).expanduser().resolve()
    read = partial(connect_copy, folder, readable)
    return _Place(str(folder), folder, partial(connect_folder, folder, readable), read, is_remote=False)


def _is_profile(place: str) -> bool:
    if "/" in place or "\\" in place or Path(place).exists():
        return False
    from tiled.profiles import list_profiles

    return place in list_profiles()


def _user_folder(name: str) -> Path:
    from platformdirs import user_data_path

    return user_data_path("bluesky_gp") / re.sub(r"[^0-9A-Za-z.-]+", "_", name)


def _journals(place: _Place, path: Path) -> JournalFolder:
    """Return the folder of the journals, made if it is missing; where there is a catalog, it need not be writable."""
    journals = JournalFolder(path)
    error = _write_fault(journals.pending_path)
    if not place.is_remote and (place.folder / "catalog.db").exists():
        error = error or _write_fault(place.folder)
        if error is not None and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            return JournalFolder(path, is_readonly=True)
    if error is not None:
        raise JournalError(f"Nothing can be recorded in {path}: {error}. Give a folder that can be written.") from error
    return journals


def _write_fault(folder: Path) -> OSError | None:
    """Return what keeps files from being made in a folder, which is made if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(8)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return error
    return None
