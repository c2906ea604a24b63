"""Optimizers of other people over one sample in one session: points to the top 1 %, seconds an iteration.

One command makes an environment of its own, which has them, and the table::

    benchmarks/other_optimizers.sh

What does not import there is said so. Each drives the same plan over the same simulated spectrometer.
"""

import sys
from pathlib import Path
from time import process_time

import click
import numpy as np
from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.optimizer import AskTell
from bluesky_gp.plans import adaptive_map
from bluesky_gp.protocols import AnyOptimizer

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import other_optimizers as others  # noqa: E402

MAKERS = {
    "random": others.RandomPixels,
    "SciPy Nelder-Mead": others.NelderMead,
    "gpCAM": others.GpCAM,
    "Ax": others.ax,
    "Xopt": others.xopt,
}
TARGET = "loop_area"


class Clock:
    """Measured values in order, and the processor's time at each."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.began = process_time()

    def __call__(self, name: str, doc: dict) -> None:
        """Take a document."""
        if name == "event" and f"spectrometer_{TARGET}" in doc["data"]:
            self.values.append(doc["data"][f"spectrometer_{TARGET}"])

    @property
    def seconds(self) -> float:
        """CPU seconds since the beginning."""
        return process_time() - self.began


def optimizer_of(name: str, grid: PixelGrid, batch: int, seed: int) -> AnyOptimizer:
    """Return ours, or another one under `AskTell`."""
    if name == "bluesky_gp":
        return PixelOptimizer(grid, TARGET, batch_size=batch, n_initial=batch, seed=seed)
    return AskTell(lambda: MAKERS[name](grid, TARGET, seed), grid, TARGET, batch_size=batch)


def measured(name: str, side: int, num: int, batch: int, seed: int) -> tuple[str, str]:
    """Run one optimizer; return points to the top 1 % and seconds an iteration, as the table shows them."""
    grid = PixelGrid((side, side))
    sample = SyntheticFerroelectric(grid.shape, seed=seed, failed=0.0)
    stage = PixelStage(grid=grid, name="stage")
    spectrometer = SimulatedSpectrometer(sample, stage, name="spectrometer")
    top = np.quantile(sample.truth(TARGET), 0.99)
    engine = RunEngine()
    try:
        optimizer_of(name, grid, batch, seed)  # what is imported now is no iteration's
    except ImportError as error:
        return f"not here: {error}", "-"
    clock = Clock()
    engine.subscribe(clock)
    try:
        agent = GPAgent(optimizer_of(name, grid, batch, seed), target=f"spectrometer_{TARGET}", maps=0)
        engine(adaptive_map([spectrometer], stage, agent, num=num))
    except Exception as error:  # noqa: BLE001 - of whatever make, the table says it
        return f"failed: {type(error).__name__} after {len(clock.values)}", "-"
    hits = np.flatnonzero(np.array(clock.values) >= top)
    found = str(hits[0] + 1) if len(hits) else f"> {len(clock.values)}"
    return found, f"{clock.seconds * batch / max(len(clock.values), 1):.2f}"


@click.command()
@click.option("--side", default=30, show_default=True, help="Rows and columns.")
@click.option("--num", default=60, show_default=True, help="Pixels.")
@click.option("--batch", default=5, show_default=True)
@click.option("--seeds", default=3, show_default=True)
@click.option("--only", multiple=True, help="Optimizers, by name.")
def main(side: int, num: int, batch: int, seeds: int, only: tuple[str, ...]) -> None:
    """Print the table, a row an optimizer, a column a seed."""
    columns = " | ".join(f"points, seed {seed} | s" for seed in range(seeds))
    click.echo(f"| optimizer | {columns} |\n|---|{'---|' * 2 * seeds}")
    for name in only or ("bluesky_gp", *MAKERS):
        cells = [cell for seed in range(seeds) for cell in measured(name, side, num, batch, seed)]
        click.echo(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
