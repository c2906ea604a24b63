"""The result of a demonstration, as plain data and as a table."""

from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bluesky_gp.cli.overview_saving import in_words
from bluesky_gp.rehearsal import score
from bluesky_gp.run import RunRecord
from bluesky_gp.typing import Floats
from bluesky_gp.units import rounded

SECONDS_A_PIXEL = 2.35  # of the published experiment, whose full map took 5875 s, the adaptive one 1200 s
PUBLISHED_SECONDS = 1200.0
PUBLISHED_FULL_SECONDS = 5875.0
PUBLISHED_ITERATION_SECONDS = 6.0


def summary(record: RunRecord, truth: Floats) -> dict[str, Any]:
    """Return what a run found, beside the truth, as plain data."""
    pixels, values = record.measured
    if record.best_pixel is None:
        raise ValueError("no pixel gave a value")
    attempted = np.concatenate([pixels, record.failed])
    sign = 1.0 if record.start["gp"]["maximize"] else -1.0
    found = score(truth, record.maps["mean"], record.best_pixel, attempted, sign=sign)
    return {
        "uid": record.start["uid"],
        "target": record.target,
        "units": record.units,
        "num": len(attempted),
        "n_pixels": record.grid.size,
        "share": len(attempted) / record.grid.size,
        "n_failed": len(record.failed),
        "seconds_measured": len(attempted) * SECONDS_A_PIXEL,
        "seconds_full_map": record.grid.size * SECONDS_A_PIXEL,
        "best_pixel": list(record.best_pixel),
        "best_posterior_mean": float(record.maps["mean"][record.best_pixel]),
        "best_measured": float(values[(pixels == record.best_pixel).all(axis=1)][-1]),
        **{name: None if value != value else value for name, value in found.to_dict().items()},
        **_forecast(record),
        **_durations(record),
    }


def _durations(record: RunRecord) -> dict[str, float]:
    seconds = record.iterations["fit_time"] + record.iterations["propose_time"]
    return {
        "n_iterations": len(seconds),
        "iteration_median": float(np.median(seconds)),
        "iteration_p95": float(np.quantile(seconds, 0.95)),
        "run_seconds": float(record.stop["time"] - record.start["time"]),
    }


def _forecast(record: RunRecord) -> dict[str, Any]:
    """Gains that the agent expects of more pixels at the end; None where it does not know."""
    names = ("forecast_num", "best_gain", "map_error", "map_gain")
    last = {name: float(record.iterations[name][-1]) for name in names if name in record.iterations}
    known = {name: value for name, value in last.items() if value == value}
    return {f"expected_{name.removeprefix('forecast_')}": known.get(name) for name in names}


def report(result: dict[str, Any], *, published: bool = False) -> None:
    """Print the table, and the lines that read the run back; of the published experiment beside its figures."""
    console = Console(soft_wrap=True)
    table = Table(show_header=False, title=f"adaptive map of {result['target']}")
    for name, value in _rows(result, published):
        table.add_row(name, value)
    console.print(table)
    if result["figure"]:
        console.print(f"figure: {result['figure']}", highlight=False)
    lines = (
        "",
        "To read the run back, in Python:",
        "    from bluesky_gp.recording import open_catalog",
        f"    catalog = open_catalog({result['catalog']!r})",
        f"    run = catalog[{result['uid'][:8]!r}]",
        "    run.primary.read()          # every pixel, with its spectrum (xarray)",
        "    run.gp.read()               # every iteration of the agent",
        "    from databroker import Broker",
        "    Broker(catalog)[-1].table(stream_name='gp')",
    )
    console.print("\n".join(lines), markup=False, highlight=False)


def _rows(result: dict[str, Any], published: bool) -> list[tuple[str, str]]:
    units = f" {result['units']}" if result["units"] else ""
    theirs = f"; published: {PUBLISHED_ITERATION_SECONDS:.0f} on a GPU server" if published else ""
    return [
        ("pixels", f"{result['num']} of {result['n_pixels']}, {result['share']:.1%} of the full map"),
        *([_time(result)] if published else []),
        *_found(result, units),
        *_expected(result, units),
        *([("the overview image", in_words(result["overview"], units))] if "overview" in result else []),
        ("failed pixels", f"{result['n_failed']}"),
        ("seconds an iteration", f"median {result['iteration_median']:.3f}, p95 {result['iteration_p95']:.3f}{theirs}"),
        ("the run here took", f"{result['run_seconds']:.1f} s"),
    ]


def _time(result: dict[str, Any]) -> tuple[str, str]:
    ratio, published = (
        result["seconds_measured"] / result["seconds_full_map"],
        PUBLISHED_SECONDS / PUBLISHED_FULL_SECONDS,
    )
    return (
        f"time at {SECONDS_A_PIXEL} s a pixel",
        f"{result['seconds_measured']:.0f} s of {result['seconds_full_map']:.0f} s, {ratio:.1%}; "
        f"published: {PUBLISHED_SECONDS:.0f} s of {PUBLISHED_FULL_SECONDS:.0f} s, {published:.1%}",
    )


def _found(result: dict[str, Any], units: str) -> list[tuple[str, str]]:
    pixel, mean = tuple(result["best_pixel"]), result["best_posterior_mean"]
    truth = "unknown" if result["best_value"] is None else f"{rounded(result['best_value'])}{units}"
    ranks = f"rank {result['rank']} of {result['n_valid']} (rank {result['smooth_rank']} by 3 x 3 medians)"
    return [
        ("best pixel", f"{pixel}: {rounded(mean)}{units} by the posterior mean"),
        ("there, true map (no noise)", f"{truth}, {ranks}"),
        ("top 1 % of the pixels found", f"{result['top_found']:.0%}"),
        ("error of the map (rms)", f"{rounded(result['rmse'], 3)}{units}, {result['relative_rmse']:.0%} of its spread"),
    ]


def _expected(result: dict[str, Any], units: str) -> list[tuple[str, str]]:
    if not result["expected_num"] or result["expected_map_error"] is None:
        return []
    error, gain = result["expected_map_error"], result["expected_best_gain"]
    after = error - result["expected_map_gain"]
    best = gain if gain > 0.01 * error else 0.0
    return [
        (
            f"{result['expected_num']:.0f} more pixels, expected",
            f"best value +{rounded(best, 2)}, error of the map {rounded(error, 2)} to {rounded(after, 2)}{units}",
        )
    ]
