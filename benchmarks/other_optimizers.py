"""Optimizers of other people over one sample in one session: points to the top 1 %, seconds an iteration.

One command makes an environment of its own, which has them, and the table; with ``--write`` in docs/benchmarks.md::

    benchmarks/other_optimizers.sh

Each drives the same plan over the same simulated spectrometer, is told the same first pixels, random ones, before it is
asked, and is asked for batches of the same size. A point counts as found where the true map is in its top 1 %. The map
of an optimizer is what our Gaussian process makes of the points that it has chosen. What was measured is kept in a
file, a line a run, and not measured again.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import click
import numpy as np
from bluesky import RunEngine
from tables import machine, table, write_section

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.optimizer import AskTell
from bluesky_gp.plans import adaptive_map, list_map
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.typing import Floats

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import other_optimizers as others  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
OURS: dict[str, dict[str, Any]] = {
    "bluesky_gp": {},
    'bluesky_gp, `purpose="maximum"`': {"purpose": "maximum"},
    "bluesky_gp, expected improvement alone": {"batch": 1.0},
}
MAKERS = {
    "Ax": others.ax,
    "Xopt": others.xopt,
    "gpCAM": others.GpCAM,
    "SciPy Nelder-Mead": others.NelderMead,
    "random": others.RandomPixels,
}
TARGET = "loop_area"
KEY = f"spectrometer_{TARGET}"


@dataclass(frozen=True)
class Case:
    """A map of one size, measured so far, in batches of one size."""

    side: int
    num: int
    first: int
    batch: int
    seed: int

    @property
    def sample(self) -> SyntheticFerroelectric:
        """The sample, anew."""
        return SyntheticFerroelectric((self.side, self.side), seed=self.seed, failed=0.0)

    @property
    def beginning(self) -> list[list[int]]:
        """The pixels that everybody is told."""
        chosen = np.random.default_rng(self.seed).choice(self.side**2, self.first, replace=False)
        return [[int(pixel) // self.side, int(pixel) % self.side] for pixel in chosen]


class Heard:
    """Pixels and values in the order of their measurement."""

    def __init__(self) -> None:
        self.pixels: list[tuple[int, int]] = []
        self.values: list[float] = []

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        """Take an event."""
        if KEY in doc["data"]:
            self.pixels.append((round(doc["data"]["stage_row"]), round(doc["data"]["stage_col"])))
            self.values.append(doc["data"][KEY])

    def points(self, grid: PixelGrid) -> list[dict[str, Any]]:
        """Return them as an optimizer is told them."""
        flat = grid.ravel([list(pixel) for pixel in self.pixels])
        return [{"_id": int(pixel), TARGET: value} for pixel, value in zip(flat, self.values, strict=True)]


def optimizer_of(name: str, grid: PixelGrid, case: Case) -> AnyOptimizer:
    """Return ours, or another one under `AskTell`."""
    if name in OURS:
        return PixelOptimizer(grid, TARGET, batch_size=case.batch, n_initial=case.first, seed=case.seed, **OURS[name])
    return AskTell(lambda: MAKERS[name](grid, TARGET, case.seed), grid, TARGET, batch_size=case.batch)


def measured(name: str, case: Case) -> dict[str, Any]:
    """Run one optimizer; return the points to the top 1 %, seconds an iteration and the error of the map."""
    stage = PixelStage(grid=(grid := PixelGrid((case.side, case.side))), name="stage")
    spectrometer = SimulatedSpectrometer(case.sample, stage, name="spectrometer")
    engine, heard = RunEngine(), Heard()
    engine.subscribe(heard, "event")
    engine(list_map([spectrometer], stage, case.beginning))
    optimizer = optimizer_of(name, grid, case)
    optimizer.restore(optimizer.learn(optimizer.state, heard.points(grid)))
    optimizer.propose(optimizer.state, case.batch)  # what is imported and compiled now is no iteration's
    agent = GPAgent(optimizer, target=KEY, maps=0)
    began = process_time()
    engine(adaptive_map([spectrometer], stage, agent, num=case.num - case.first))
    seconds = (process_time() - began) * case.batch / (case.num - case.first)
    return judged(heard, grid, case.sample.truth(TARGET)) | {"seconds": seconds}


def judged(heard: Heard, grid: PixelGrid, truth: Floats) -> dict[str, Any]:
    """Return which point was the first in the top 1 %, and the error of the map that they all make."""
    hits = [truth[pixel] >= np.quantile(truth, 0.99) for pixel in heard.pixels]
    judge = PixelOptimizer(grid, TARGET)
    judge.ingest(heard.points(grid))
    error = float(np.sqrt(np.mean(np.square(judge.mean - truth))) / np.std(truth))
    return {"found": hits.index(True) + 1 if any(hits) else None, "error": error}


def kept(path: Path) -> dict[str, dict[str, Any]]:
    """Return what was measured before."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {line["run"]: line for line in map(json.loads, lines)}


