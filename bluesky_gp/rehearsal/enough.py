"""The rule by which points are enough, from the runs of a rehearsal.

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
chance     error below which a map shows more than its mean: of noise alone, the error of `n` pixels is seldom below
           ``1 - 1 / sqrt(n)``
near       pixels whose value the noise does not tell from the best one: no further below it than `floor`
=========  =======================================================================================================

The map is enough where the curve is within `level` from there to the end; the maximum where every seed (nine in ten, if
there are ten or more) has measured a pixel that is `near` it; a method with as many points as both take. Where the
`floor` is no better than `chance`, nothing can be learnt: no pixel says anything about another, and none is enough.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

TOLERANCE = 0.1
FINE = 0.1  # standard deviations of the map: an error of which nobody minds a tenth more
PLATEAU = 0.75  # of the budget

Purpose = Literal["both", "map", "maximum"]
"""For what the points must be enough."""


@dataclass(frozen=True)
class Requirements:
    """The least that a method must reach."""

    maximum: float  # the best value of the map, in its standard deviations
    near: float
    top: float  # the least of the best 1 %
    level: float  # of the error of the map; 0, which none is, where the map showed no more than its mean


def level(end: float, floor: float, forgone: float = TOLERANCE) -> float:
    """Return the error that is good enough; `forgone` is the share of the variance that need not be explained.

    An error a tenth larger is not enough where most of the map is noise: of an error of 0.9 the mean, 1.0, is no more.
    """
    reference = max(end, floor)
    explaining = np.sqrt(max(forgone + (1.0 - forgone) * reference**2, reference**2))
    return max(min((1.0 + TOLERANCE) * reference, float(explaining)), FINE)


def chance(n_pixels: int) -> float:
    """Return the error of the map below which it shows more than its mean.

    Maps of 25, 81 and 144 pixels of noise had errors of at least 0.81, 0.95 and 1.00, in 20, 12 and 8 trials.
    """
    return 1.0 - 1.0 / float(np.sqrt(n_pixels))


def is_plateau(enough_for_map: int | None, num: int) -> bool:
    """Whether the best curve was good enough long before the budget was spent."""
    return enough_for_map is not None and enough_for_map <= PLATEAU * num
