"""``bluesky-gp runs``, ``show`` and ``export``: what a catalog holds."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.catalogs import catalog_option, find, opened, read

if TYPE_CHECKING:
    from bluesky_gp.run import RunRecord


@click.command()
@catalog_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="The latest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def runs(place: str, limit: int, as_json: bool) -> None:
    """List the runs of a catalog, the latest last."""
    from bluesky_gp.recording import place_name

    with opened(place) as catalog:
        found = [summary(run.metadata) for run in catalog.values()[-1 : -limit - 1 : -1]]
    found.reverse()
    if as_json:
        click.echo(json.dumps(found, allow_nan=False))
    else:
        _table(found, place_name(place))


def summary(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a line of the list says about a run, from its start and stop documents."""
    start, stop = metadata["start"], metadata.get("stop") or {}
    gp = start.get("gp") or {}
    return {
        "uid": start["uid"],
        "scan_id": start.get("scan_id"),
        "time": start["time"],
        "seconds": stop["time"] - start["time"] if stop else None,
        "plan_name": start.get("plan_name", ""),
        "target": gp.get("target"),
        "num": start.get("num_points"),
        "num_events": (stop.get("num_events") or {}).get("primary", 0) if stop else None,
        "exit_status": stop.get("exit_status"),
        "reason": stop.get("reason") or "",
    }


def _table(found: list[dict[str, Any]], place: str) -> None:
    from rich.table import Table

    table = Table(title=f"{len(found)} runs in {place}" if found else f"no runs in {place}")
    for name in ("uid", "scan", "began", "plan", "target", "events", "took", "ended"):
        table.add_column(name, justify="right" if name in ("scan", "events", "took") else "left", no_wrap=True)
    for run in found:
        table.add_row(*_row(run))
    _print(table)


def _print(table: Any) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 160).print(table, markup=False)


def _row(run: dict[str, Any]) -> list[str]:
    of = f" of {run['num']}" if run["num"] else ""
    return [
        run["uid"][:8],
        str(run["scan_id"] or ""),
        _when(run["time"]),
        run["plan_name"],
        run["target"] or "",
        "" if run["num_events"] is None else f"{run['num_events']}{of}",
        "" if run["seconds"] is None else f"{run['seconds']:.1f} s",
        run["exit_status"] or "unfinished",
    ]


def _when(time: float) -> str:
    return f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M:%S}"


@click.command()
@click.argument("uid")
@catalog_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def show(uid: str, place: str, as_json: bool) -> None:
    """Show a run: UID is a uid, its first five letters or more, a scan_id, or "last"."""
    with opened(place) as catalog:
        run = find(catalog, uid)
        found = summary(run.metadata) | {"streams": sorted(run)}
        if run.start.get("gp"):
            found |= _found(read(catalog, run))
    if as_json:
        click.echo(json.dumps(found, allow_nan=False))
    else:
        _details(found)


def _found(record: "RunRecord") -> dict[str, Any]:
    """Return what a run of an agent found, as plain data."""
    gp, columns = record.start["gp"], record.iterations
    best = record.best_pixel
    return {
        "units": record.units,
        "shape": list(record.grid.shape),
        "n_measured": len(record.measured[1]),
        "n_failed": len(record.failed),
        "resumed_from": record.inherited.uid or None,
        "n_inherited": len(record.inherited.attempted),
        "n_iterations": len(columns["iteration"]) if columns else 0,
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
    _print(table)


def _before(found: dict[str, Any]) -> str:
    resumed = found["resumed_from"]
    return f"; before, in run {resumed[:8]}, {found['n_inherited']}" if resumed else ""


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    ended = found["exit_status"] or "unfinished"
    lines = [
        ("run", found["uid"]),
        ("began", _when(found["time"])),
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
        ("pixels", f"{found['n_measured']} measured, {found['n_failed']} failed{_before(found)}"),
        ("decisions", f"{found['n_iterations']}, for {found['batch_size']} pixels each"),
        ("ended by", found["stop_reason"]),
        ("best, by the posterior mean", best),
        ("kernel", written(found["kernel"])),
        ("acquisition", written(found["acquisition"])),
        ("seed", str(found["seed"])),
        ("versions", ", ".join(f"{name} {number}" for name, number in (found["versions"] or {}).items())),
    ]


def written(value: Any) -> str:
    """Return a recorded object as one would write it: ``ConstantKernel(...) * Matern(...)``."""
    if not isinstance(value, Mapping) or "class" not in value:
        return json.dumps(value)
    name = str(value["class"]).rpartition(":")[2]
    if name in ("Sum", "Product"):
        return f"{written(value['k1'])} {'+' if name == 'Sum' else '*'} {written(value['k2'])}"
    given = {key: each for key, each in value.items() if key != "class" and not key.endswith("_bounds")}
    return f"{name}({', '.join(f'{key}={written(each)}' for key, each in given.items())})"


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
