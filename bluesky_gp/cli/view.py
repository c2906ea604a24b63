"""``bluesky-gp view``: the runs of a catalog on a page in the browser."""

import webbrowser

import click


@click.command()
@click.argument("place", metavar="CATALOG_OR_URL", envvar="BLUESKY_GP_CATALOG", default="bluesky-gp-demo")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen at.  [default: any that is free]"
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def view(place: str, port: int, host: str, opens: bool) -> None:
    """Show the runs of a catalog on a page in the browser, those that go on as well; Ctrl-C ends it.

    CATALOG_OR_URL is a folder, a URL or a Tiled profile; also from BLUESKY_GP_CATALOG. The address that is printed
    holds a token: whoever has it may look, and steer a run that goes on. A session that measures is not harmed when the
    page ends, however it ends.
    """
    from bluesky_gp.recording import is_catalog, listen
    from bluesky_gp.view import Address, Place, serve_page

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
