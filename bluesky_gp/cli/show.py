"""``bluesky-gp show``: one run, and what its agent found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.catalogs import catalog_option, find, is_steered, opened, read
from bluesky_gp.cli.given import given_option
from bluesky_gp.cli.summary import begun, print_table, summary, to_json

if TYPE_CHECKING:
    from bluesky_gp.run import RunRecord


_SHOWN = 20  # actions of people


@click.command()
@click.argument("uid")
@catalog_option
@given_option("scalarizer")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def show(uid: str, place: str, given: dict[str, Any], as_json: bool) -> None:
    """Show a run: UID is a uid, its first five letters or more, a scan_id, or "last"."""
    with opened(place) as catalog:
        run = find(catalog, uid)
        found = summary(run.metadata) | {"streams": sorted(run)}
        if is_steered(run):
            found |= _found(read(catalog, run, spectra=False, **given))
    if as_json:
        click.echo(to_json(found))
    else:
        _details(found)


def _found(record: "RunRecord") -> dict[str, Any]:
    """Return what a run of an agent found, as plain data."""
    from bluesky_gp.run import TimeSpent, setting_over

    gp, columns = record.start["gp"], record.iterations
    best, spent = record.best_pixel, TimeSpent.of(record)
    return {
        "units": record.units,
        "shape": list(record.grid.shape),
        "num": record.num,
        "num_at_start": gp.get("num"),
        "n_measured": len(record.measured[1]),
        "n_failed": len(record.failed),
        "resumed_from": record.inherited.uid or None,
        "n_inherited": len(record.inherited.attempted),
        "n_iterations": len(columns["iteration"]) if columns else 0,
        "seconds_spent": spent.to_mapping(),
        "overlap": spent.advice,
        "best_pixel": None if best is None else list(best),
        "best_value": None if best is None else float(columns["best_value"][-1]),
        "stop_reason": str(columns["stop_reason"][-1]) if columns else "",
        "changed": {name: setting_over(record, name) for name in ("acquisition", "batch_size")},
        "hands": [action.to_mapping() for action in record.actions],
        **{name: gp.get(name) for name in ("kernel", "acquisition", "batch_size", "seed", "versions")},
    }


def _details(found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(show_header=False)
    for name, value in _lines(found):
        table.add_row(name, value)
    print_table(table)


def _in_all(found: dict[str, Any]) -> str:
    if not found["num"]:
        return ""
    begun_with = "" if found["num"] == found["num_at_start"] else f", {found['num_at_start']} as it began"
    return f"; {found['num']} were to be attempted{begun_with}"


def _before(found: dict[str, Any]) -> str:
    resumed = found["resumed_from"]
    return f"; before, in run {resumed[:8]}, {found['n_inherited']}" if resumed else ""


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    ended = found["exit_status"] or "unfinished"
    lines = [
        ("run", found["uid"]),
        ("began", begun(found["time"])),
        ("plan", found["plan_name"]),
        ("ended", f"{ended}: {found['reason']}" if found["reason"] else ended),
        ("streams", ", ".join(found["streams"])),
    ]
    if "shape" not in found:
        return lines
    from bluesky_gp.run import written

    units = f" {found['units']}" if found["units"] else ""
    best = (
        "none" if found["best_pixel"] is None else f"{found['best_value']:.4g}{units} at {tuple(found['best_pixel'])}"
    )
    return [
        *lines,
        ("target", found["target"]),
        ("grid", " x ".join(map(str, found["shape"]))),
        ("pixels", f"{found['n_measured']} measured, {found['n_failed']} failed{_before(found)}{_in_all(found)}"),
        ("decisions", f"{found['n_iterations']}, for {_over(found, 'batch_size')} pixels each"),
        *([("ended by", found["stop_reason"])] if found["stop_reason"] else []),
        ("its time", time_spent(found["seconds_spent"])),
        *([("overlap", found["overlap"])] if found["overlap"] else []),
        ("best, by the posterior mean", best),
        ("kernel", written(found["kernel"])),
        ("acquisition", _over(found, "acquisition")),
        *([("hands", _hands(found["hands"]))] if found["hands"] else []),
        ("seed", str(found["seed"])),
        ("versions", ", ".join(f"{name} {number}" for name, number in (found["versions"] or {}).items())),
    ]


def _over(found: dict[str, Any], name: str) -> str:
    """Return what a setting was at the start, and what people changed it to."""
    from bluesky_gp.run import written

    (_, first), *later = found["changed"][name]
    return "; ".join([written(first), *(f"from decision {number + 1} on {written(value)}" for number, value in later)])


def _hands(actions: list[dict[str, Any]]) -> str:
    """Return what people asked for, in order; of reviews how many batches somebody agreed to."""
    from bluesky_gp.run import AGREE, Action, action_in_words

    read = [Action.of(action) for action in actions]
    said = [f"{each.who}: {each.kind} {action_in_words(each)}".rstrip() for each in read if each.kind != AGREE]
    agreed = len(read) - len(said)
    more = [f"and {len(said) - _SHOWN} more"] if len(said) > _SHOWN else []
    return "; ".join([*said[:_SHOWN], *more, *([f"{agreed} batches agreed to"] if agreed else [])])


def time_spent(seconds: Mapping[str, float | None]) -> str:
    """Return where the time of a run went, each part with a bar."""
    whole = seconds["whole"] or 0.0
    waiting = seconds.get("waiting")
    waited = ("deciding", seconds["deciding"]) if waiting is None else ("waiting for decisions", waiting)
    names = ("exposing", "moving", "recording")
    parts = [*((name, seconds.get(name)) for name in names), waited, ("all else", seconds["rest"])]
    drawn = [f"{name} {_bar(part / whole)}" for name, part in parts if part is not None and whole > 0]
    return "; ".join([f"{whole:.3g} s", *drawn])


def _bar(share: float) -> str:
    return f"{'█' * round(20 * min(share, 1.0))} {share:.0%}".lstrip()
