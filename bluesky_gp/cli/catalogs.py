"""Catalogs and runs as commands are given them: the option ``--catalog``, opening it, finding a run, reading it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bluesky_gp.cli.bars import counted, under_way
from bluesky_gp.cli.given import told

if TYPE_CHECKING:
    from bluesky_gp.protocols import Scalarizer
    from bluesky_gp.recording import Catalog, Documents
    from bluesky_gp.run import Action, RunRecord

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def catalog_option(command: F) -> F:
    """Give a command the option ``--catalog``, its argument `place`."""
    return click.option(
        "--catalog",
        "place",
        envvar="BLUESKY_GP_CATALOG",
        default="bluesky-gp-demo",
        show_default=True,
        metavar="PLACE",
        help="Folder, URL or Tiled profile; also from BLUESKY_GP_CATALOG.",
    )(command)


@contextmanager
def opened(place: str, api_key: str | None = None) -> Iterator["Catalog"]:
    """Open a catalog that there is, with a key if it is a server's.

    Raises
    ------
    click.UsageError
        If there is none.
    """
    from bluesky_gp.recording import is_catalog, open_catalog, place_name

    if not is_catalog(place):
        raise click.UsageError(f"there is no catalog in {Path(place).absolute()}; --catalog says where else")
    try:
        with _without_tracebacks(), under_way(f"opening the catalog {place_name(place)}"):
            catalog = open_catalog(place, api_key=api_key)
            catalog.wait()
    except Exception as error:  # whatever a file that is no database, or a server that refuses, leads to
        reason = " ".join(str(error).split())
        raise click.UsageError(f"the catalog {place_name(place)} cannot be opened: {reason}") from error
    with catalog:
        yield catalog


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Keep the log from telling at length what the error tells in one line."""
    logger = logging.getLogger("bluesky_gp.recording")

    def is_short(record: logging.LogRecord) -> bool:
        return not record.exc_info

    logger.addFilter(is_short)
    try:
        yield
    finally:
        logger.removeFilter(is_short)


def find(catalog: "Catalog", key: str) -> Any:
    """Return the run that a uid, its first letters, a scan_id or "last" means.

    Raises
    ------
    click.UsageError
        If there is none, or more than one.
    """
    number = -1 if key == "last" else int(key) if key.isdecimal() and len(key) < 5 else None
    try:
        return catalog[key if number is None else number]
    except (KeyError, IndexError):
        raise click.UsageError(f"no run {key} in the catalog; 'bluesky-gp runs' lists them") from None
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def is_steered(run: Any) -> bool:
    """Whether a GPAgent steered a run: the word ``gp``, and ``agent`` in it, may be anybody's metadata."""
    from bluesky_gp.run import steered_entry

    return steered_entry(run.start) is not None


def actions_of(run: Any) -> list["Action"]:
    """Return what people asked for in a run that has ended, from the stream that has it: a run of few events."""
    from bluesky_gp.run import recorded_action, steered_entry

    gp = steered_entry(run.start) or {}
    stream = f"{gp.get('agent')}_hands"
    if not ((run.metadata.get("stop") or {}).get("num_events") or {}).get(stream):
        return []
    columns = {str(name): column.values.tolist() for name, column in run[stream].read().data_vars.items()}
    rows = zip(*columns.values(), strict=True)
    return [recorded_action(dict(zip(columns, row, strict=True)), stream) for row in rows]


def read(catalog: "Catalog", run: Any, scalarizer: "Scalarizer | None" = None, *, spectra: bool = True) -> "RunRecord":
    """Read a run of an agent, with its spectra or without; its scalarizer is given if the record has only its name.

    Raises
    ------
    click.UsageError
        If no agent steered it, or it cannot be read.
    """
    from bluesky_gp.run import RunRecord

    try:
        return made_of(catalog, run, partial(RunRecord.from_documents, scalarizer=scalarizer, spectra=spectra))
    except ValueError as error:
        raise click.UsageError(told(error)) from error


def with_earlier(catalog: "Catalog", record: "RunRecord", scalarizer: "Scalarizer | None" = None) -> "RunRecord":
    """Return a run with the spectra of those that it resumes, as far as the catalog has them.

    Raises
    ------
    click.UsageError
        If one of them cannot be read, or has spectra over another axis.
    """
    from bluesky_gp.run import joined

    earlier: list[RunRecord] = []
    while (uid := (earlier[0] if earlier else record).inherited.uid) and uid in catalog:
        earlier.insert(0, read(catalog, catalog[uid], scalarizer))
    try:
        return joined(record, *earlier)
    except ValueError as error:
        raise click.UsageError(told(error)) from error


def made_of(catalog: "Catalog", run: Any, make: Callable[["Documents"], T]) -> T:
    """Return what `make` makes of a run's documents: of its journal, which has every bit, else of the catalog."""
    from bluesky_gp.recording import JournalError

    try:
        return make(read_documents(catalog, run))
    except JournalError as error:
        click.echo(f"{error}. Read from the catalog instead.", err=True)
        return make(run.documents())


def read_documents(catalog: "Catalog", run: Any) -> "Documents":
    """Return the documents of a run, of its journal if it has one; a bar says how many have been read."""
    from bluesky_gp.recording import documents_of

    numbers = (run.metadata.get("stop") or {}).get("num_events") or {}
    return counted(documents_of(run.start["uid"], catalog), "reading", sum(numbers.values()) or None)
