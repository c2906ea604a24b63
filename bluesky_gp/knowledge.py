r"""Knowledge gradient: how much higher the top of the mean is expected to be after a measurement.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
a       posterior mean of the pixels that may be the best                  (n,)
b       change of each mean by one standard deviation of a measurement     (k, n)
h       phi(z) + z Phi(z)
======  =================================================================  =====

Frazier, Powell & Dayanik 2009, INFORMS J. Computing 21, 599: eq. 14 and algorithm 1.
"""

from dataclasses import dataclass

import numpy as np

from bluesky_gp.acquisition import log_improvement
from bluesky_gp.protocols import Floats, Indices, Outlook
from bluesky_gp.sampling import gains

_ENTRIES = 4_000_000  # of covariances held: 32 MB
_FEWEST = 16  # columns of them, however large the grid
_NONE = -1e300  # logarithm of nothing


@dataclass(frozen=True)
class KnowledgeGradient:
    r"""Logarithm of the expected rise of the top of the posterior mean, in the target's standard deviations.

    .. math:: \log \left( \mathrm{E} \max_i (a_i + b_i Z) - \max_i a_i \right), \quad Z \sim N(0, 1)

    Exact, the maximum taken over all pixels that are not masked, for the pixels of a shortlist. All others have a lower
    bound, from which the shortlist is made: the rise that they bring over the best mean by their own value alone. With
    a transformation the mean is that of the transformed target.

    Parameters
    ----------
    num_candidates : int
        Length of the shortlist; on grids of more than 20,000 pixels it is shorter, 16 at least.
    """

    num_candidates: int = 200

    def on(self, outlook: Outlook) -> Floats:
        """Score pixels, shape ``(k,)``."""
        posterior, pixels = outlook.posterior, outlook.pixels
        allowed = np.flatnonzero(outlook.grid.allowed)
        scores = _lower_bound(outlook, allowed)
        listed = outlook.once(f"{self!r} shortlist", lambda: self._shortlist(outlook, scores))
        here = np.isin(listed.pixels, pixels)
        rows = listed.pixels[here]
        g = gains(posterior.fantasies[listed.n_fantasies :], len(posterior.mean))
        columns = listed.columns[here] - g[:, rows].T @ g
        b = columns[:, allowed] / posterior.measured_std(rows)[:, None]
        scores[np.searchsorted(pixels, rows)] = log_expected_rise(posterior.mean[allowed], b)
        return scores

    def _shortlist(self, outlook: Outlook, bound: Floats) -> "_Shortlist":
        posterior = outlook.posterior
        num = min(self.num_candidates, max(_ENTRIES // len(posterior.mean), _FEWEST))
        pixels = np.sort(outlook.pixels[np.argsort(-bound, kind="stable")[:num]])
        columns = np.stack([posterior.covariance_column(pixel) for pixel in pixels.tolist()])
        return _Shortlist(pixels, columns, len(posterior.fantasies))


@dataclass(frozen=True)
class _Shortlist:
    pixels: Indices  # (s,), flat, ascending
    columns: Floats  # (s, N), covariance of each with all
    n_fantasies: int  # those that the columns know of


def _lower_bound(outlook: Outlook, allowed: Indices) -> Floats:
    """Rise of the top if each pixel's own mean and the best one were the only ones, shape ``(k,)``."""
    posterior, pixels = outlook.posterior, outlook.pixels
    top = int(allowed[np.argmax(posterior.mean[allowed])])
    apart = np.abs(posterior.variance[pixels] - posterior.covariance_column(top)[pixels])
    return _log_rise(posterior.mean[top] - posterior.mean[pixels], apart / posterior.measured_std(pixels))


def _log_rise(drop: Floats, slope: Floats) -> Floats:
    """``log(slope h(-drop / slope))``: what a line adds that is lower by `drop` and steeper by `slope`."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        rise = np.log(slope) + log_improvement(np.maximum(-drop / slope, -1e150))
    return np.where(slope > 0.0, np.maximum(rise, _NONE), _NONE)


def log_expected_rise(a: Floats, b: Floats) -> Floats:
    r"""Logarithm of :math:`\mathrm{E} \max_i (a_i + b_{ji} Z) - \max_i a_i`, shape ``(k,)``; b: ``(k, n)``.

    The maximum is a chain of lines, each steeper than the one before. It is followed from Z = 0 to both sides; every
    line that joins it adds its change of slope times h, taken where it joins.
    """
    order = np.argsort(-a, kind="stable")
    a, b = a[order], b[:, order]
    return np.asarray(np.logaddexp(_one_side(a, b), _one_side(a, -b)))


def _one_side(a: Floats, b: Floats) -> Floats:
    """Logarithm of what Z > 0 contributes; `a` descends."""
    a, b = _climbing(a, b)
    rows, total = np.arange(len(b)), np.full(len(b), _NONE)
    level, slope = a[:, 0], b[:, 0]
    while b.shape[1] > 1:
        steeper = b > slope[:, None]
        if not steeper.any():
            break
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            meets = np.where(steeper, (level[:, None] - a) / (b - slope[:, None]), np.inf)
        joins = np.argmin(meets, axis=1)
        change = np.where(steeper.any(axis=1), b[rows, joins] - slope, 0.0)
        total = np.logaddexp(total, _log_rise(level - a[rows, joins], change))
        moved = change > 0.0
        level, slope = np.where(moved, a[rows, joins], level), np.where(moved, b[rows, joins], slope)
    return total


def _climbing(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Lines steeper than every higher one, no other can be part of the maximum: both shape ``(k, n_most)``."""
    highest = np.maximum.accumulate(b, axis=1)
    joins = np.empty(b.shape, dtype=bool)
    joins[:, 0], joins[:, 1:] = True, highest[:, 1:] > highest[:, :-1]
    count = joins.sum(axis=1)
    rows, columns = np.nonzero(joins)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    levels, slopes = np.zeros((2, len(b), int(count.max(initial=1))))
    slopes[:] = -np.inf
    levels[rows, places], slopes[rows, places] = a[columns], b[rows, columns]
    return levels, slopes
