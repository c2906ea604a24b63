r"""Forecast of what the next pixels gain, of the map and of the best value: an estimate, in about a millisecond.

======  ==================================================================================  =======
symbol  meaning                                                                             shape
======  ==================================================================================  =======
lam     eigenvalues of the prior covariance of the lattice, put together where nearly equal  (k,)
w       how many there are of each, per pixel                                               (k,)
rho     share of the pixels that are measured, as if they lay anywhere                      ()
eps     mean posterior variance of the map                                                  ()
mu, sd  posterior of pixels that may be measured, mu above the best posterior mean          (n,)
======  ==================================================================================  =======

**The map.** Variances need no values, and their mean falls with the number of pixels along the learning curve of the
kernel (Sollich & Halees 2002, arXiv:cond-mat/0105015),

.. math:: \epsilon(\rho) = \sum_k w_k \lambda_k / (1 + \rho \lambda_k / (\mathrm{noise} + \epsilon)).

The curve is entered where it gives the variance that there is, and followed for as many pixels as are to come. The
error of the map is its standard deviation times what the latest predictions were wrong by.

**The best value.** Were a share of the pixels independent, the largest of them would exceed the best so far by more
than t with probability :math:`1 - \prod \Phi((t - \mu) / \sigma)^{share}`.

The numbers below are from maps of ``benchmarks/maps.py``; ``benchmarks/forecast.py`` says how well they do on others.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import log_ndtr

from bluesky_gp.gp import NO_VARIANCE, GridPosterior
from bluesky_gp.optimizer.units import Units
from bluesky_gp.typing import Floats, Indices

AHEAD = 100  # pixels
_ERROR_OVER_STD = 1.1  # of the map, where the latest predictions were as wrong as expected
_WRONGNESS = 0.7  # and the power of how wrong they were that it grows with
_INDEPENDENT = 0.1  # share of the pixels: fewer than vary independently, as most maps have an upper end
_LIKELY = 0.9
_ALONE = 400  # pixels whose chance to be the best is looked at each by itself
_DEVIATIONS = 5.0  # above its mean, beyond which no pixel is expected
_STEPS = 24  # of the integral over t
_LOOKED_AT = 200  # pixels that stand for the map where the kernel is not stationary
_LOW, _HIGH = 1e-8, 1e8  # share of the pixels between which the learning curve is entered


@dataclass(frozen=True)
class Forecast:
    """Gain expected of `num` more pixels, in the target's unit; NaN: nothing is known yet."""

    num: int = 0
    map_error: float = np.nan  # root mean square error of the map as it is
    map_gain: float = np.nan  # by how much they lower it
    best_gain: float = np.nan  # by how much they better the best value, on average
    best_gain_most: float = np.nan  # and at most, with a probability of nine tenths


def forecast(
    posterior: GridPosterior,
    units: Units,
    std: Floats,
    allowed: npt.NDArray[np.bool_],
    candidates: Indices,
    wrong: float = 1.0,
    num: int = AHEAD,
) -> Forecast:
    """Return what `num` more pixels, or as many as there are, would gain.

    Parameters
    ----------
    posterior : posterior
    units : Units
    std : ndarray, shape (N,)
        Standard deviation of all pixels, target's unit.
    allowed : ndarray of bool, shape (N,)
        Which of them the map has.
    candidates : ndarray of int, shape (n,)
        Flat indices of the pixels that may be measured.
    wrong : float
        How large the errors of the latest predictions were, relative to their standard deviations (RMS).
    num : int
    """
    num = min(num, len(candidates))
    error = _ERROR_OVER_STD * wrong**_WRONGNESS * rms(std[allowed])
    left = remaining(posterior, np.flatnonzero(allowed), candidates, num)
    mean, most = _better(posterior, units, candidates) if num else (0.0, 0.0)
    return Forecast(num, error, error * (1.0 - float(np.sqrt(left))), mean, most)


def rms(values: Floats) -> float:
    """Return the root mean square of values, whose squares may neither overflow nor vanish."""
    largest = float(np.abs(values).max(initial=0.0))
    return largest * float(np.sqrt(np.mean(np.square(values / largest)))) if largest > 0.0 else 0.0


