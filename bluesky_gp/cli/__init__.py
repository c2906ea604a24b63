"""The command line, ``bluesky-gp``: the one place that puts devices, plans and the agent together."""

import sys

import click

from bluesky_gp.cli.agent import agent
from bluesky_gp.cli.demo import demo
from bluesky_gp.cli.export import export
from bluesky_gp.cli.ioc import ioc
from bluesky_gp.cli.rehearse import rehearse
from bluesky_gp.cli.replay import replay
from bluesky_gp.cli.runs import runs
from bluesky_gp.cli.scalarize import scalarize
from bluesky_gp.cli.serve import catalog
from bluesky_gp.cli.show import show
from bluesky_gp.cli.verify import verify
from bluesky_gp.cli.view import view


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bluesky_gp")
def cli() -> None:
    """Adaptive Gaussian-process maps inside Bluesky."""


cli.add_command(demo)
cli.add_command(ioc)
cli.add_command(runs)
cli.add_command(show)
cli.add_command(view)
cli.add_command(export)
cli.add_command(replay)
cli.add_command(verify)
cli.add_command(rehearse)
cli.add_command(scalarize)
cli.add_command(catalog)
cli.add_command(agent)


def main() -> None:
    """Run a command; a wrong value is one line on standard error and exit code 2."""
    try:
        sys.exit(cli.main(prog_name="bluesky-gp", standalone_mode=False))  # however it was started
    except click.ClickException as error:
        where = f"{error.ctx.command_path}: " if isinstance(error, click.UsageError) and error.ctx else ""
        click.echo(f"{where}{error.format_message()}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
