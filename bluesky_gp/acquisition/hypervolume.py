r"""Two targets at once: how much more of the plane of both a measurement is expected to dominate.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
a, b    both numbers, larger is better
A, B    the Pareto front: A falls, B rises                                 (n,)
======  =================================================================  =====
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import logsumexp

from bluesky_gp.acquisition.improvement import log_expected_improvement
from bluesky_gp.acquisition.level_set import log_improvement_between
from bluesky_gp.protocols import AcquisitionContext
from bluesky_gp.typing import Floats

_MARGIN = 0.1  # of the range of each number: how far below the front the reference lies


@dataclass(frozen=True)
class ExpectedHypervolumeImprovement:
    r"""Logarithm of the expected growth of what the Pareto front of two numbers dominates.

    Between the front's values of the first number, the second has to exceed one value each:

    .. math:: \sum_{i=0}^{n} \mathrm{E} \left( \min(a, A_i) - A_{i+1} \right)_+ \; \mathrm{E} (b - B_i)_+, \quad
              A_0 = \infty, \; A_{n+1} = r_a, \; B_0 = r_b

    Exact (Emmerich, Deutz & Klinkenberg 2011, CEC, 2147; Yang et al. 2019, arXiv:1904.12672, sec. 4, whose slices these
    are), and to all digits however far from the front. The numbers are taken as independent given the data; the front
    is that of the posterior means at the measured pixels.

    Parameters
    ----------
    other : str
        The second number, one of ``PixelOptimizer(others=...)``.
    maximize_other : bool
        False: smaller is better.
    reference : tuple of two floats, optional
        Target and other number, in their units: what is worse in either counts for nothing. Default: a tenth of the
        range of all means worse than the worst of the front.
    """

    other: str
    maximize_other: bool = True
    reference: tuple[float, float] | None = None

    logarithmic: ClassVar[bool] = True

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        signs = np.array([context.sign, 1.0 if self.maximize_other else -1.0])
        mean, std = context.other(self.other)
        values = np.stack(
            [context.in_unit(context.posterior.mean[context.measured]), signs[1] * mean[context.measured]]
        )
        if not np.isfinite(values).all():
            return np.full(len(context.pixels), np.nan)  # nothing is known of the other number
        reference = _reference(values) if self.reference is None else signs * np.asarray(self.reference)
        front = pareto_front(values, reference)
        second = signs[1] * mean[context.pixels], std[context.pixels]
        return log_hypervolume_improvement((context.mean, context.std), second, front, reference)


def pareto_front(values: Floats, reference: Floats) -> Floats:
    """Pairs that none exceeds in both, and that exceed the reference, (2, m) -> (2, n): the first number falls."""
    values = values[:, np.all(values > reference[:, None], axis=0)]
    values = values[:, np.lexsort((-values[1], -values[0]))]
    highest = np.maximum.accumulate(np.concatenate([[-np.inf], values[1]]))[:-1]
    return np.asarray(values[:, values[1] > highest])


def log_hypervolume_improvement(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats], front: Floats, reference: Floats
) -> Floats:
    """Logarithm of the expected growth of the dominated area, shape ``(k,)``.

    Parameters
    ----------
    first, second : tuple of two ndarrays, shape (k,)
        Mean and standard deviation of each number, larger is better.
    front : ndarray, shape (2, n)
        As `pareto_front` returns it.
    reference : ndarray, shape (2,)
    """
    bars = np.append(front[0], reference[0])
    floors = np.append(reference[1], front[1])
    widths = [log_expected_improvement(*first, bars[0])]
    widths += [log_improvement_between(*first, low, high) for high, low in zip(bars[:-1], bars[1:], strict=True)]
    heights = [log_expected_improvement(*second, floor) for floor in floors]
    return np.asarray(logsumexp(np.add(widths, heights), axis=0))


def _reference(values: Floats) -> Floats:
    """Below the worst of the front in either number, shape ``(2,)``."""
    front = pareto_front(values, np.full(2, -np.inf))
    span = np.ptp(values, axis=1)
    scale = np.where(span > 0.0, span, np.maximum(np.abs(values).max(axis=1), 1.0))
    return np.asarray(front.min(axis=1) - _MARGIN * scale)