def remaining(posterior: GridPosterior, pixels: Indices, candidates: Indices, num: int) -> float:
    """Return the share of the variance of some pixels that is left when `num` of the candidates are measured."""
    if not num:
        return 1.0
    eigenvalues = posterior.prior.eigenvalues
    if eigenvalues is None:
        return _by_trial(posterior, pixels, candidates, num)
    now = float(np.mean(posterior.variance[pixels]))
    return _by_learning_curve(*eigenvalues, posterior.prior.noise, len(posterior.pixels), now, num)


def _by_learning_curve(lam: Floats, w: Floats, noise: float, m: int, now: float, num: int) -> float:

    def curve(rho: float, eps: float) -> float:
        return float(np.sum(w * lam / (1.0 + rho * lam / (noise + eps))))

    if not curve(_LOW, now) > now > curve(_HIGH, now):
        return 1.0
    rho = np.exp(brentq(lambda log_rho: curve(np.exp(log_rho), now) - now, np.log(_LOW), np.log(_HIGH), xtol=1e-4))
    further, lowest = float(rho) * (1.0 + num / m), 1e-9 * now
    if not curve(further, lowest) > lowest:
        return 0.0
    return float(brentq(lambda eps: curve(further, eps) - eps, lowest, now, xtol=1e-4 * now)) / now


def _by_trial(posterior: GridPosterior, pixels: Indices, candidates: Indices, num: int) -> float:
    """Take candidates at random as measured, and look at some of the pixels: where there is no spectrum."""
    rng, prior = np.random.default_rng(len(posterior.pixels)), posterior.prior
    new = rng.choice(candidates, num, replace=False)
    some = rng.choice(pixels, min(_LOOKED_AT, len(pixels)), replace=False)
    both = np.concatenate([new, some])
    cross = prior.block(posterior.pixels, both)
    K = prior.block(new, both) - cross[:, :num].T @ posterior.solver.solve(cross)
    K[np.diag_indices(num)] += prior.noise + 1e-10 * prior.variance.max()
    told = np.sum(K[:, num:] * np.linalg.solve(K[:, :num], K[:, num:]))
    return float(np.clip(1.0 - told / max(np.sum(posterior.variance[some]), NO_VARIANCE), 0.0, 1.0))


def _better(posterior: GridPosterior, units: Units, candidates: Indices) -> tuple[float, float]:
    """Mean and quantile of what the best of the candidates has more than the best that is measured."""
    best = float(posterior.mean[posterior.measured[0]].max())
    mu, sd = posterior.mean[candidates] - best, np.sqrt(np.maximum(posterior.variance[candidates], NO_VARIANCE))
    mu, sd, share = _hopeful(mu, sd, in_order=posterior.prior.quick)
    highest = float(np.max(mu + _DEVIATIONS * sd, initial=0.0))
    if not highest > 0.0:
        return 0.0, 0.0
    t = highest * np.linspace(0.0, 1.0, _STEPS) ** 2  # most is near zero
    below = np.exp(share @ log_ndtr((t - mu[:, None]) / sd[:, None]))
    value, _ = units.outward(best + t, np.zeros(_STEPS))
    size = float(np.abs(value).max()) or 1.0  # differences of the largest numbers would overflow
    gain = units.sign * (value / size - value[0] / size)
    return size * float(np.trapezoid(1.0 - below, gain)), size * float(np.interp(_LIKELY, below, gain))


def _hopeful(mu: Floats, sd: Floats, in_order: bool) -> tuple[Floats, Floats, Floats]:
    """Those that may be the best, and how many independent pixels each stands for.

    A partition leaves its halves in an order that depends on the processor, which told before `numerics` 0.3.
    """
    may = mu + _DEVIATIONS * sd > 0.0
    mu, sd = mu[may], sd[may]
    if len(mu) <= 2 * _ALONE:
        return mu, sd, np.full(len(mu), _INDEPENDENT)
    order = np.argpartition(-mu / sd, _ALONE)
    if in_order:
        likeliest = np.sort(order[:_ALONE])
        order = np.concatenate([likeliest, np.delete(np.arange(len(mu)), likeliest)])
    rest = order[_ALONE :: -(-(len(mu) - _ALONE) // _ALONE)]
    chosen = np.concatenate([order[:_ALONE], rest])
    share = np.concatenate([np.ones(_ALONE), np.full(len(rest), (len(mu) - _ALONE) / len(rest))])
    return mu[chosen], sd[chosen], _INDEPENDENT * share
