r"""Knowledge gradient: how much higher the top of the mean is expected to be after a measurement.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
a       posterior mean of the pixels that may be the best                  (n,)
b       change of each mean by one standard deviation of a measurement     (n, k)
h       phi(z) + z Phi(z)
======  =================================================================  =====

Frazier, Powell & Dayanik 2009, INFORMS J. Computing 21, 599: eq. 14 and algorithm 1.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bluesky_gp.acquisition.improvement import deviations, log_improvement
from bluesky_gp.acquisition.sampling import gains
from bluesky_gp.gp import tiled
from bluesky_gp.protocols import AcquisitionContext, Posterior
from bluesky_gp.settings import check_whole
from bluesky_gp.typing import Floats, Indices

_ENTRIES = 1_000_000  # of covariances held for rivals or shortlist: 8 MB
_FEWEST = 8  # columns of them, however large the grid
_NONE = -1e300  # logarithm of nothing


@dataclass(frozen=True)
class KnowledgeGradient:
    r"""Logarithm of the expected rise of the top of the posterior mean, in the target's standard deviations.

    .. math:: \log \left( \mathrm{E} \max_i (a_i + b_i Z) - \max_i a_i \right), \quad Z \sim N(0, 1)

    Exact, the maximum taken over all pixels that are not masked, for the pixels of a shortlist. All others have a lower
    bound, from which the shortlist is made at the beginning of a batch: the maximum taken over themselves and the best
    pixel, or over the likeliest to be above it, whichever is more. (On ten random maps the best pixel had the first,
    second or third largest bound.) With a transformation the mean is that of the transformed target.

    Parameters
    ----------
    num_candidates : int
        Length of the shortlist.
    num_rivals : int
        Pixels over which the bound is taken. On grids of more than 31,000 pixels both are less, 8 at least.
    """

    num_candidates: int = 32
    num_rivals: int = 32

    logarithmic: ClassVar[bool] = True  # for `combined`: the score is a logarithm

    def __post_init__(self) -> None:
        check_whole("KnowledgeGradient", "num_candidates", self.num_candidates, 1)
        check_whole("KnowledgeGradient", "num_rivals", self.num_rivals, 1)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        posterior, pixels = context.posterior, context.pixels
        allowed = np.flatnonzero(context.grid.allowed)
        mean, std = posterior.mean, posterior.measured_std(pixels)
        rivals = context.once(f"{self!r} rivals", lambda: _Columns.of(posterior, self._rivals(context, allowed)))
        scores = _alone(context, allowed)
        for tile in tiled(len(pixels), len(rivals.pixels)):
            b = rivals.at(posterior, pixels[tile]).T / std[tile]
            scores[tile] = np.maximum(scores[tile], log_expected_rise(mean[rivals.pixels], b))
        listed = context.once(f"{self!r} shortlist", lambda: _Columns.of(posterior, self._shortlist(context, scores)))
        here = np.isin(pixels, listed.pixels)
        b = listed.at(posterior, allowed, np.searchsorted(listed.pixels, pixels[here]))
        scores[here] = log_expected_rise(mean[allowed], b / std[here])
        return scores

    def _rivals(self, context: AcquisitionContext, allowed: Indices) -> Indices:
        mean, std = (values[allowed] for values in (context.posterior.mean, np.sqrt(context.posterior.variance)))
        return _first(allowed, deviations(mean, std, mean.max()), self.num_rivals)

    def _shortlist(self, context: AcquisitionContext, scores: Floats) -> Indices:
        return _first(context.pixels, scores, self.num_candidates)


@dataclass(frozen=True)
class _Columns:
    """Covariances of all pixels with some, kept through a batch."""

    pixels: Indices  # (s,), flat, ascending
    before: Floats  # (N, s)
    n_fantasies: int  # those that `before` knows of

    @classmethod
    def of(cls, posterior: Posterior, pixels: Indices) -> "_Columns":
        columns = [posterior.covariance_column(pixel) for pixel in pixels.tolist()]
        return cls(pixels, np.stack(columns, axis=1), len(posterior.fantasies))

    def at(self, posterior: Posterior, rows: Indices, places: Indices | None = None) -> Floats:
        """Return some rows, and some of the columns, the pixels chosen since taken as measured."""
        places = np.arange(len(self.pixels)) if places is None else places
        g = gains(posterior.fantasies[self.n_fantasies :], len(self.before))
        return np.asarray(self.before[np.ix_(rows, places)] - g[:, rows].T @ g[:, self.pixels[places]])


def _first(pixels: Indices, scores: Floats, num: int) -> Indices:
    """Pixels of the largest scores, in ascending order; not more than there is room for the columns of."""
    fit = max(_ENTRIES // len(pixels), _FEWEST)
    return np.sort(pixels[np.argsort(-scores, kind="stable")[: min(num, fit)]])


def _alone(context: AcquisitionContext, allowed: Indices) -> Floats:
    """Rise of the top if each pixel's own mean and the best one were the only ones, shape ``(k,)``."""
    posterior, pixels = context.posterior, context.pixels
    top = int(allowed[np.argmax(posterior.mean[allowed])])
    apart = np.abs(posterior.variance[pixels] - posterior.covariance_column(top)[pixels])
    return _log_rise(posterior.mean[top] - posterior.mean[pixels], apart / posterior.measured_std(pixels))


