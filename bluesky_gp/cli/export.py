"""``bluesky-gp export``: a run as a file for other programs."""

import sys
from pathlib import Path
from typing import Any

import click

from bluesky_gp.cli.bars import bar
from bluesky_gp.cli.catalogs import catalog_option, find, opened, read, with_earlier
from bluesky_gp.cli.given import given_option


@click.command()
@click.argument("uid")
@click.argument("file", type=click.Path(path_type=Path))
@catalog_option
@given_option("scalarizer")
@click.option("--overwrite", is_flag=True, help="Replace an existing FILE.")
def export(uid: str, file: Path, place: str, given: dict[str, Any], overwrite: bool) -> None:
    """Write a run of an agent to FILE, whose suffix says how.

    .nc (NetCDF) or .zarr: measured and predicted maps with coordinates and units, and the spectra. .hspy: the spectrum
    image, for HyperSpy. Of a run that resumes others, their spectra come first. UID is a uid, its first five letters or
    more, a scan_id, or "last".
    """
    from bluesky_gp.export import export as write
    from bluesky_gp.export import left_out

    with opened(place) as catalog:
        record = with_earlier(catalog, read(catalog, find(catalog, uid), **given), **given)
    try:
        with bar("writing", quiet=not sys.stderr.isatty()) as progress:
            write(record, file, overwrite=overwrite, progress=progress)
    except FileExistsError as error:
        raise click.UsageError(f"{file} exists already; --overwrite replaces it") from error
    except (ValueError, OSError, ModuleNotFoundError) as error:
        raise click.UsageError(str(error)) from error
    if missing := left_out(record):
        click.echo(f"left out: {missing}", err=True)
    click.echo(str(file))
