"""A ranking of pixels -> a batch of pixels that do not repeat each other.

A strategy ranks the pixels for one place of the batch after another: any callable that takes a `Place` and returns a
`Ranking`. What is measured, masked, pending, chosen already or too near is not among what it ranks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import log_ndtr

from bluesky_gp.acquisition import NO_SPREAD, ExpectedImprovement, log_expected_improvement
from bluesky_gp.gp import NO_VARIANCE, GridPosterior
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Acquisition, MapAcquisition
from bluesky_gp.settings import check_number
from bluesky_gp.typing import Floats, Indices

_NONE: Indices = np.empty(0, dtype=np.intp)
_TIE = 1e-9  # relative: what numbers differ by that are equal but for rounding, by symmetry or far from all data

Score = Callable[[GridPosterior, Indices], Floats]
"""The acquisition function on some pixels (flat indices) of a posterior."""

PURPOSES = {"maximum": 0.7, "map": 0.0, "both": 0.5}
"""Share of a batch that the acquisition function chooses, by what the map is for."""


class Batch(NamedTuple):
    """Pixels to measure, in the order of their choice."""

    pixels: Indices  # (k,), flat
    scores: Floats  # (k,), the acquisition function at each when it was chosen
    ahead: GridPosterior  # as if they were measured already, at their predicted mean


class Place(NamedTuple):
    """One place of a batch, to be filled."""

    grid: PixelGrid
    before: GridPosterior  # before the batch, pending pixels taken as measured
    posterior: GridPosterior  # the batch so far taken as measured too, at its predicted mean
    candidates: Indices  # (k,), flat
    score: Score
    number: int  # from 0
    num: int  # places of the batch

    @property
    def chosen(self) -> Indices:
        """Flat indices of the batch so far, shape ``(number,)``."""
        return self.posterior.fantasised[len(self.before.fantasies) :]


class Ranking(NamedTuple):
    """Ranks of the candidates of a place: the largest is chosen, NaN never."""

    values: Floats  # (k,)
    scores: Floats | None = None  # (k,), the acquisition function, if it was computed


class Strategy(Protocol):
    """A way to choose a batch. Implemented here and by users; called by `choose` once a place."""

    def __call__(self, place: Place) -> Ranking:
        """Rank the candidates of a place."""
        ...


def exploring(place: Place) -> Ranking:
    r"""Rank by what a measurement takes from the variance of the whole map, as far as it can be had for nothing.

    .. math:: \frac{\sum_{x'} C(x, x')^2}{C(x, x) + \sigma_n^2}
              \approx \frac{C(x, x)^2}{C(x, x) + \sigma_n^2} \sum_{x'} \rho(x, x')^2

    C the posterior covariance (Cohn 1996, Neural Networks 9, 1071; exact: `IntegratedVariance`), taken to fall off as
    the prior's correlation rho does. Beside the largest variance alone it does not go to the rim and the corners first,
    where a pixel has neighbours on one side only.
    """
    variance, prior = place.posterior.variance.take(place.candidates), place.posterior.prior
    worth = np.square(variance)
    worth /= variance + prior.noise + NO_VARIANCE
    worth *= prior.neighbourhood.take(place.candidates)
    return Ranking(worth)


@dataclass(frozen=True)
class Mixed:
    """A share of the batch by the acquisition function, the rest by what is unknown of the map (`exploring`).

    Each as if those before were measured. The exploring part is what keeps a batch from staying around one hill, and
    nearly all that the map gains. With a random acquisition function and a share of 1 it is a Thompson batch: the
    function is drawn anew for every place.

    Parameters
    ----------
    share : float
        The first ``share * num`` pixels, at least one unless it is zero, are the acquisition function's.
    """

    share: float = PURPOSES["both"]

    def __post_init__(self) -> None:
        check_number("Mixed", "share", self.share)
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"Mixed: share must be between 0 and 1, got {self.share}")

    def __call__(self, place: Place) -> Ranking:
        """Rank by the acquisition function; explore where its share is used up or no score is a number."""
        exploiting = round(self.share * place.num) or int(self.share > 0.0)
        if place.number < exploiting:
            scores = place.score(place.posterior, place.candidates)
            if _says_something(scores):
                return Ranking(scores, scores)
        return exploring(place)


@dataclass(frozen=True)
class WhilePromising:
    r"""As `Mixed`, with a share that follows what the acquisition function still promises.

    A place is the acquisition function's as long as the pixel that it would choose has an expected improvement
    (Jones et al. 1998, eq. 15) above `worth` times the range of the posterior mean; from the first that has not, the
    rest of the batch explores. So the maximum is pursued while it can be elsewhere, and the map gains once it is found.

    Parameters
    ----------
    most, least : float
        Shares of the batch that the acquisition function has at most, and in any case.
    worth : float
        Improvement that is worth a pixel, as a share of the range of the map.
    turns : bool
        Whether a batch of one pixel, half of which is none, is the acquisition function's every other time, and not
        never, as it was in earlier records.
    """

    most: float = 0.5
    least: float = 0.3
    worth: float = 1e-3
    turns: bool = True

    earlier: ClassVar[dict[str, Any]] = {"turns": False}

    def __post_init__(self) -> None:
        if not (0.0 <= self.least <= self.most <= 1.0 and self.worth >= 0.0):
            raise ValueError(
                f"WhilePromising: shares with 0 <= least <= most <= 1 and worth >= 0 are needed, "
                f"got least={self.least}, most={self.most}, worth={self.worth}"
            )

    def __call__(self, place: Place) -> Ranking:
        """Rank by the acquisition function while it promises something, else explore."""
        if place.number < (round(self.most * place.num) or self._turn(place)):
            scores = place.score(place.posterior, place.candidates)
            assured = place.number < round(self.least * place.num)
            if _says_something(scores) and (assured or self._promises(place, place.candidates[_largest(scores)])):
                return Ranking(scores, scores)
        return exploring(place)

    def _turn(self, place: Place) -> int:
        return int(self.turns and self.most > 0.0 and len(place.before.measured[0]) % 2 == 0)

    def _promises(self, place: Place, pixel: int) -> bool:
        """Whether a pixel's expected improvement is worth it; a batch only lowers it, so that a no is final."""
        mean, std = place.posterior.mean[pixel], np.sqrt(place.posterior.variance[pixel])
        best = place.before.mean[place.before.measured[0]].max()
        improvement = np.exp(log_expected_improvement(mean, std, best))
        return bool(improvement > self.worth * np.ptp(place.before.mean))


