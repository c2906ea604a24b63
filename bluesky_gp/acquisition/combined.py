r"""Acquisition functions made of others: sums, products, a second target in bounds, cost a second.

Some scores are logarithms (expected improvement far below the incumbent is zero in floating point, its logarithm is
not): their classes say so, ``logarithmic = True``. What is combined here are the quantities themselves, so a product of
logarithms is their sum. A score that is no logarithm and is multiplied or divided must not be negative; where it is, it
counts as zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtr

from bluesky_gp.acquisition.improvement import FAR, NO_SPREAD, ExpectedImprovement
from bluesky_gp.protocols import Acquisition, AcquisitionContext, MapAcquisition
from bluesky_gp.typing import Floats

_LIKELY = np.log(0.5)

Either = Acquisition | MapAcquisition


@dataclass(frozen=True)
class Sum:
    """A weighted sum.

    Logarithms are added as what they are logarithms of. The sum is a logarithm where all parts are; beside a part that
    is none they enter as numbers, which far below the incumbent are zero.

    Parameters
    ----------
    parts : sequence of acquisition functions
    weights : sequence of float, optional
        One a part, each 1 unless given. Scores come in units of their own: the weights bring them together.
    """

    parts: Sequence[Either]
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        _check(self, self.parts, self.weights)
        if self.logarithmic and min(_each(self.parts, self.weights)) < 0.0:
            raise ValueError(f"Sum: a negative weight leaves no logarithm, got {self.weights}")

    @property
    def logarithmic(self) -> bool:
        """Whether the scores are logarithms."""
        return all(is_logarithmic(part) for part in self.parts)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        weights = np.array(_each(self.parts, self.weights))[:, None]
        scores = np.stack([context.scored_by(part) for part in self.parts])
        if self.logarithmic:
            return np.asarray(logsumexp(scores, axis=0, b=weights))
        logarithms = [is_logarithmic(part) for part in self.parts]
        scores[logarithms] = np.exp(scores[logarithms])
        return np.asarray((weights * scores).sum(axis=0))


@dataclass(frozen=True)
class Product:
    """Logarithm of a product of powers.

    Parameters
    ----------
    parts : sequence of acquisition functions
    powers : sequence of float, optional
        One a part, each 1 unless given.
    """

    parts: Sequence[Either]
    powers: Sequence[float] | None = None

    logarithmic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self, self.parts, self.powers)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        powers = zip(self.parts, _each(self.parts, self.powers), strict=True)
        return np.asarray(sum(power * log_score(part, context) for part, power in powers if power))


@dataclass(frozen=True)
class Feasible:
    """Logarithm of an acquisition function times the probability that another number lies in bounds.

    An improvement is one over the best measured pixel that is in bounds itself, more likely than not. While there is
    none, the probability alone chooses. Gelbart, Snoek & Adams 2014, arXiv:1403.5607, sec. 3; the two numbers are taken
    as independent given the data.

    Parameters
    ----------
    other : str
        One of ``PixelOptimizer(others=...)``.
    above, below : float, optional
        Bounds, in its own unit; at least one.
    acquisition : acquisition function
        Of the target.
    """

    other: str
    above: float | None = None
    below: float | None = None
    acquisition: Either = field(default_factory=ExpectedImprovement)

    logarithmic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self, [self.acquisition], None)
        low, high = self._bounds
        if not low < high or not np.isfinite([low, high]).any():
            raise ValueError(f"Feasible: above= or below= is needed, and above < below, got {self.above}, {self.below}")

    @property
    def _bounds(self) -> tuple[float, float]:
        return -np.inf if self.above is None else self.above, np.inf if self.below is None else self.below

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        mean, std = context.other(self.other)
        probability = log_probability(mean, std, *self._bounds)
        inside = context.measured[probability[context.measured] > _LIKELY]
        if not len(inside):
            return np.asarray(probability[context.pixels])
        best = float(context.in_unit(context.posterior.mean[inside]).max())
        return np.asarray(probability[context.pixels] + log_score(self.acquisition, context.against(best)))


@dataclass(frozen=True)
class PerSecond:
    """Logarithm of an acquisition function by the time that a pixel takes: the way there, and the exposure.

    From where the stage will be: at the pixel chosen before, or measured last. The axes move at once, so the slowest
    counts. The order in which a batch is visited is made shorter afterwards, so this is what the way takes at most.
    Snoek, Larochelle & Adams 2012, arXiv:1206.2944, sec. 3.2.

    Parameters
    ----------
    exposure : float
        Seconds a pixel, settling and reading included; more than 0.
    speed : float or sequence of float
        Of the axes, in the grid's units a second.
    acquisition : acquisition function
    """

    exposure: float
    speed: float | Sequence[float]
    acquisition: Either = field(default_factory=ExpectedImprovement)

    logarithmic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self, [self.acquisition], None)
        if not (self.exposure > 0.0 and np.all(np.asarray(self.speed) > 0.0)):
            raise ValueError(f"PerSecond: exposure and speed must be above 0, got {self.exposure}, {self.speed}")

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        return np.asarray(log_score(self.acquisition, context) - np.log(self.seconds(context)))

    def seconds(self, context: AcquisitionContext) -> Floats:
        """Return the seconds that each pixel takes, shape ``(k,)``."""
        if context.last is None:
            return np.full(len(context.pixels), self.exposure)
        grid = context.grid
        there, here = (grid.position(grid.unravel(np.atleast_1d(p))) for p in (context.pixels, context.last))
        return np.asarray((np.abs(there - here) / np.asarray(self.speed)).max(axis=1) + self.exposure)


def is_logarithmic(acquisition: Either) -> bool:
    """Whether the scores of an acquisition function are logarithms."""
    return bool(getattr(acquisition, "logarithmic", False))


def log_score(acquisition: Either, context: AcquisitionContext) -> Floats:
    """Logarithm of the scores of an acquisition function, shape ``(k,)``; of a negative one that of zero."""
    scores: Floats = context.scored_by(acquisition)
    if is_logarithmic(acquisition):
        return scores
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(scores, 0.0)))


def log_probability(mean: Floats, std: Floats, low: float, high: float) -> Floats:
    """Logarithm of the probability that a normal number lies between two bounds, shape ``(k,)``."""
    with np.errstate(over="ignore"):
        a, b = (np.clip((bar - mean) / np.maximum(std, NO_SPREAD), -FAR, FAR) for bar in (low, high))
    # What lies above the mean is as likely as its mirror image.
    a, b = np.where(a > 0.0, -b, a), np.where(a > 0.0, -a, b)
    far, near = log_ndtr(a), log_ndtr(b)
    with np.errstate(divide="ignore"):
        tail = near + np.log1p(-np.exp(far - near))
        middle = np.log1p(-ndtr(a) - ndtr(-b))
    return np.asarray(np.where(b <= 0.0, tail, middle))


def _each(parts: Sequence[Either], numbers: Sequence[float] | None) -> list[float]:
    return [1.0] * len(parts) if numbers is None else [float(number) for number in numbers]


def _check(combined: Any, parts: Sequence[Either], numbers: Sequence[float] | None) -> None:
    name = type(combined).__name__
    if isinstance(parts, Acquisition | MapAcquisition):
        raise TypeError(
            f"{name}: parts must be a list of acquisition functions, got one, {parts!r}: write [{parts!r}, ...]"
        )
    wrong = [part for part in parts if not isinstance(part, Acquisition | MapAcquisition)]
    if wrong or not len(parts):
        raise TypeError(f"{name}: parts must be acquisition functions, got {wrong or 'none'}")
    if numbers is not None and len(numbers) != len(parts):
        raise ValueError(f"{name}: {len(parts)} parts need as many numbers, got {list(numbers)}")
