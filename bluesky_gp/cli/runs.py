"""``bluesky-gp runs``: the runs of a catalog."""

from typing import Any

import click

from bluesky_gp.cli.catalogs import actions_of, catalog_option, opened
from bluesky_gp.cli.summary import begun, print_table, summary, to_json


@click.command()
@catalog_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="The latest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def runs(place: str, limit: int, as_json: bool) -> None:
    """List the runs of a catalog, the latest last."""
    from bluesky_gp.recording import place_name

    with opened(place) as catalog:
        found = [summary(run.metadata, actions_of(run)) for run in catalog.values()[-1 : -limit - 1 : -1]]
    found.reverse()
    if as_json:
        click.echo(to_json(found))
    else:
        _table(found, place_name(place))


def _table(found: list[dict[str, Any]], place: str) -> None:
    from rich.table import Table

    counted = "1 run" if len(found) == 1 else f"{len(found) or 'no'} runs"
    table = Table(title=f"{counted} in {place}")
    for name in ("uid", "scan", "began", "plan", "target", "events", "took", "ended"):
        table.add_column(name, justify="right" if name in ("scan", "events", "took") else "left", no_wrap=True)
    for run in found:
        table.add_row(*_row(run))
    print_table(table)


def _row(run: dict[str, Any]) -> list[str]:
    return [
        run["uid"][:8],
        str(run["scan_id"] or ""),
        begun(run["time"]),
        run["plan_name"],
        run["target"] or "",
        _events(run),
        "" if run["seconds"] is None else f"{run['seconds']:.1f} s",
        run["exit_status"] or "unfinished",
    ]


def _events(run: dict[str, Any]) -> str:
    """Return how many events there are of how many pixels; more where some had several."""
    events, num = run["num_events"], run["num"]
    if events is None or not num:
        return "" if events is None else str(events)
    more = isinstance(num, int) and events > num
    return f"{events}, {num} pixels" if more else f"{events} of {num}"
