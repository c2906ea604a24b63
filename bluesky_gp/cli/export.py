"""``bluesky-gp export``: a run as a file for other programs."""

from pathlib import Path

import click

from bluesky_gp.cli.catalogs import catalog_option, find, opened, read


@click.command()
@click.argument("uid")
@click.argument("file", type=click.Path(path_type=Path))
@catalog_option
@click.option("--overwrite", is_flag=True, help="Replace an existing FILE.")
def export(uid: str, file: Path, place: str, overwrite: bool) -> None:
    """Write a run of an agent to FILE, whose suffix says how.

    .nc (NetCDF) or .zarr: measured and predicted maps with coordinates and units, and the spectra. .hspy: the spectrum
    image, for HyperSpy. UID is a uid, its first five letters or more, a scan_id, or "last".
    """
    from bluesky_gp.export import export as write

    with opened(place) as catalog:
        record = read(catalog, find(catalog, uid))
    try:
        write(record, file, overwrite=overwrite)
    except FileExistsError as error:
        raise click.UsageError(f"{file} exists already; --overwrite replaces it") from error
    except (ValueError, OSError, ModuleNotFoundError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(str(file))
