"""A map that was measured in full, measured again by an agent: how many points would have been enough, chosen how.

>>> import numpy as np
>>> from bluesky_gp import PixelGrid
>>> row, col = np.indices((12, 12))
>>> hill = np.exp(-((row - 3.0) ** 2 + (col - 8.0) ** 2) / 20.0)
>>> rehearsal = rehearse(PixelGrid((12, 12)), hill, num=40, seeds=range(2), baselines=False, n_jobs=1)
>>> rehearsal.recommended.num <= 40
True
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.rehearsal.configuration import Configuration, configurations
from bluesky_gp.rehearsal.enough import Purpose
from bluesky_gp.rehearsal.full_map import FullMap
from bluesky_gp.rehearsal.parallel import Progress, run_all
from bluesky_gp.rehearsal.rehearsal import Rehearsal
from bluesky_gp.rehearsal.run import Run, agent_run, coarse_runs, noise_floor, random_runs

_SHARE, _FEWEST, _MOST = 1 / 3, 60, 1000  # of the pixels: the budget, unless told otherwise


def default_budget(n_pixels: int) -> int:
    """Return a third of the pixels, at least 60 and at most 1000 where there are so many."""
    return min(n_pixels, max(_FEWEST, min(round(_SHARE * n_pixels), _MOST)))


def rehearse(
    grid: PixelGrid,
    values: npt.ArrayLike,
    choices: Sequence[Configuration] | None = None,
    *,
    target: str = "target",
    units: str = "",
    maximize: bool = True,
    key: str = "",
    spectra: npt.ArrayLike | None = None,
    num: int | None = None,
    seeds: Iterable[int] = range(5),
    goal: Purpose = "both",
    baselines: bool = True,
    n_jobs: int = -1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Rehearsal:
    """Measure a known map again, with each configuration and seed, and beside them without an agent.

    Parameters
    ----------
    grid : PixelGrid
    values : array_like, shape grid.shape
        Target at every pixel; NaN where the measurement failed: such a pixel costs a point and gives nothing.
    choices : sequence of Configuration, optional
        What to compare. Default: `configurations()`.
    target, units : str
        Of the values.
    maximize : bool
        False: smaller is better.
    key : str
        Key of the target in the events of a detector, see `FullMap`.
    spectra : array_like, shape (*grid.shape, n_channels), optional
        Those that the values were made of: how much of what they look like was seen is reported too.
    num : int, optional
        The budget, in points. Default: `default_budget`.
    seeds : iterable of int
        Of the first, random pixels.
    goal : {"both", "map", "maximum"}
        What the points that are recommended must be enough for.
    baselines : bool
        Also random pixels and coarse grids.
    n_jobs : int
        Processes; -1: one a core. What comes out does not depend on it.
    executor : concurrent.futures.Executor, optional
        Runs everything in their place: ``client.get_executor()`` of Dask, for its workers.
    progress : callable, optional

    Raises
    ------
    TypeError
        If `grid` is none.
    ValueError
        If the map says too little, the budget exceeds it, or two configurations have one name.
    """
    if not isinstance(grid, PixelGrid):
        raise TypeError(
            f"rehearse: expected a PixelGrid, then the values of its pixels, got {grid!r:.60}: of a file "
            f"`bluesky-gp rehearse FILE` makes both"
        )
    seen = None if spectra is None else np.asarray(spectra)
    full = FullMap(grid, np.asarray(values, dtype=np.float64), target, units, maximize, key, seen)
    n_pixels = int(grid.allowed.sum())
    compared = tuple(configurations() if choices is None else choices)
    budget, seeds = default_budget(n_pixels) if num is None else num, tuple(seeds)
    _check(compared, budget, n_pixels, seeds)
    for c in compared:
        c.optimizer(full, seeds[0])  # raises what is wrong with it, before hours are spent
    jobs: list[Callable[[], Any]] = [partial(noise_floor, full)]
    # The longest first: at the end no core waits for the others.
    for c in compared:
        jobs += [agent_job(full, c, seed, budget) for seed in seeds]
    if baselines:
        jobs += [partial(job, full, seed, budget) for seed in seeds for job in (random_runs, coarse_runs)]
    (floor, *found), cpu_seconds = run_all(jobs, n_jobs, progress, executor)
    runs = tuple(run for job in found for run in job)
    return Rehearsal(full, compared, budget, seeds, floor, runs, cpu_seconds, goal)


def agent_job(full: FullMap, configuration: Configuration, seed: int, num: int) -> Callable[[], list[Run]]:
    """Return the job that runs one configuration with one seed."""
    return partial(_agent, full, configuration, seed, num)


def _agent(full: FullMap, configuration: Configuration, seed: int, num: int) -> list[Run]:
    return [agent_run(full, configuration, seed, num)]


def _check(compared: Sequence[Configuration], num: int, n_pixels: int, seeds: Sequence[int]) -> None:
    if not compared or not seeds:
        raise ValueError("rehearse: at least one configuration and one seed are needed")
    names = [c.name for c in compared]
    if len(set(names)) < len(names):
        raise ValueError(f"rehearse: two configurations have one name in {names}")
    if not 4 <= num <= n_pixels:
        raise ValueError(f"rehearse: num must be between 4 and the {n_pixels} pixels of the map, got {num}")
