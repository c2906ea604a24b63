"""A catalog whose folder was copied or moved, to a laptop after the night say: it is told where it is now.

Tiled keeps the whole path of every array and table in the catalog's database, and finds nothing in another place.
"""

import logging
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from os.path import samefile
from pathlib import Path

from bluesky_gp.recording.locks import is_held

__all__ = ["adopt"]

logger = logging.getLogger("bluesky_gp.recording")

_TABLES = "tables.db"
_BEGIN = "sqlite://localhost/"


def adopt(folder: Path) -> None:
    """Change the paths in a catalog that says that it is elsewhere, unless a session writes it right now.

    Call it only while holding the catalog's lock.
    """
    from tiled.utils import ensure_uri

    tables, arrays = ensure_uri(f"sqlite:///{folder / _TABLES}"), ensure_uri(folder / "arrays")
    with closing(sqlite3.connect(folder / "catalog.db")) as database, database:
        places = [place for place in _places(database, tables) if not _is(place, folder)]
        if not places or any(is_held(path) for path in (folder / "journal" / "pending").glob("*.jsonl")):
            return
        for uri, number in database.execute("SELECT data_uri, id FROM assets").fetchall():
            if uri in [f"{_BEGIN}{place}{slash}{_TABLES}" for place in places for slash in "/\\"]:
                _rename(database, number, tables)
            elif rest := _inside(uri, places):
                _rename(database, number, f"{arrays}/{rest}")
    logger.info("The catalog that was in %s is now in %s.", ", ".join(places), folder)


def _places(database: sqlite3.Connection, tables: str) -> list[str]:
    """Return the other folders in which the catalog has been: those of its tables."""
    found = database.execute("SELECT data_uri FROM assets WHERE data_uri LIKE ?", [f"{_BEGIN}%{_TABLES}"]).fetchall()
    return [uri[len(_BEGIN) : -len(_TABLES) - 1] for (uri,) in found if uri != tables]


def _is(place: str, folder: Path) -> bool:
    """Whether it is this very folder by another name, as that of a mapped drive."""
    try:
        return samefile(place, folder)
    except OSError:
        return False


def _inside(uri: str, places: Iterable[str]) -> str:
    """Return what stands behind the folder of arrays, "" if it is none of ours; Windows' paths have backslashes."""
    begins = [f"file://localhost/{place.removeprefix('/')}{slash}arrays/" for place in places for slash in "/\\"]
    return next((uri.removeprefix(begin) for begin in begins if uri.startswith(begin)), "")


def _rename(database: sqlite3.Connection, number: int, uri: str) -> None:
    """Give an asset another path; where one has it already, that one takes over what belongs to it."""
    for (other,) in database.execute("SELECT id FROM assets WHERE data_uri = ?", [uri]).fetchall():
        database.execute("UPDATE data_source_asset_association SET asset_id = ? WHERE asset_id = ?", [other, number])
        database.execute("DELETE FROM assets WHERE id = ?", [number])
        return
    database.execute("UPDATE assets SET data_uri = ? WHERE id = ?", [uri, number])