@dataclass(frozen=True)
class LocalPenalization:
    r"""The acquisition function before the batch, lowered around the pixels chosen already.

    .. math:: \log \alpha(x) + \sum_j \log \Phi \left( \frac{L \, |x - x_j| - (M - \mu_j)}{\sigma_j} \right)

    L the steepest slope of the posterior mean, M the incumbent: how likely x lies outside the ball around each chosen
    pixel in which the maximum cannot be. Gonzalez, Dai, Hennig & Lawrence 2016, arXiv:1505.08052, eqs. 7 and 8.

    Parameters
    ----------
    log : bool
        Whether the acquisition function is a logarithm, as the improvements are. False: the logarithm is taken of what
        it is above its lowest value.
    """

    log: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.log, bool | np.bool_):
            raise TypeError(f"LocalPenalization: log must be True or False, got {self.log!r}")

    def __call__(self, place: Place) -> Ranking:
        """Rank by the penalised acquisition function; explore where no score is a number."""
        scores = place.score(place.before, place.candidates)
        values = scores if self.log else _logarithm(scores)
        if not _says_something(values):
            return exploring(place)
        return Ranking(values + _penalty(place), scores)


def strategy_of(
    batch: "float | Strategy | None", acquisition: "Acquisition | MapAcquisition | None" = None
) -> Strategy:
    """Return the strategy that a user named by a share, or gave; None is the default for the acquisition function."""
    if batch is None:
        return WhilePromising() if isinstance(acquisition, ExpectedImprovement) else Mixed()
    if callable(batch) and not isinstance(batch, type):
        return batch
    if isinstance(batch, type | bool) or not isinstance(batch, Real):
        raise TypeError(
            f"PixelOptimizer: batch is a share between 0 and 1, a strategy such as Mixed(0.7), or None, got {batch!r}"
        )
    if not 0.0 <= batch <= 1.0:
        raise ValueError(f"PixelOptimizer: batch is a share between 0 and 1, a strategy, or None, got {batch}")
    return Mixed(float(batch))


