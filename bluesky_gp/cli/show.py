"""``bluesky-gp show``: one run, and what its agent found."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.catalogs import catalog_option, find, is_steered, opened, read
from bluesky_gp.cli.given import given_option
from bluesky_gp.cli.summary import begun, print_table, summary, to_json

if TYPE_CHECKING:
    from bluesky_gp.run import RunRecord


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
    from bluesky_gp.run import TimeSpent

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
    units = f" {found['units']}" if found["units"] else ""
    best = (
        "none" if found["best_pixel"] is None else f"{found['best_value']:.4g}{units} at {tuple(found['best_pixel'])}"
    )
    return [
        *lines,
        ("target", found["target"]),
        ("grid", " x ".join(map(str, found["shape"]))),
        ("pixels", f"{found['n_measured']} measured, {found['n_failed']} failed{_before(found)}{_in_all(found)}"),
        ("decisions", f"{found['n_iterations']}, for {found['batch_size']} pixels each"),
        *([("ended by", found["stop_reason"])] if found["stop_reason"] else []),
        ("its time", time_spent(found["seconds_spent"])),
        *([("overlap", found["overlap"])] if found["overlap"] else []),
        ("best, by the posterior mean", best),
        ("kernel", written(found["kernel"])),
        ("acquisition", written(found["acquisition"])),
        ("seed", str(found["seed"])),
        ("versions", ", ".join(f"{name} {number}" for name, number in (found["versions"] or {}).items())),
    ]


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


def written(value: Any) -> str:
    """Return a recorded object as one would write it: ``ConstantKernel(...) * Matern(...)``."""
    if not isinstance(value, Mapping) or "class" not in value:
        return json.dumps(value)
    name = str(value["class"]).rpartition(":")[2]
    if name in ("Sum", "Product"):
        return f"{written(value['k1'])} {'+' if name == 'Sum' else '*'} {written(value['k2'])}"
    given = {key: each for key, each in value.items() if key != "class" and not key.endswith("_bounds")}
    return f"{name}({', '.join(f'{key}={written(each)}' for key, each in given.items())})"
