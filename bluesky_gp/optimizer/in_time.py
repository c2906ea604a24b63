"""A target that changes with time: what all values of a moment have in common beside the map."""

from typing import NamedTuple

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp import Course, GridPosterior, common_part, predicted
from bluesky_gp.optimizer.measurements import Measurements
from bluesky_gp.optimizer.units import Units
from bluesky_gp.typing import Floats


class TargetCourse(NamedTuple):
    """By how much a target differed from what it was on average while it was measured, in its unit."""

    times: Floats  # (k,), those of the values, ascending
    mean: Floats  # (k,)
    std: Floats  # (k,)

    @property
    def words(self) -> str:
        """How much it changed, for the record."""
        return f"the target changed by {np.ptp(self.mean):.3g} while it was measured"


def common_root(time: Kernel | None, times: Floats) -> Floats | None:
    """Return the root of what values of some times have in common, shape ``(m, r)``; None: the target stands still."""
    return None if time is None else Course.of(times).root(time)


def foretold(
    posterior: GridPosterior, time: Kernel | None, known: Measurements, new: Measurements
) -> tuple[Floats, Floats]:
    """Return mean and variance, noise apart, that new values were to have by those known, shape ``(k,)`` each."""
    if time is None:
        return posterior.mean[new.pixels], posterior.variance[new.pixels]
    rows, rest = Course.of(known.times).rows(time, new.times)
    mean, variance = predicted(posterior, new.pixels, rows)
    return mean, variance + rest


def course_of(posterior: GridPosterior, time: Kernel, known: Measurements, units: Units) -> TargetCourse:
    """Return the course at the times of the values; at the median of the values, where units are no factor."""
    times = np.unique(known.times[known.has_value])
    mean, variance = common_part(posterior, Course.of(known.times).rows(time, times).rows)
    there, std = units.outward(mean, variance)
    return TargetCourse(times, there - units.outward(np.zeros(1), np.zeros(1))[0], std)
