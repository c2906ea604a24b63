"""``bluesky-gp catalog copy``: the runs of one catalog in another."""

from collections import Counter

import click

from bluesky_gp.cli.catalogs import opened

_KEY = "Key of a server; else TILED_API_KEY."


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--from-key", envvar="BLUESKY_GP_FROM_KEY", metavar="KEY", help=_KEY)
@click.option("--to-key", envvar="BLUESKY_GP_TO_KEY", metavar="KEY", help=_KEY)
@click.option("--adaptive", is_flag=True, help="Give runs of agents the stream that Lightfall's viewer shows.")
@click.pass_context
def copy(
    context: click.Context, source: str, target: str, from_key: str | None, to_key: str | None, adaptive: bool
) -> None:
    """Copy the runs of the catalog FROM into the catalog TO, made if it is missing.

    Both are a folder, a URL or a Tiled profile. Runs that TO has already are left alone, so a copy that was cut short
    is gone on with by the same command. The exit code is 0 if TO then has every run that has ended, else 1.
    """
    from bluesky_gp.recording import JournalError, copy_runs, open_catalog
    from bluesky_gp.run import with_adaptive_stream

    change = with_adaptive_stream if adaptive else iter
    fates: Counter[str] = Counter()
    with opened(source, from_key) as here:
        total = len(here)
        try:
            with open_catalog(target, api_key=to_key) as there:
                for run in copy_runs(here, there, change=change):
                    fates[run.fate] += 1
                    if run.fate != "there already":
                        reason = f": {run.reason}" if run.reason else ""
                        click.echo(f"{fates.total()} of {total}: {run.uid} {run.fate}{reason}")
        except (JournalError, OSError, ValueError) as error:
            raise click.UsageError(str(error)) from error
    click.echo(", ".join(f"{number} {fate}" for fate, number in fates.items()) or "no runs")
    context.exit(1 if fates["failed"] else 0)
