"""The standing of one method among others, over the seeds of a rehearsal."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from bluesky_gp.rehearsal.coverage import Coverage
from bluesky_gp.rehearsal.enough import Purpose, Requirements
from bluesky_gp.rehearsal.reached import Reached
from bluesky_gp.rehearsal.run import Run
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True, eq=False)
class Standing:
    """Errors, regrets and numbers of points of one method, over the seeds."""

    method: str
    num: Indices  # (k,)
    errors: Floats  # (n_seeds, k), of the map after so many points
    regrets: Floats  # (n_seeds, k), by how much the best value measured then missed the best there is
    to_maximum: Reached
    to_near: Reached
    to_top: Reached
    enough_for_map: int | None
    coverage: Floats | None = None  # (k, 3), median, of spectrum space after so many points, see `Coverage`

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

    def needed(self, least: int, goal: Purpose = "both") -> float | None:
        """Return the points after which map and maximum, or one of them, are enough for most seeds.

        `least` as `Reached.bound` has it.
        """
        bound = self.to_near.bound(least, int(self.num[-1]))
        parts: dict[Purpose, list[float | None]] = {
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
            "coverage": None if self.coverage is None else Coverage(*self.coverage.T.tolist())._asdict(),
        }


def standing(runs: Sequence[Run], required: Requirements) -> Standing:
    """Judge the runs of one method, one a seed."""
    num = common_counts(runs)
    errors = curves(runs)
    regrets = np.array([[required.maximum - run.best_after(n) for n in num] for run in runs])

    def reached(goodness: float) -> Reached:
        return Reached(tuple(run.first(goodness) for run in runs))

    return Standing(
        runs[0].method,
        num,
        errors,
        regrets,
        to_maximum=reached(required.maximum),
        to_near=reached(required.near),
        to_top=reached(required.top),
        enough_for_map=from_there_to_the_end(num, np.median(errors, axis=0), required.level),
        coverage=_coverage(runs, num),
    )


def _coverage(runs: Sequence[Run], num: Indices) -> Floats | None:
    found = [
        np.stack([np.interp(num, run.num, column) for column in run.coverage.T], axis=1)
        for run in runs
        if run.coverage is not None
    ]
    return np.median(found, axis=0) if found else None


def common_counts(runs: Sequence[Run]) -> Indices:
    """Return the numbers of points at which the longest run was judged: a rule may have stopped the others."""
    return max((run.num for run in runs), key=lambda num: int(num[-1]))


def curves(runs: Sequence[Run]) -> Floats:
    """Return the error of each run at the common counts, shape ``(n_seeds, k)``; after its end it stays."""
    return np.array([[run.error_after(n) for n in common_counts(runs)] for run in runs])


def from_there_to_the_end(num: Indices, curve: Floats, good: float) -> int | None:
    """Return the number of points from which on a curve is good; None: at its end it is not."""
    above = np.flatnonzero(~(curve <= good))
    first = int(above[-1]) + 1 if len(above) else 0
    return int(num[first]) if first < len(num) else None