def result(name: str, case: Case, path: Path) -> dict[str, Any]:
    """Return what was measured before, or measure it."""
    run = f"{name} {json.dumps(asdict(case))}"
    if run in (before := kept(path)):
        return before[run]
    try:
        line: dict[str, Any] = {"run": run, **measured(name, case)}
    except ImportError as error:
        return {"failed": f"not here: {error}"}
    except Exception as error:  # noqa: BLE001 - of whatever make, the table says it
        line = {"run": run, "failed": f"{type(error).__name__}: {error}"[:100]}
    with path.open("a") as file:
        print(json.dumps(line), file=file)
    return line


def row(name: str, results: list[dict[str, Any]], num: int) -> list[str]:
    """Return the row of an optimizer: of points the median and each, of all else medians."""
    if bad := [each["failed"] for each in results if "failed" in each]:
        return [name, f"failed in {len(bad)} of {len(results)}: {bad[0]}", "", "", ""]
    points = [each["found"] or num + 1 for each in results]
    said = [f"{n:.0f}" if n <= num else f"> {num}" for n in [*points, median(points)]]
    seconds, error = (median(each[what] for each in results) for what in ("seconds", "error"))
    return [name, said[-1], ", ".join(said[:-1]), f"{seconds:.2f}", f"{100 * error:.0f} %"]


@click.command()
@click.option("--side", default=30, show_default=True, help="Rows and columns.")
@click.option("--num", default=60, show_default=True, help="Pixels.")
@click.option("--first", default=10, show_default=True, help="Of them, random ones that everybody is told.")
@click.option("--batch", "batches", multiple=True, default=(5, 1), show_default=True)
@click.option("--seeds", default=3, show_default=True)
@click.option("--only", multiple=True, help="Optimizers, by name.")
@click.option("--keep", type=click.Path(path_type=Path), default="other_optimizers.jsonl", show_default=True)
@click.option("--write", is_flag=True, help="Write the tables into docs/benchmarks.md.")
def main(batches: tuple[int, ...], seeds: int, only: tuple[str, ...], keep: Path, write: bool, **size: int) -> None:
    """Print a table for each size of batch."""
    names = only or (*OURS, *MAKERS)
    results: dict[tuple[int, str], list[dict[str, Any]]] = {(batch, name): [] for batch in batches for name in names}
    for seed in range(seeds):
        for batch, name in results:
            results[batch, name].append(result(name, Case(batch=batch, seed=seed, **size), keep))
    text = (
        f"Made by `benchmarks/other_optimizers.sh --seeds {seeds}` ({machine()}; one thread each, at load "
        f"{os.getloadavg()[2]:.0f}): {size['side']} x {size['side']} pixels, the first {size['first']} random and the "
        f"same for all, up to {size['num']}; medians of {seeds} seeds, and the points of each.\n"
    )
    head = ["optimizer", "points to the top 1 %", "of each seed", "CPU s an iteration", "error of the map"]
    for batch in batches:
        rows = [row(name, results[batch, name], size["num"]) for name in names]
        text += f"\nBatches of {batch}:\n\n{table(head, rows)}\n"
    click.echo(text)
    if write:
        write_section(PAGE, "other optimizers", text.strip())


if __name__ == "__main__":
    main()
