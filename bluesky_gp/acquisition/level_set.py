r"""Acquisition functions that look for a value, rather than for the largest.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
mean    posterior mean of the noise-free target at the candidates          (k,)
std     its standard deviation                                             (k,)
h       phi(z) + z Phi(z), the expected improvement in units of std
d       how far the best measured pixel is from the value                  ()
======  =================================================================  =====
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import log_ndtr, logsumexp

from bluesky_gp.acquisition.improvement import FAR, LOG_SQRT_2PI, NO_SPREAD, log_improvement
from bluesky_gp.protocols import AcquisitionContext
from bluesky_gp.settings import check_number
from bluesky_gp.typing import Floats

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = (_NODES + 1.0) / 2.0, _WEIGHTS / 2.0  # of the interval from 0 to 1


@dataclass(frozen=True)
class LevelSet:
    r"""Straddle of the pixels at which the map crosses a level, :math:`1.96 \sigma - |\mu - t|`.

    Bryan et al. 2005, NIPS 18, sec. 3.

    Parameters
    ----------
    level : float
        In the target's unit.
    beta : float
        Standard deviations; the larger, the more is explored.
    """

    level: float
    beta: float = 1.96

    def __post_init__(self) -> None:
        check_number("LevelSet", "level", self.level)
        check_number("LevelSet", "beta", self.beta)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``, in the target's unit."""
        return np.asarray(self.beta * context.std - np.abs(context.sign * context.mean - self.level))


@dataclass(frozen=True)
class TargetValue:
    r"""Logarithm of the expected improvement towards a value.

    .. math:: \log \mathrm{E} \max(0, d - |f - t|) = \log \sigma \left( h(z_{t-d}) - 2 h(z_t) + h(z_{t+d}) \right),
              \quad z_c = (\mu - c) / \sigma

    Where d is how far the best measured pixel is from the value t, by the posterior mean: an improvement is to come
    closer. The expected improvement (Jones, Schonlau & Welch 1998, eq. 15) for the distance.

    Parameters
    ----------
    value : float
        In the target's unit.
    """

    value: float

    logarithmic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("TargetValue", "value", self.value)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        t = context.sign * self.value
        distance = float(np.abs(context.in_unit(context.posterior.mean[context.measured]) - t).min())
        return log_nearer(np.abs(context.mean - t), context.std, distance)


def log_nearer(distance: Floats, std: Floats, d: float) -> Floats:
    r"""Logarithm of :math:`\mathrm{E} \max(0, d - |f|)`, f normal with means `distance` >= 0; shape ``(k,)``."""
    std = np.maximum(std, NO_SPREAD)
    with np.errstate(divide="ignore", over="ignore"):
        log_d = np.log(d)
        away, r = np.minimum(distance / std, FAR), np.minimum(d / std, FAR)
        near = r * np.maximum(1.0, away) < 1.0
        narrow = 2.0 * log_d - np.log(std) + _log_tent(np.where(near, away, 0.0), np.where(near, r, 0.0))
        wide = np.log(std) + _log_second_difference(np.where(near, 0.0, -away), np.where(near, 1.0, r))
    return np.where(near, narrow, wide)


def _log_tent(away: Floats, r: Floats) -> Floats:
    """``log int_-1^1 (1 - |v|) phi(away + r v) dv``: h's second difference, where that would cancel."""
    v = np.concatenate([_NODES, -_NODES])[:, None]
    weights = np.tile(_WEIGHTS * (1.0 - _NODES), 2)[:, None]
    return np.asarray(logsumexp(-0.5 * (away + r * v) ** 2, axis=0, b=weights) - LOG_SQRT_2PI)


def _log_second_difference(z: Floats, r: Floats) -> Floats:
    """``log(h(z + r) - 2 h(z) + h(z - r))`` for z <= 0."""
    first = log_improvement(z + r)
    middle, last = np.exp(log_improvement(z) - first), np.exp(log_improvement(z - r) - first)
    return np.asarray(first + np.log1p(last - 2.0 * middle))


def log_improvement_between(mean: Floats, std: Floats, low: float, high: float) -> Floats:
    r"""Logarithm of :math:`\mathrm{E} \max(0, \min(f, high) - low)`: what of an improvement lies between two bars.

    The difference of two expected improvements, to all digits however far away, and however close the bars are.
    """
    std = np.maximum(std, NO_SPREAD)
    with np.errstate(over="ignore"):
        z, below = (np.clip((mean - bar) / std, -FAR, FAR) for bar in (low, high))
        r = (high - low) / std
        smooth = r * np.maximum(1.0, -below) < 0.3
    scores = np.empty(len(std))
    if smooth.any():
        bars = low + (high - low) * _NODES[:, None]
        shares = log_ndtr((mean[smooth] - bars) / std[smooth])
        scores[smooth] = np.log(high - low) + logsumexp(shares, axis=0, b=_WEIGHTS[:, None])
    above, tail = ~smooth & (below > 0.0), ~smooth & (below <= 0.0)
    first = log_improvement(z[tail])
    with np.errstate(divide="ignore"):  # both bars further away than can be told apart
        difference = np.log1p(-np.exp(log_improvement(below[tail]) - first))
    scores[tail] = first + difference + np.log(std[tail])
    # h(z) = z + h(-z): of large numbers that are nearly equal the difference is known.
    rise = np.exp(log_improvement(-below[above])) - np.exp(log_improvement(-z[above]))
    scores[above] = np.log(r[above] - rise) + np.log(std[above])
    return scores
