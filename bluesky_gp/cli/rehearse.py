"""``bluesky-gp rehearse``: how many points of a map that is known would have been enough."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.bars import bar
from bluesky_gp.cli.catalogs import catalog_option
from bluesky_gp.cli.choices import ACQUISITIONS, KERNELS, default_batch, make_acquisition, make_kernel
from bluesky_gp.cli.given import given_option
from bluesky_gp.cli.targets import SIGNAL_HELP

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sklearn.gaussian_process.kernels import Kernel

    from bluesky_gp.rehearsal import Check, Configuration, FullMap, Purpose, Rehearsal

_OF_SPECTRA = "novelty"  # that other commands cannot make: they tell the optimizer of no spectra


@click.command()
@click.argument("source", metavar="FILE|RUN")
@click.option("--target", help="Scalarizer (name or JSON), key of a stored map, or key of a run's events.")
@click.option("--signal", help=SIGNAL_HELP)
@click.option("--minimize", is_flag=True, help="Smaller is better.")
@click.option("--num", type=click.IntRange(4), help="Points to try.  [default: a third of the pixels, 60 to 1000]")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="Runs of each configuration.")
@click.option("--acquisitions", default="ei,ucb,uncertainty", show_default=True, help="By name; or all.")
@click.option("--batch-sizes", help="As in 5,10,20.  [default: 10, or a tenth of --num]")
@click.option("--kernels", default="default", show_default=True, help="As in default,matern32,rbf; or all.")
@click.option("--overview", metavar="FILE|RUN[:KEY]", help="An image of the same field: is it worth taking?")
@click.option("--every-combination", is_flag=True, help="Compare all with all, not each with the first ones.")
@click.option(
    "--goal",
    type=click.Choice(["both", "map", "maximum"]),
    default="both",
    show_default=True,
    help="What the points must be enough for.",
)
@click.option("--no-baselines", is_flag=True, help="No random pixels, no coarse grids.")
@click.option("--no-check", is_flag=True, help="Do not try the recommendation on other seeds.")
@click.option("--jobs", type=click.IntRange(1), help="Processes.  [default: one a core]")
@click.option("--scheduler", metavar="ADDRESS", help="Of Dask: its workers run everything, in place of processes.")
@click.option("--figure", type=click.Path(dir_okay=False, path_type=Path), help="[default: NAME-rehearsal.png]")
@click.option("--no-figure", is_flag=True, help="Make no figure.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
@given_option("scalarizer")
@catalog_option
def rehearse(
    source: str,
    target: str | None,
    signal: str | None,
    minimize: bool,
    num: int | None,
    seeds: int,
    acquisitions: str,
    batch_sizes: str | None,
    kernels: str,
    overview: str | None,
    every_combination: bool,
    goal: "Purpose",
    no_baselines: bool,
    no_check: bool,
    jobs: int | None,
    scheduler: str | None,
    figure: Path | None,
    no_figure: bool,
    as_json: bool,
    given: dict[str, Any],
    place: str,
) -> None:
    """Measure a map that is known again, with an agent, and say how many points would have been enough.

    FILE is a file of spectra (.npz, .hspy, .dm4, .h5...) or of a plain map (.npy, .npz, .csv, .txt); RUN a full map in
    the catalog: its uid, the first letters of it, a scan_id, or "last".
    """
    from bluesky_gp.cli.measured import full_map, image_beside
    from bluesky_gp.rehearsal import configurations, default_budget

    try:
        full = full_map(source, target, place, maximize=not minimize, signal=signal, **given)
        budget = default_budget(int(full.grid.allowed.sum())) if num is None else num
        sizes = _numbers(batch_sizes) if batch_sizes else [default_batch(budget)]
        kinds = _acquisitions(acquisitions), sizes, _kernels(kernels)
        image = None if overview is None else image_beside(overview, place)
        choices = configurations(*kinds, overview=image, every_combination=every_combination)
        limits = {"num": budget, "seeds": range(seeds), "goal": goal, "baselines": not no_baselines}
        with _workers(scheduler) as executor:
            where = {"n_jobs": jobs or -1, "executor": executor}
            rehearsal = _rehearsed(full, choices, limits, where, quiet=as_json)
            rehearsal, checks = (rehearsal, []) if no_check else _confirmed(rehearsal, where, quiet=as_json)
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise click.UsageError(str(error)) from error
    path = None if no_figure else _draw(rehearsal, figure or Path(f"{Path(source).stem}-rehearsal.png"))
    _tell(rehearsal, checks, path, as_json=as_json)


def _rehearsed(
    full: "FullMap", choices: "list[Configuration]", limits: dict[str, Any], where: dict[str, Any], *, quiet: bool
) -> "Rehearsal":
    from bluesky_gp.rehearsal import rehearse

    known: dict[str, Any] = {name: getattr(full, name) for name in ("target", "units", "maximize", "key", "spectra")}
    with bar("rehearsing", quiet=quiet) as progress:
        return rehearse(full.grid, full.values, choices, progress=progress, **known, **limits, **where)


def _tell(rehearsal: "Rehearsal", checks: "list[Check]", path: Path | None, *, as_json: bool) -> None:
    from bluesky_gp.cli.rehearsal_report import report

    if as_json:
        found = {"checks": [check.to_dict() for check in checks], "figure": path and str(path)}
        click.echo(json.dumps(rehearsal.to_dict() | found, allow_nan=False))
        return
    report(rehearsal, checks)
    if path is not None:
        click.echo(f"\nfigure: {path}")


@contextmanager
def _workers(scheduler: str | None) -> "Iterator[Executor | None]":
    """Connect to Dask's scheduler, if one is named."""
    if scheduler is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ModuleNotFoundError("--scheduler needs Dask: pip install 'bluesky_gp[dask]'") from error
    with Client(scheduler) as client:  # type: ignore[no-untyped-call]
        yield client.get_executor()


def _confirmed(rehearsal: "Rehearsal", where: dict[str, Any], *, quiet: bool) -> "tuple[Rehearsal, list[Check]]":
    from bluesky_gp.rehearsal import confirm

    with bar("checking on other seeds", quiet=quiet) as progress:
        return confirm(rehearsal, progress=progress, **where)


def _draw(rehearsal: "Rehearsal", path: Path) -> Path:
    from bluesky_gp.rehearsal import rehearsal_figure

    rehearsal_figure(rehearsal).savefig(path, dpi=150)
    return path


def _acquisitions(names: str) -> dict[str, Any]:
    from bluesky_gp.acquisition import Novelty

    names = ",".join(ACQUISITIONS) if names == "all" else names
    chosen = _chosen("--acquisitions", names, (*ACQUISITIONS, _OF_SPECTRA))
    return {name: Novelty() if name == _OF_SPECTRA else make_acquisition(name) for name in chosen}


def _kernels(names: str) -> "dict[str, Kernel | None]":
    return {name: make_kernel(name) for name in _chosen("--kernels", names, KERNELS)}


def _chosen(option: str, names: str, known: Sequence[str]) -> list[str]:
    chosen = list(known) if names == "all" else [name.strip() for name in names.split(",")]
    unknown = [name for name in chosen if name not in known]
    if unknown or not names:
        raise click.UsageError(f"{option}: there is no {', '.join(map(repr, unknown))}, but {', '.join(known)}")
    return list(dict.fromkeys(chosen))


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise click.UsageError(f"--batch-sizes must be whole numbers from 1 on, as in 5,10,20, got {text!r}")
    return list(dict.fromkeys(numbers))
