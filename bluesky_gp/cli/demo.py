"""``bluesky-gp demo``: the published experiment, from the sample to the figure."""

import json
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.choices import ACQUISITIONS, KERNELS, default_batch, make_acquisition, make_kernel
from bluesky_gp.cli.instruments import INSTRUMENTS, SAMPLES, Setup
from bluesky_gp.cli.targets import HELP, SIGNAL_HELP
from bluesky_gp.typing import Floats

if TYPE_CHECKING:
    from bluesky_gp.cli.overview_saving import MapErrors
    from bluesky_gp.run import RunRecord

PUBLISHED_SHARE = 410 / 2500  # of the pixels of the map
PUBLISHED = ("ferroelectric", "beps_pto_loops_50x50")
"""Samples, by name or file, of which the published experiment is: its figures stand beside theirs."""


@click.command()
@click.option("--sample", help="ferroelectric (default), eels, a FILE of measured spectra; nion: flake.")
@click.option("--instrument", type=click.Choice(list(INSTRUMENTS)), default="simulated", show_default=True)
@click.option("--num", type=click.IntRange(1), help="Pixels to measure.  [default: 16.4 % of the map, at least 30]")
@click.option("--batch", type=click.IntRange(1), help="Pixels an iteration.  [default: 10, or a tenth of --num]")
@click.option("--acquisition", type=click.Choice(ACQUISITIONS), default="ei", show_default=True)
@click.option("--kernel", type=click.Choice(KERNELS), default="default", show_default=True)
@click.option("--target", help=f"{HELP}  [default: what suits the sample]")
@click.option("--signal", help=SIGNAL_HELP)
@click.option("--overview", is_flag=True, help="Take an image of the sample first; compare with a map without it.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the first, random pixels.")
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("bluesky-gp-demo"),
    show_default=True,
    help="Folder in which the run is recorded, and its figure.",
)
@click.option("--no-figure", is_flag=True, help="Make no figure.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
def demo(
    sample: str | None,
    instrument: str,
    num: int | None,
    batch: int | None,
    acquisition: str,
    kernel: str,
    target: str | None,
    signal: str | None,
    overview: bool,
    seed: int,
    catalog: Path,
    no_figure: bool,
    as_json: bool,
) -> None:
    """Find the largest hysteresis loop of a map with a sixth of its pixels, on a simulated microscope.

    The published experiment: 50 x 50 pixels, batches of ten, 410 pixels. A GPAgent steers a RunEngine, the run goes
    into a databroker, and what is shown is read back from there.
    """
    from bluesky_gp.cli.overview_saving import MapErrors, saving
    from bluesky_gp.cli.report import report, summary

    with ExitStack() as stack:
        try:
            sample = sample or SAMPLES.get(instrument, "ferroelectric")
            setup = stack.enter_context(INSTRUMENTS[instrument](sample, target, signal))
            num = _checked(num, setup)
            choices: dict[str, Any] = {"acquisition": acquisition, "kernel": kernel, "seed": seed}
            choices["batch"] = batch or default_batch(num)
            agent = make_agent(setup, **choices)
            imagers = [_imager(setup, instrument)] if overview else []
        except (ValueError, TypeError, OSError, ImportError) as error:
            raise click.UsageError(str(error)) from error
        seeing = MapErrors(setup.truth)
        record = _run(agent, setup, num, catalog, imagers, seeing, quiet=as_json)
        saved: dict[str, Any] = {}
        if overview:
            other, blind = stack.enter_context(INSTRUMENTS[instrument](sample, target, signal)), MapErrors(setup.truth)
            _run(make_agent(other, **choices), other, num, catalog, [], blind, quiet=as_json)
            saved = {"overview": saving(record, seeing, blind)}
    result = summary(record, setup.truth) | {"catalog": str(catalog), **saved}
    result["figure"] = None if no_figure else str(_draw(record, setup.truth, catalog))
    if as_json:
        click.echo(json.dumps(result, allow_nan=False))
    else:
        report(result, published=Path(sample).stem in PUBLISHED)


def _checked(num: int | None, setup: Setup) -> int:
    if setup.grid.ndim != 2:
        raise ValueError(f"the demonstration maps two axes, this sample has {setup.grid.ndim}")
    n_pixels = int(setup.grid.allowed.sum())
    if num is not None and num > n_pixels:
        raise ValueError(f"--num {num} is more than the {n_pixels} pixels of the sample")
    return default_number(setup) if num is None else num


def default_number(setup: Setup) -> int:
    """Return the published share of the pixels, or 30 if that is more."""
    n_pixels = int(setup.grid.allowed.sum())
    return min(n_pixels, max(30, round(n_pixels * PUBLISHED_SHARE)))


def make_agent(setup: Setup, *, batch: int, acquisition: str, kernel: str, seed: int) -> Any:
    """Return the agent that the command line describes."""
    from bluesky_gp import GPAgent, PixelOptimizer

    target = setup.target.removeprefix(f"{setup.detector.name}_")
    kinds = make_kernel(kernel), make_acquisition(acquisition)
    optimizer = PixelOptimizer(setup.grid, target, *kinds, batch_size=batch, seed=seed)
    return GPAgent(optimizer, target=setup.target)


def _imager(setup: Setup, instrument: str) -> Any:
    if setup.imager is None:
        raise ValueError(f"--overview: --instrument {instrument} has no imager here, --instrument simulated has")
    return setup.imager()


def _run(
    agent: Any, setup: Setup, num: int, folder: Path, imagers: list[Any], errors: "MapErrors", *, quiet: bool
) -> "RunRecord":
    """Run the experiment, and read it back from the catalog."""
    from bluesky import RunEngine
    from bluesky.utils import RunEngineInterrupted

    from bluesky_gp.live import ProgressBar
    from bluesky_gp.plans import adaptive_map
    from bluesky_gp.recording import open_catalog
    from bluesky_gp.run import RunRecord

    engine = RunEngine({}) if setup.engine is None else setup.engine
    with open_catalog(folder) as catalog, nullcontext() if quiet else ProgressBar() as bar:
        engine.subscribe(catalog.writer)
        engine.subscribe(errors)
        if bar is not None:
            engine.subscribe(bar)
        try:
            uids: Any = engine(adaptive_map([setup.detector], setup.stage, agent, num=num, overview=imagers))
        except RunEngineInterrupted:
            engine.abort("Ctrl-C")
            raise KeyboardInterrupt from None
        return RunRecord.from_documents(catalog[uids[0]].documents())


def _draw(record: "RunRecord", truth: Floats, folder: Path) -> Path:
    from bluesky_gp.plots import run_figure

    path = folder / f"{record.start['uid'][:8]}.png"
    run_figure(record, truth=truth).savefig(path, dpi=150)
    return path
