"""``bluesky-gp view``: the runs of a catalog on a page in the browser."""

import webbrowser

import click
from click.core import ParameterSource

from bluesky_gp.cli.catalogs import catalog_option


@click.command()
@click.argument("first", metavar="[CATALOG_OR_URL]", required=False)
@catalog_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen at.  [default: any that is free]"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.pass_context
def view(context: click.Context, first: str | None, place: str, port: int, host: str, opens: bool) -> None:
    """Show the runs of a catalog on a page in the browser, those that go on as well; Ctrl-C ends it.

    CATALOG_OR_URL is a folder, a URL or a Tiled profile, as --catalog takes it. The address that is printed holds a
    token: whoever has it may look, and steer a run that goes on. A session that measures is not harmed when the page
    ends, however it ends.
    """
    from bluesky_gp.recording import is_catalog, listen
    from bluesky_gp.view import Address, Place, serve_page

    named = context.get_parameter_source("place") is ParameterSource.COMMANDLINE
    if first is not None and named and first != place:
        raise click.UsageError(f"two catalogs are named, {first} and {place}: give one")
    place = place if first is None else first
    if not is_catalog(place):
        raise click.UsageError(f"there is no catalog in {place}; give its folder, URL or Tiled profile")
    try:
        listener = listen(host, port)
    except OSError as error:
        raise click.UsageError(str(error)) from error
    address = Address(host, listener.getsockname()[1])
    click.echo(f"Open {address.url}\nCtrl-C ends it.")
    if opens:
        webbrowser.open(address.url)
    with listener:
        serve_page(Place(place), address, listener)
