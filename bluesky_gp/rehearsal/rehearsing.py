"""How many points would have been enough, chosen how: a map that was measured in full, measured again by an agent.

>>> import numpy as np
>>> from bluesky_gp import PixelGrid
>>> row, col = np.indices((12, 12))
>>> hill = np.exp(-((row - 3.0) ** 2 + (col - 8.0) ** 2) / 20.0)
>>> rehearsal = rehearse(PixelGrid((12, 12)), hill, num=40, seeds=range(2), baselines=False, n_jobs=1)
>>> rehearsal.recommended.num <= 40
True
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.rehearsal.configuration import Configuration, configurations
from bluesky_gp.rehearsal.enough import Goal, Goals, Standing, curves, is_plateau, level, standing
from bluesky_gp.rehearsal.full_map import FullMap
from bluesky_gp.rehearsal.parallel import Progress, run_all
from bluesky_gp.rehearsal.run import Run, agent_run, coarse_runs, noise_floor, random_runs

_ALIKE = 1.25  # configurations whose numbers of points differ by less are the same, over a few seeds
_N_INITIAL = 10  # PixelOptimizer's default
_SHARE, _FEWEST, _MOST = 1 / 3, 60, 1000  # of the pixels: the budget, unless told otherwise


def default_budget(n_pixels: int) -> int:
    """Return a third of the pixels, at least 60 and at most 1000 where there are so many."""
    return min(n_pixels, max(_FEWEST, min(round(_SHARE * n_pixels), _MOST)))


@dataclass(frozen=True)
class Recommendation:
    """A configuration, a number of points, and what they gave in the rehearsal."""

    configuration: Configuration
    num: int
    found: int  # seeds that had measured a pixel as good as the maximum
    n_seeds: int
    error: float  # of the map, median, in its standard deviations
    enough: bool  # False: no configuration was enough within the budget, this one came closest


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """What `rehearse` found."""

    full: FullMap
    configurations: tuple[Configuration, ...]
    num: int  # the budget
    seeds: tuple[int, ...]
    floor: float  # see `enough`; in standard deviations of the map, as all errors
    runs: tuple[Run, ...]
    cpu_seconds: float
    goal: Goal = "both"  # what the points must be enough for

    @cached_property
    def by_method(self) -> dict[str, list[Run]]:
        """The runs of each method: configurations by their names, then baselines."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.method, []).append(run)
        return found

    @cached_property
    def goals(self) -> Goals:
        """What a method must reach."""
        ends = [np.median(curves(self.by_method[c.name])[:, -1]) for c in self.configurations]
        near = self.full.maximum - self.floor
        return Goals(self.full.maximum, near, self.full.top, level(float(min(ends)), self.floor))

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """How each method did."""
        return {method: standing(runs, self.goals) for method, runs in self.by_method.items()}

    @property
    def plateau(self) -> bool:
        """Whether the error of the best map had stopped falling before the budget was spent."""
        firsts = [self.standings[c.name].enough_for_map for c in self.configurations]
        return any(is_plateau(first, self.num) for first in firsts)

    @cached_property
    def recommended(self) -> Recommendation:
        """The configuration that needs the fewest points.

        One that needs up to a quarter more stays before those behind it in the list: over a few seeds, such differences
        are chance. Where none was enough, the one that found the maximum most often, and of those the one with the
        best map.
        """
        needed = {c.name: n for c in self.configurations if (n := self._needed(c)) is not None}
        if needed:
            fewest = min(needed.values())
            chosen = next(c for c in self.configurations if needed.get(c.name, np.inf) <= _ALIKE * fewest)
            batches = int(np.ceil(needed[chosen.name] / chosen.batch_size))
            return self._claim(chosen, min(batches * chosen.batch_size, self.num), enough=True)

        def rank(c: Configuration) -> tuple[int, float]:
            result = self.standings[c.name]
            return -result.to_near.found, float(result.curve[-1])

        return self._claim(min(self.configurations, key=rank), self.num, enough=False)

    def _needed(self, configuration: Configuration) -> float | None:
        least = int(configuration.options.get("n_initial", _N_INITIAL))
        return self.standings[configuration.name].needed(least, self.goal)

    def _claim(self, configuration: Configuration, num: int, *, enough: bool) -> Recommendation:
        runs = self.by_method[configuration.name]
        found, error = result(runs, num, self.goals.near)
        return Recommendation(configuration, num, found, len(runs), error, enough)

    def wanting(self, goal: Goal) -> "Rehearsal":
        """Return the same runs, judged by another goal."""
        return replace(self, goal=goal)

    def with_runs(self, runs: Sequence[Run]) -> "Rehearsal":
        """Return the rehearsal that knows more runs of some of its configurations."""
        return replace(self, runs=(*self.runs, *runs))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without the pixels of each run; None where a goal was not reached."""
        full, advice = self.full, self.recommended
        return {
            "target": full.target,
            "units": full.units,
            "shape": list(full.grid.shape),
            "n_pixels": int(full.grid.allowed.sum()),
            "n_valid": full.n_valid,
            "maximize": full.maximize,
            "std": full.std,
            "num": self.num,
            "seeds": list(self.seeds),
            "floor": self.floor,
            "level": self.goals.level,
            "plateau": self.plateau,
            "goal": self.goal,
            "methods": [standing.to_dict() for standing in self.standings.values()],
            "recommended": {
                "configuration": advice.configuration.name,
                "num": advice.num,
                "enough": advice.enough,
                "found": advice.found,
                "n_seeds": advice.n_seeds,
                "error": advice.error,
                "lines": advice.configuration.lines(full, advice.num),
            },
            "cpu_seconds": self.cpu_seconds,
        }


def rehearse(
    grid: PixelGrid,
    values: npt.ArrayLike,
    choices: Sequence[Configuration] | None = None,
    *,
    target: str = "target",
    units: str = "",
    maximize: bool = True,
    num: int | None = None,
    seeds: Iterable[int] = range(5),
    goal: Goal = "both",
    baselines: bool = True,
    n_jobs: int = -1,
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
    progress : callable, optional

    Raises
    ------
    ValueError
        If the map says too little, the budget exceeds it, or two configurations have one name.
    """
    full = FullMap(grid, np.asarray(values, dtype=np.float64), target, units, maximize)
    n_pixels = int(grid.allowed.sum())
    compared = tuple(configurations() if choices is None else choices)
    budget, seeds = default_budget(n_pixels) if num is None else num, tuple(seeds)
    _check(compared, budget, n_pixels, seeds)
    jobs: list[Callable[[], Any]] = [partial(noise_floor, full)]
    # The longest first: at the end no core waits for the others.
    for c in compared:
        jobs += [agent_job(full, c, seed, budget) for seed in seeds]
    if baselines:
        jobs += [partial(job, full, seed, budget) for seed in seeds for job in (random_runs, coarse_runs)]
    (floor, *found), cpu_seconds = run_all(jobs, n_jobs, progress)
    runs = tuple(run for job in found for run in job)
    return Rehearsal(full, compared, budget, seeds, floor, runs, cpu_seconds, goal)


def agent_job(full: FullMap, configuration: Configuration, seed: int, num: int) -> Callable[[], list[Run]]:
    """Return what runs one configuration with one seed."""
    return partial(_agent, full, configuration.name, configuration.options, seed, num)


def _agent(full: FullMap, method: str, options: Mapping[str, Any], seed: int, num: int) -> list[Run]:
    return [agent_run(full, method, options, seed, num)]


def _check(compared: Sequence[Configuration], num: int, n_pixels: int, seeds: Sequence[int]) -> None:
    if not compared or not seeds:
        raise ValueError("rehearse: at least one configuration and one seed are needed")
    names = [c.name for c in compared]
    if len(set(names)) < len(names):
        raise ValueError(f"rehearse: two configurations have one name in {names}")
    if not 4 <= num <= n_pixels:
        raise ValueError(f"rehearse: num must be between 4 and the {n_pixels} pixels of the map, got {num}")


def result(runs: Sequence[Run], num: int, near: float) -> tuple[int, float]:
    """In how many runs the maximum had been found after so many points, and the median error of the map then."""
    found = sum((first := run.first(near)) is not None and first <= num for run in runs)
    return found, float(np.median([run.error_after(num) for run in runs]))
