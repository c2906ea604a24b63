"""The two branches of a hysteresis loop, and what is read off them.

===========  ==================================================================================================
name         meaning
===========  ==================================================================================================
rising       the points measured while the bias rises, by increasing bias; falling, the others
turning      where the sweep turns a point belongs to both branches
crossing     the bias at which a branch crosses a level, interpolated between two points
saturation   mean response over the outer tenth of the bias range at either end, both branches
===========  ==================================================================================================

It does not matter where in the cycle a sweep starts, in which direction, whether its last point repeats the first, or
whether it goes round more than once (points of one bias on one branch are averaged).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats

_OUTER = 0.1  # of the bias range
_MIN_POINTS = 3  # of a branch
_MIN_SPAN = 0.5  # of the bias range
_DIGITS = 9  # biases that differ by less than a billionth of the range are one


class Branch(NamedTuple):
    """Points of one branch by increasing bias; both of shape ``(n,)``."""

    bias: Floats
    response: Floats

    def at(self, bias: float) -> float:
        """Return the response at a bias, NaN outside the sweep."""
        return float(np.interp(bias, self.bias, self.response, left=np.nan, right=np.nan))

    def crossing(self, level: float) -> float:
        """Return the bias at which the response crosses a level: the median if noise crosses it more than once."""
        above = self.response > level
        before = np.flatnonzero(above[1:] != above[:-1])
        if not len(before):
            return np.nan
        low, high = self.response[before] - level, self.response[before + 1] - level
        share = low / (low - high)
        return float(np.median(self.bias[before] + share * (self.bias[before + 1] - self.bias[before])))


class Loop(NamedTuple):
    """A loop as two branches."""

    rising: Branch
    falling: Branch

    def opening(self, bias: float) -> float:
        """Return how far the falling branch lies above the rising one at a bias."""
        return self.falling.at(bias) - self.rising.at(bias)

    def saturation(self) -> tuple[float, float]:
        """Return the mean responses at the lower and the upper end of the bias range."""
        bias = np.concatenate([branch.bias for branch in self])
        response = np.concatenate([branch.response for branch in self])
        margin = _OUTER * float(np.ptp(bias))
        return (
            float(response[bias <= bias.min() + margin].mean()),
            float(response[bias >= bias.max() - margin].mean()),
        )


def split(response: Floats, bias: Floats) -> Loop:
    """Return the branches of a loop, both arguments of shape ``(n_points,)``.

    Raises
    ------
    ValueError
        If the bias does not go there and back.
    """
    direction = np.roll(bias, -1) - np.roll(bias, 1)
    check_sweep(bias)
    return Loop(_branch(response, bias, direction >= 0), _branch(response, bias, direction <= 0))


def check_sweep(bias: Floats) -> None:
    """Raise ValueError unless the bias goes there and back."""
    direction = np.roll(bias, -1) - np.roll(bias, 1)
    span = _MIN_SPAN * np.ptp(bias)
    for way in (direction >= 0, direction <= 0):
        if np.count_nonzero(way) < _MIN_POINTS or np.ptp(bias[way]) < span or span == 0.0:
            raise ValueError("the axis does not go there and back: no hysteresis loop")


def _branch(response: Floats, bias: Floats, chosen: npt.NDArray[np.bool_]) -> Branch:
    bias, response = bias[chosen], response[chosen]
    scaled = np.round((bias - bias.min()) / np.ptp(bias), _DIGITS)
    _, first, which = np.unique(scaled, return_index=True, return_inverse=True)
    return Branch(bias[first], np.bincount(which, weights=response) / np.bincount(which))


def noise(response: Floats) -> float:
    """Return the standard deviation of the noise of a loop, from its second differences (switching does not count)."""
    second = response - 0.5 * (np.roll(response, 1) + np.roll(response, -1))
    return float(np.median(np.abs(second)) / (0.6745 * np.sqrt(1.5)))