def _log_rise(drop: Floats, slope: Floats) -> Floats:
    """``log(slope h(-drop / slope))``: what a line adds that is lower by `drop` and steeper by `slope`."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        rise = np.log(slope) + log_improvement(np.maximum(-drop / slope, -1e150))
    return np.where(slope > 0.0, np.maximum(rise, _NONE), _NONE)


def log_expected_rise(a: Floats, b: Floats) -> Floats:
    r"""Logarithm of :math:`\mathrm{E} \max_i (a_i + b_{ij} Z) - \max_i a_i`, a shape ``(n,)``, b ``(n, k)``.

    The maximum is a chain of lines, each steeper than the one before. It is followed from Z = 0 to both sides; every
    line that joins it adds its change of slope times h, taken where it joins.

    Returns
    -------
    ndarray, shape (k,)
    """
    order = np.argsort(-a, kind="stable")
    a, b = a[order], b[order]
    return np.asarray(np.logaddexp(_one_side(a, b), _one_side(a, -b)))


def _one_side(a: Floats, b: Floats) -> Floats:
    """Logarithm of what Z > 0 contributes; `a` descends."""
    levels, slopes = _climbing(a, b)
    total, level, slope = np.full(b.shape[1], _NONE), levels[0].copy(), slopes[0].copy()
    going = np.arange(b.shape[1])  # columns whose chain goes on
    while len(going):
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            steeper = slopes - slope[going]
            meets = np.where(steeper > 0.0, (level[going] - levels) / steeper, np.inf)
        joins = np.argmin(meets, axis=0)
        moved = np.flatnonzero(meets[joins, np.arange(len(going))] < np.inf)
        going, joins, levels, slopes = going[moved], joins[moved], levels[:, moved], slopes[:, moved]
        every = np.arange(len(going))
        then, steep = levels[joins, every], slopes[joins, every]
        total[going] = np.logaddexp(total[going], _log_rise(level[going] - then, steep - slope[going]))
        level[going], slope[going] = then, steep
    return total


def _climbing(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Lines steeper than every higher one, as no other is part of the maximum; both of shape ``(n_most, k)``."""
    joins = np.empty(b.shape, dtype=bool)
    highest = np.maximum.accumulate(b, axis=0)
    joins[0], joins[1:] = True, highest[1:] > highest[:-1]
    lines, columns = np.nonzero(joins)
    order, count = np.argsort(columns, kind="stable"), joins.sum(axis=0)
    lines, columns = lines[order], columns[order]
    places = np.arange(len(lines)) - np.repeat(np.cumsum(count) - count, count)
    levels, slopes = np.zeros((2, int(count.max(initial=1)), b.shape[1]))
    slopes[:] = -np.inf
    levels[places, columns], slopes[places, columns] = a[lines], b[lines, columns]
    return levels, slopes
