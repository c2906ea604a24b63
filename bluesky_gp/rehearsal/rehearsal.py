"""The runs of a rehearsal, judged: standings of all methods, and the configuration that is recommended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bluesky_gp.rehearsal.configuration import Configuration
from bluesky_gp.rehearsal.enough import Purpose, Requirements, chance, is_plateau, level
from bluesky_gp.rehearsal.full_map import FullMap
from bluesky_gp.rehearsal.image_worth import ImageWorth, image_worth
from bluesky_gp.rehearsal.run import Run
from bluesky_gp.rehearsal.standing import Standing, curves, standing

_ALIKE = 1.25  # configurations whose numbers of points differ by less are the same, over a few seeds


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
    """Runs of each method with each seed, as `rehearse` returns them."""

    full: FullMap
    configurations: tuple[Configuration, ...]
    num: int  # the budget
    seeds: tuple[int, ...]
    floor: float  # see `enough`; in standard deviations of the map, as all errors
    runs: tuple[Run, ...]
    cpu_seconds: float
    goal: Purpose = "both"  # what the points must be enough for

    @cached_property
    def by_method(self) -> dict[str, list[Run]]:
        """The runs of each method: configurations by their names, then baselines."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.method, []).append(run)
        return found

    @cached_property
    def required(self) -> Requirements:
        """The least that a method must reach."""
        good = level(self.end, self.floor) if self.end < self._chance else 0.0
        return Requirements(self.full.maximum, self.full.maximum - self.floor, self.full.top, good)

    @cached_property
    def end(self) -> float:
        """Error of the best map with the full budget."""
        return float(min(np.median(curves(self.by_method[c.name])[:, -1]) for c in self.configurations))

    @property
    def learnable(self) -> bool:
        """Whether pixels say anything about others; if not, only luck finds the maximum."""
        return self.floor < self._chance

    @property
    def _chance(self) -> float:
        return chance(self.full.n_valid)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """The standing of each method."""
        return {method: standing(runs, self.required) for method, runs in self.by_method.items()}

    @cached_property
    def image_worth(self) -> ImageWorth | None:
        """Saving by an overview image, of the first configuration that has one and a twin without; None: none has."""
        pairs = ((c, other) for c in self.configurations for other in self.configurations if other.is_blind_twin(c))
        pair = next(pairs, None)
        if pair is None:
            return None
        seeing, blind = (self.by_method[c.name] for c in pair)
        return image_worth(seeing, blind, self.floor)

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
        return self._claim(min(self.configurations, key=self._rank), self.num, enough=False)

    def _rank(self, configuration: Configuration) -> tuple[int, float]:
        """How seldom the maximum was found, then the last error of the map."""
        result = self.standings[configuration.name]
        return -result.to_near.found, float(result.curve[-1])

    def _needed(self, configuration: Configuration) -> float | None:
        if not self.learnable:
            return None
        return self.standings[configuration.name].needed(configuration.n_initial, self.goal)

    def _claim(self, configuration: Configuration, num: int, *, enough: bool) -> Recommendation:
        runs = self.by_method[configuration.name]
        found, error = result(runs, num, self.required.near)
        return Recommendation(configuration, num, found, len(runs), error, enough)

    def wanting(self, goal: Purpose) -> "Rehearsal":
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
            "level": self.required.level,
            "plateau": self.plateau,
            "learnable": self.learnable,
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
            "overview": None if self.image_worth is None else self.image_worth.to_dict(),
            "cpu_seconds": self.cpu_seconds,
        }


def result(runs: Sequence[Run], num: int, near: float) -> tuple[int, float]:
    """In how many runs the maximum had been found after so many points, and the median error of the map then."""
    found = sum((first := run.first(near)) is not None and first <= num for run in runs)
    return found, float(np.median([run.error_after(num) for run in runs]))
