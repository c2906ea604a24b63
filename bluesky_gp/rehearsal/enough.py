"""How many points are enough: the rule, from the runs of a rehearsal.

All errors and values are in standard deviations of the map. A method's *curve* is the median over its seeds of the
error of the map by number of points.

=========  =======================================================================================================
name       meaning
=========  =======================================================================================================
floor      error with which each pixel is predicted from all others: noise, and detail finer than a pixel
end        error of the best curve with the full budget
level      what the map must reach, of the larger of `end` and `floor`: an error at most a tenth larger, and nine tenths
           of the variance explained; or else an error of a tenth of a standard deviation
plateau    the best curve is within `level` from three quarters of the budget on: more points would have gained little
near       pixels whose value the noise does not tell from the best one: no further below it than `floor`
=========  =======================================================================================================

The map is enough where the curve is within `level` from there to the end; the maximum where every seed (nine in ten, if
there are ten or more) has measured a pixel that is `near` it; a method with as many points as both take.

The slowest of five more seeds is as often slower as faster than the slowest of five. So what is *needed* for the
maximum is more than what was enough: the points by which nine in ten seeds have found it, said with a confidence of
three in four, if their logarithms are normal (a one-sided tolerance bound; Hahn & Meeker, Statistical Intervals, 4.6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite
from typing import Any, Literal

import numpy as np
from scipy.stats import nct, norm

from bluesky_gp.rehearsal.run import Run
from bluesky_gp.typing import Floats, Indices

TOLERANCE = 0.1
FINE = 0.1  # standard deviations of the map: an error of which nobody minds a tenth more
PLATEAU = 0.75  # of the budget
COVERAGE, CONFIDENCE = 0.9, 0.75

Goal = Literal["both", "map", "maximum"]


@dataclass(frozen=True)
class Goals:
    """What a method must reach."""

    maximum: float  # the best value of the map, in its standard deviations
    near: float
    top: float  # the least of the best 1 %
    level: float  # of the error of the map


@dataclass(frozen=True)
class Reached:
    """After how many points each seed had measured a pixel of some goodness; None: it never did."""

    points: tuple[int | None, ...]

    @property
    def found(self) -> int:
        """Number of seeds that reached it."""
        return sum(point is not None for point in self.points)

    @property
    def median(self) -> float | None:
        """Median over all seeds; None if half of them never did."""
        middle = float(np.median([inf if point is None else point for point in self.points]))
        return middle if isfinite(middle) else None

    @property
    def most(self) -> int | None:
        """Points after which nine in ten seeds had, all of fewer than ten; None if more never did."""
        ordered = sorted(inf if point is None else point for point in self.points)
        reached = ordered[ceil(COVERAGE * len(ordered)) - 1]
        return int(reached) if isfinite(reached) else None

    def bound(self, least: int, num: int) -> float | None:
        """Return after how many points most seeds, others too, will have; None if too many of these never did.

        Parameters
        ----------
        least : int
            Points that are chosen at random: that a lucky seed needs fewer says nothing.
        num : int
            The budget, which stands for what the few took that never did.
        """
        if self.most is None or len(self.points) < 2:
            return self.most
        logs = np.log([num if point is None else max(point, least) for point in self.points])
        n = len(logs)
        factor = nct.ppf(CONFIDENCE, n - 1, norm.ppf(COVERAGE) * np.sqrt(n)) / np.sqrt(n)
        return float(max(np.exp(logs.mean() + factor * logs.std(ddof=1)), self.most))


@dataclass(frozen=True, eq=False)
class Standing:
    """How one method did over the seeds."""

    method: str
    num: Indices  # (k,)
    errors: Floats  # (n_seeds, k), of the map after so many points
    regrets: Floats  # (n_seeds, k), by how much the best value measured then missed the best there is
    to_maximum: Reached
    to_near: Reached
    to_top: Reached
    enough_for_map: int | None

    @property
    def curve(self) -> Floats:
        """Median error of the map, shape ``(k,)``."""
        return np.asarray(np.median(self.errors, axis=0))

    @property
    def regret(self) -> Floats:
        """Median regret, shape ``(k,)``; infinite where nothing was measured."""
        return np.asarray(np.median(self.regrets, axis=0))

    @property
    def enough(self) -> int | None:
        """Points after which map and maximum are enough; None if they never are."""
        parts = (self.enough_for_map, self.to_near.most)
        return None if None in parts else max(part for part in parts if part is not None)

    def needed(self, least: int, goal: Goal = "both") -> float | None:
        """Return the points after which map and maximum, or one of them, are enough for most seeds.

        `least` as `Reached.bound` has it.
        """
        bound = self.to_near.bound(least, int(self.num[-1]))
        parts: dict[Goal, list[float | None]] = {
            "map": [self.enough_for_map],
            "maximum": [bound],
            "both": [self.enough_for_map, bound],
        }
        return None if None in parts[goal] else max(part for part in parts[goal] if part is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; a regret of None: nothing was measured."""
        regret = [float(value) if isfinite(value) else None for value in self.regret]
        return {
            "method": self.method,
            "num": self.num.tolist(),
            "error": self.curve.tolist(),
            "error_by_seed": self.errors.tolist(),
            "regret": regret,
            **{
                name: {"median": reached.median, "found": reached.found, "by_seed": list(reached.points)}
                for name, reached in (
                    ("to_maximum", self.to_maximum),
                    ("to_near", self.to_near),
                    ("to_top", self.to_top),
                )
            },
            "enough_for_map": self.enough_for_map,
            "enough_for_maximum": self.to_near.most,
            "enough": self.enough,
        }


def standing(runs: Sequence[Run], goals: Goals) -> Standing:
    """Judge the runs of one method, one a seed."""
    num = common_counts(runs)
    errors = curves(runs)
    regrets = np.array([[goals.maximum - run.best_after(n) for n in num] for run in runs])

    def reached(goodness: float) -> Reached:
        return Reached(tuple(run.first(goodness) for run in runs))

    return Standing(
        runs[0].method,
        num,
        errors,
        regrets,
        to_maximum=reached(goals.maximum),
        to_near=reached(goals.near),
        to_top=reached(goals.top),
        enough_for_map=_from_there_to_the_end(num, np.median(errors, axis=0), goals.level),
    )


def level(end: float, floor: float, forgone: float = TOLERANCE) -> float:
    """Return the error that is good enough; `forgone` is the share of the variance that need not be explained.

    An error a tenth larger is not enough where most of the map is noise: of an error of 0.9 the mean, 1.0, is no more.
    """
    reference = max(end, floor)
    explaining = np.sqrt(max(forgone + (1.0 - forgone) * reference**2, reference**2))
    return max(min((1.0 + TOLERANCE) * reference, float(explaining)), FINE)


def is_plateau(enough_for_map: int | None, num: int) -> bool:
    """Whether the best curve was good enough long before the budget was spent."""
    return enough_for_map is not None and enough_for_map <= PLATEAU * num


def common_counts(runs: Sequence[Run]) -> Indices:
    """Return the numbers of points at which the longest run was judged: a rule may have stopped the others."""
    return max((run.num for run in runs), key=lambda num: int(num[-1]))


def curves(runs: Sequence[Run]) -> Floats:
    """Return the error of each run at the common counts, shape ``(n_seeds, k)``; after its end it stays."""
    return np.array([[run.error_after(n) for n in common_counts(runs)] for run in runs])


def _from_there_to_the_end(num: Indices, curve: Floats, good: float) -> int | None:
    above = np.flatnonzero(~(curve <= good))
    first = int(above[-1]) + 1 if len(above) else 0
    return int(num[first]) if first < len(num) else None
