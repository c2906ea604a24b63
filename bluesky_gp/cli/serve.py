"""``bluesky-gp catalog serve``: a catalog for other programs and machines."""

from pathlib import Path

import click

from bluesky_gp.cli.copy import copy
from bluesky_gp.cli.loopback import is_loopback


@click.group()
def catalog() -> None:
    """Serve and copy catalogs."""


catalog.add_command(copy)


@catalog.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free.")
@click.option(
    "--database",
    envvar="BLUESKY_GP_DATABASE",
    default="",
    metavar="URL",
    help="postgresql://USER:PASSWORD@HOST/NAME for catalog and tables; better in BLUESKY_GP_DATABASE.",
)
@click.option(
    "--readable",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of files that detectors wrote beside their events; may be given several times.",
)
def serve(folder: Path, host: str, port: int, database: str, readable: tuple[Path, ...]) -> None:
    """Serve the catalog in FOLDER, made if it is missing, with Tiled; Ctrl-C ends it.

    Whoever has the key, which is made for it and kept in FOLDER/api_key, may read and write. It listens at this machine
    only unless --host says otherwise.
    """
    from bluesky_gp.recording import JournalError, api_key, listen
    from bluesky_gp.recording import serve as start

    if database and not database.startswith("postgresql://"):
        raise click.UsageError("--database must begin with postgresql://")
    folder = folder.expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, key = api_key(folder)
        listener = listen(host, port)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    with listener:
        click.echo(_message(folder, path, host, listener.getsockname()[1]))
        try:
            start(folder, listener, key=key, database=database, readable=[path.resolve() for path in readable])
        except (JournalError, ValueError) as error:
            raise click.UsageError(str(error)) from error


def _message(folder: Path, path: Path, host: str, port: int) -> str:
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    lines = [
        f"Serving {folder} at {url}, its key in {path}; Ctrl-C ends it. In Python:",
        f"  open_catalog({url!r}, api_key=open({str(path)!r}).read().strip())",
    ]
    if not is_loopback(host):
        lines.append("Beyond this machine key and data travel unencrypted: put a TLS proxy before it, or use a tunnel.")
    return "\n".join(lines)
