"""Starts for the fit of any kernel: hyperparameters that a map of this size may have.

A kernel that a user writes has one set of values and often many optima: all noise or none, one long length scale or
two short ones, a period and its aliases. Candidates lie evenly in a box, by a sequence that needs no random numbers
(Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"), so that a replay finds the same.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sklearn.gaussian_process.kernels import ExpSineSquared, Hyperparameter, Kernel

from bluesky_gp.gp.theta import leaves
from bluesky_gp.typing import Floats

CANDIDATES = 8  # for each start of a fit: their densities choose which it is
_USUAL = {
    "constant_value": (0.1, 10.0),  # values are standardised
    "noise_level": (1e-3, 1.0),
    "alpha": (0.1, 10.0),
    "skew": (0.2, 5.0),
    "roughness": (0.01, 1.0),
}
_OWN = 10.0  # of a hyperparameter that is not known here: up to so many times the kernel's own value, or a part of it
_OF_A_SINE = (0.3, 3.0)  # length scale of a periodic kernel: it has no unit


class _Range(NamedTuple):
    """Values of one entry of theta from which a fit may start."""

    low: float
    high: float
    by_inverse: bool = False  # spread evenly in its inverse instead of its logarithm: a period, in its frequency

    def at(self, share: Floats) -> Floats:
        """Return the logarithm of the value at some shares of the range."""
        if self.by_inverse:
            return -np.log(1.0 / self.high + share * (1.0 / self.low - 1.0 / self.high))
        return np.asarray(np.log(self.low) + share * (np.log(self.high) - np.log(self.low)))


def candidate_starts(kernel: Kernel, shape: tuple[int, ...], num: int) -> tuple[Floats, ...]:
    """Return `num` values of theta, spread over what a grid of this shape may show, within the kernel's bounds."""
    ranges = [each for leaf in leaves(kernel) for h in leaf.hyperparameters for each in _ranges(leaf, h, shape)]
    if not ranges:
        return ()
    shares = _evenly(num, len(ranges))
    theta = np.stack([each.at(share) for each, share in zip(ranges, shares.T, strict=True)], axis=1)
    return tuple(np.clip(theta, *kernel.bounds.T))


def _ranges(leaf: Kernel, h: Hyperparameter, shape: tuple[int, ...]) -> Iterator[_Range]:
    """Yield the range of each entry of a hyperparameter; none of a fixed one."""
    if h.fixed:
        return
    own = np.broadcast_to(np.asarray(getattr(leaf, h.name), dtype=np.float64), h.n_elements)
    for i, (low, high) in enumerate(np.broadcast_to(h.bounds, (h.n_elements, 2))):
        side = float(shape[i] if h.n_elements == len(shape) else max(shape))
        first, last = _usual(leaf, h.name, side, float(own[i]))
        yield _Range(float(np.clip(first, low, high)), float(np.clip(last, low, high)), h.name == "periodicity")


def _usual(leaf: Kernel, name: str, side: float, own: float) -> tuple[float, float]:
    if name == "length_scale":
        return _OF_A_SINE if isinstance(leaf, ExpSineSquared) else (1.0, max(side, 2.0))
    if name == "periodicity":  # the shortest that pixels can tell
        return 2.0, max(side, 3.0)
    return _USUAL.get(name, (own / _OWN, own * _OWN))


def _evenly(num: int, ndim: int) -> Floats:
    """Return points spread evenly in a unit cube, shape ``(num, ndim)``."""
    ratio = 2.0
    for _ in range(60):  # converges to the root of x^(ndim + 1) = x + 1
        ratio = (1.0 + ratio) ** (1.0 / (ndim + 1))
    steps = (1.0 / ratio) ** np.arange(1, ndim + 1)
    return np.asarray((0.5 + np.outer(np.arange(1, num + 1), steps)) % 1.0)
