"""The worth of an overview image, before the measurement that it is taken for: the same map with it and without.

Points are counted to the same error: the one that is good enough (`enough.level`) where the better of the two ends no
better than the other. Each seed is a pair, so that what it owes to its first pixels counts in neither's favour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from bluesky_gp.rehearsal.enough import level
from bluesky_gp.rehearsal.run import Run
from bluesky_gp.rehearsal.standing import common_counts, curves, from_there_to_the_end
from bluesky_gp.typing import Floats

_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class ImageWorth:
    """One configuration with an overview image and without, over the same seeds."""

    method: str
    method_without: str
    error: float  # in standard deviations of the map, that both are judged by
    points: tuple[int | None, ...]  # one a seed, until the map stayed as good as that; None: it never did
    points_without: tuple[int | None, ...]
    num: int  # the budget, which stands for a seed that never got there
    share: float  # of the prior's variance that the image explained at the end, median; 0: it was not used

    @property
    def ratio(self) -> float:
        """Points with the image over points without, geometric mean over the seeds."""
        return float(np.exp(np.mean(self._logs)))

    @property
    def margin(self) -> float:
        """Factor within which `ratio` is known, with a confidence of 95 % (Student); infinite for one seed."""
        logs = self._logs
        if len(logs) < 2:
            return np.inf
        quantile = student.ppf(0.5 + 0.5 * _CONFIDENCE, len(logs) - 1)
        return float(np.exp(quantile * logs.std(ddof=1) / np.sqrt(len(logs))))

    @property
    def saves(self) -> bool:
        """Whether the image is worth taking: it spares points, by more than chance."""
        return self.ratio * self.margin < 1.0

    @property
    def costs(self) -> bool:
        """Whether more points are needed with the image, by more than chance."""
        return self.ratio > self.margin

    @property
    def _logs(self) -> Floats:
        pairs = zip(self.points, self.points_without, strict=True)
        return np.array([np.log((seen or self.num) / (blind or self.num)) for seen, blind in pairs])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "method": self.method,
            "method_without": self.method_without,
            "error": self.error,
            "points": list(self.points),
            "points_without": list(self.points_without),
            "ratio": self.ratio,
            "margin": self.margin if np.isfinite(self.margin) else None,
            "share": self.share,
            "saves": self.saves,
            "costs": self.costs,
        }


def image_worth(seeing: Sequence[Run], blind: Sequence[Run], floor: float) -> ImageWorth:
    """Compare runs with an image and runs of the same seeds without it; `floor` as `enough` has it."""
    by_seed = {run.seed: run for run in blind}
    seeing = [run for run in seeing if run.seed in by_seed]
    blind = [by_seed[run.seed] for run in seeing]
    error = level(max(float(np.median(curves(runs)[:, -1])) for runs in (seeing, blind)), floor)
    return ImageWorth(
        seeing[0].method,
        blind[0].method,
        error,
        _points(seeing, error),
        _points(blind, error),
        int(common_counts(blind)[-1]),
        float(np.median([run.share for run in seeing])),
    )


def _points(runs: Sequence[Run], error: float) -> tuple[int | None, ...]:
    num = common_counts(runs)
    return tuple(from_there_to_the_end(num, curve, error) for curve in curves(runs))
