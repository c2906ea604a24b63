"""Databases of a catalog: made where there are none, told where they are now, copied where nothing can be written."""

import asyncio
import logging
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from bluesky_gp.recording.relocation import adopt

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["copy_for_reading", "make_catalog", "postgresql_uri", "prepare_postgresql"]

logger = logging.getLogger("bluesky_gp.recording")

_CATALOG, _TABLES = "catalog.db", "tables.db"


def make_catalog(folder: Path) -> None:
    """Make the databases of a catalog, unless they are there; tell one that was moved where it is now.

    As `tiled catalog init` does, which starts a process that takes 2.7 s; this takes 0.1.
    """
    database = folder / _CATALOG
    with FileLock(folder / "catalog.lock"):
        if database.exists():
            adopt(folder)
            return
        new = folder / "catalog.new.db"
        new.unlink(missing_ok=True)
        asyncio.run(_initialize(f"sqlite+aiosqlite:///{new}"))
        _put_aside(folder)
        tables = sqlite3.connect(folder / _TABLES)
        tables.execute("PRAGMA journal_mode=WAL")  # or readers would lock out the writer; stays with the file
        tables.close()
        new.replace(database)


def _put_aside(folder: Path) -> None:
    """Prepare a folder that has lost its catalog for a new one: all of its journals are to be taken in again.

    The tables go, for the new catalog would add rows to those of other runs.
    """
    for path in folder.glob(f"{_TABLES}*"):
        path.replace(path.with_name(f"lost.{time.strftime('%Y%m%dT%H%M%S')}.{path.name}"))
    pending = folder / "journal" / "pending"
    journals = sorted(pending.parent.glob("*.jsonl"))
    for path in journals:
        pending.mkdir(exist_ok=True)
        path.replace(pending / path.name)
    if journals:
        logger.warning("The catalog in %s was lost. It is made again from %d journals.", folder, len(journals))


def copy_for_reading(folder: Path) -> Path:
    """Return a folder of its own with a copy of the databases, as they are now, and a link to the arrays.

    SQLite cannot read what it has written ahead without writing beside it.
    """
    copy = Path(tempfile.mkdtemp(prefix="bluesky_gp-"))
    for name in (_CATALOG, _TABLES):
        for path in folder.glob(f"{name}*"):
            if path.name in (name, f"{name}-wal"):
                shutil.copyfile(path, copy / path.name)
    try:
        (copy / "arrays").symlink_to(folder / "arrays", target_is_directory=True)
    except OSError:  # Windows gives that right to few
        shutil.copytree(folder / "arrays", copy / "arrays")
    return copy


def postgresql_uri(database: str) -> str:
    """Return the address of a PostgreSQL database as SQLAlchemy has it."""
    return "postgresql+asyncpg://" + database.partition("://")[2]


def prepare_postgresql(database: str) -> None:
    """Make the catalog in a PostgreSQL database, unless it is there.

    Raises
    ------
    ValueError
        If that cannot be done, or another version of Tiled has made it; the message has no password.
    """
    try:
        asyncio.run(_initialize(postgresql_uri(database)))
    except Exception as error:
        where = database.rpartition("@")[2]
        reason = (str(error).strip().splitlines() or [""])[0].replace(database, where)
        raise ValueError(f"No catalog can be kept in the database {where}: {type(error).__name__}: {reason}") from None


async def _initialize(uri: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine
    from tiled.alembic_utils import UninitializedDatabase, check_database
    from tiled.catalog.core import ALL_REVISIONS, REQUIRED_REVISION

    engine = create_async_engine(uri)
    try:
        await check_database(engine, REQUIRED_REVISION, ALL_REVISIONS)
    except UninitializedDatabase:
        await _make_tables(engine)
    finally:
        await engine.dispose()


async def _make_tables(engine: "AsyncEngine") -> None:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import event
    from tiled.catalog.alembic_constants import ALEMBIC_DIR
    from tiled.catalog.core import initialize_database

    def stamp(connection: Any) -> None:
        MigrationContext.configure(connection).stamp(ScriptDirectory(str(ALEMBIC_DIR)), "head")

    event.listen(engine.sync_engine, "before_cursor_execute", _unless_there, retval=True)
    await initialize_database(engine)
    async with engine.begin() as connection:
        await connection.run_sync(stamp)


def _unless_there(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
    """Let PostgreSQL make an extension only where there is none: an administrator may have made it, as is advised."""
    return statement.replace("create extension btree_gin", "create extension if not exists btree_gin"), parameters