def share_for(purpose: str) -> float:
    """Return the share of a batch for a stated purpose."""
    if not isinstance(purpose, str) or purpose not in PURPOSES:
        raise ValueError(f"PixelOptimizer: purpose is one of {', '.join(PURPOSES)}, got {purpose!r}")
    return PURPOSES[purpose]


def choose(
    posterior: GridPosterior,
    grid: PixelGrid,
    candidates: Indices,
    score: Score,
    num: int,
    strategy: Strategy,
    min_distance: float = 0.0,
    resting: Indices = _NONE,
) -> Batch:
    """Choose a batch, one pixel after another.

    Parameters
    ----------
    posterior : GridPosterior
        Pending pixels taken as measured.
    candidates : ndarray of int
        Flat indices of the pixels that may be chosen.
    num : int
        Pixels to choose; fewer candidates are all chosen.
    min_distance : float
        In pixels, between any two of the batch and the pending ones; see `apart`.
    resting : ndarray of int
        Flat indices of measured pixels to which it holds as well.
    """
    before, pixels, scores = posterior, [], []
    for number in range(min(num, len(candidates))):
        near = apart(grid, candidates, np.append(resting, posterior.fantasised), min_distance)
        ranking = strategy(Place(grid, before, posterior, near, score, number, num))
        winner = _largest(ranking.values)
        pixel = int(near[winner])
        pixels.append(pixel)
        known = score(posterior, near[[winner]])[0] if ranking.scores is None else ranking.scores[winner]
        scores.append(float(known))
        posterior = posterior.condition(pixel, float(posterior.mean[pixel]))
        candidates = candidates[candidates != pixel]
    return Batch(np.array(pixels, dtype=np.intp), np.array(scores), posterior)


def apart(grid: PixelGrid, candidates: Indices, taken: Indices, distance: float) -> Indices:
    """Return the candidates that are at least `distance` pixels from those taken; halved as often as there are none."""
    if distance <= 1.0 or not len(taken):
        return candidates
    places, squares = grid.unravel(candidates), np.full(len(candidates), np.inf)
    for place in grid.unravel(taken):
        squares = np.minimum(squares, np.square(places - place).sum(axis=1))
    while not np.any(squares >= distance**2):
        distance /= 2.0
    return candidates[squares >= distance**2]


def _largest(ranking: Floats) -> int:
    """Place of the largest number, NaN left out; the first of those that tie, whatever the rounding of this machine."""
    top = np.fmax.reduce(ranking, initial=-np.inf)
    return int(np.argmax(ranking >= (top - _TIE * abs(top) if np.isfinite(top) else top)))


def _says_something(scores: Floats) -> bool:
    return bool(np.any(scores > -np.inf))


def _logarithm(scores: Floats) -> Floats:
    """Of how far scores lie above the lowest of them: positive, whatever their unit and zero."""
    finite = scores[np.isfinite(scores)]
    with np.errstate(divide="ignore"):
        return np.log(scores - (finite.min() if len(finite) else 0.0))


def _penalty(place: Place) -> Floats:
    """Logarithm of how likely each candidate lies outside the balls around the pixels chosen already."""
    mean, std = place.before.mean, np.maximum(place.before.std, NO_SPREAD)
    measured, _ = place.before.measured
    slope, best = _steepest(mean.reshape(place.grid.shape)), mean[measured].max()
    away = cdist(place.grid.unravel(place.chosen), place.grid.unravel(place.candidates))
    outside = (slope * away - (best - mean[place.chosen])[:, None]) / std[place.chosen][:, None]
    return np.asarray(log_ndtr(outside).sum(axis=0))


def _steepest(mean: Floats) -> float:
    """Largest slope, in standard deviations a pixel; of a flat map one from end to end, or its balls had no end."""
    axes = [axis for axis, n in enumerate(mean.shape) if n > 1]
    squares = [np.square(np.gradient(mean, axis=axis)) for axis in axes]
    return float(max(np.sqrt(np.max(sum(squares, np.zeros(1)))), 1.0 / max(mean.shape)))
