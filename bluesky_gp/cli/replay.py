"""``bluesky-gp replay``: the decisions of a recorded run, made once more and compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.catalogs import catalog_option, find, opened, read_documents
from bluesky_gp.cli.choices import ACQUISITIONS, make_acquisition
from bluesky_gp.cli.given import ANY, given_option, told

if TYPE_CHECKING:
    from bluesky_gp.recording import Documents
    from bluesky_gp.replay import Alternative, Replay

_WRONG = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError, ImportError, MemoryError)
"""Errors that a damaged record leads to, and a word of the user's that leads nowhere."""


@click.command()
@click.argument("uid")
@catalog_option
@click.option("--with", "other", type=click.Choice(ACQUISITIONS), help="Say what another rule would have chosen.")
@given_option(*ANY)
@click.pass_context
def replay(context: click.Context, uid: str, place: str, other: str | None, given: dict[str, Any]) -> None:
    """Decide the recorded run UID once more, and compare with the record bit for bit.

    UID may be shortened, a scan_id, "last", or the path of a journal. The exit code is 0 if everything came out the
    same, on another processor or with other libraries but for rounding, else 1.
    """
    from bluesky_gp.recording import JournalError
    from bluesky_gp.replay import alternatives, replay

    try:
        with recorded_documents(uid, place) as documents:
            if other is not None:
                _tell_alternatives(alternatives(documents, make_acquisition(other), **given), other)
                return
            result = replay(documents, **given)
    except (JournalError, *_WRONG) as error:
        raise click.UsageError(told(error)) from error
    _tell(result)
    context.exit(0 if result.repeats else 1)


@contextmanager
def recorded_documents(key: str, place: str) -> "Iterator[Documents]":
    """Find the documents of a run, by the path of a journal or in a catalog, which is open meanwhile."""
    from bluesky_gp.recording import documents_of

    if Path(key).is_file():
        yield documents_of(Path(key))
        return
    with opened(place) as catalog:
        yield read_documents(catalog, find(catalog, key))


def _tell(result: "Replay") -> None:
    for package, (recorded, here) in result.versions.items():
        click.echo(f"recorded with {package} {recorded}, replayed with {here}")
    if result.arithmetic[0] != result.arithmetic[1]:
        recorded = result.arithmetic[0] or "arithmetic that the record does not name"
        click.echo(f"recorded with {recorded}, replayed with {result.arithmetic[1]}")
    maps = f" and {result.n_maps} maps" if result.n_maps else ""
    if result.identical:
        click.echo(f"run {result.uid[:8]}: {result.n_iterations} iterations{maps} identical")
    elif result.repeats:
        click.echo(f"run {result.uid[:8]}: {result.n_iterations} iterations{maps} the same but for rounding")
        click.echo(f"{result.difference}, the first of {result.n_different}")
    else:
        click.echo(f"run {result.uid[:8]}: {result.difference}")
        click.echo(f"{result.n_different} of {result.n_iterations} iterations differ")


def _tell_alternatives(found: "list[Alternative]", other: str) -> None:
    for choice in found:
        click.echo(f"iteration {choice.iteration}: {choice.n_common} of {len(choice.recorded)} pixels the same")
        click.echo(f"  recorded  {_pixels(choice.recorded)}")
        click.echo(f"  {other:<9} {_pixels(choice.other)}")


def _pixels(pixels: Any) -> str:
    return " ".join(f"({','.join(map(str, pixel))})" for pixel in pixels.tolist())
