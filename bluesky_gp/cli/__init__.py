"""The command line, ``bluesky-gp``: the one place that puts devices, plans and the agent together."""

import sys

import click

from bluesky_gp.cli.demo import demo
from bluesky_gp.cli.ioc import ioc


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bluesky_gp")
def cli() -> None:
    """Adaptive Gaussian-process maps inside Bluesky."""


cli.add_command(demo)
cli.add_command(ioc)


def main() -> None:
    """Run a command; a wrong value is one line on standard error and exit code 2."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as error:
        where = f"{error.ctx.command_path}: " if isinstance(error, click.UsageError) and error.ctx else ""
        click.echo(f"{where}{error.format_message()}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
