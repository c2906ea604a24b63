"""Numbers of points after which seeds reached something, and the number that others will need.

The slowest of five more seeds is as often slower as faster than the slowest of five. So what is *needed* for the
maximum is more than what was enough: the points by which nine in ten seeds have found it, said with a confidence of
three in four, if their logarithms are normal (a one-sided tolerance bound; Hahn & Meeker, Statistical Intervals, 4.6).
"""

from dataclasses import dataclass
from math import ceil, inf, isfinite

import numpy as np
from scipy.stats import nct, norm

COVERAGE, CONFIDENCE = 0.9, 0.75


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
