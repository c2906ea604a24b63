"""Rules that end a run before its number of pixels: each a callable that returns a reason or an empty string.

All are looked at before each batch, so a run ends up to a batch later than it might. They know the state and nothing
else, no clock and no history beside it, so that the same record leads to the same end.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr

from bluesky_gp.acquisition import ExpectedImprovement
from bluesky_gp.gp import GridPosterior
from bluesky_gp.optimizer.diary import REMEMBERED
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.settings import check_number, check_whole
from bluesky_gp.typing import Indices


class StoppingRule(Protocol):
    """Implemented here and by users; asked by `PixelOptimizer.propose` before each batch."""

    def __call__(self, state: OptimizerState) -> str:
        """Return why to stop, in words for the record, or an empty string to go on."""
        ...


@dataclass(frozen=True)
class MaxPixels:
    """Stop when `num` pixels were attempted."""

    num: int

    def __post_init__(self) -> None:
        check_whole("MaxPixels", "num", self.num, 1)

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        return f"{state.n_attempted} pixels attempted" if state.n_attempted >= self.num else ""


@dataclass(frozen=True)
class NothingLearnt:
    """Stop when `num` pixels were attempted and not one of them has a value: the default.

    Each of them failed, or was rejected by the scalarizer: a wrong window, a closed shutter, a detector that is off.
    """

    num: int = 30

    def __post_init__(self) -> None:
        check_whole("NothingLearnt", "num", self.num, 1)

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        nothing = state.n_attempted >= self.num and not state.n_measured
        return f"not one of {state.n_attempted} pixels has a value: nothing was learnt" if nothing else ""


@dataclass(frozen=True)
class MaxTime:
    """Stop when the latest pixel was recorded `seconds` after the run began.

    By the times of the run's documents, so never where there are none: points given to `PixelOptimizer.ingest` may
    say it themselves, as ``"_seconds"``. A run that resumes another counts from its own beginning.
    """

    seconds: float

    def __post_init__(self) -> None:
        check_number("MaxTime", "seconds", self.seconds, above=0.0)

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        return f"{state.diary.seconds:.0f} s since the run began" if state.diary.seconds >= self.seconds else ""


@dataclass(frozen=True)
class MaxDose:
    """Stop when the pixels attempted, failed ones and those of a run that is resumed included, had a dose of `dose`.

    Parameters
    ----------
    dose : float
        Of the whole map.
    per_pixel : float
        Exposure times current, or flux: what one pixel gets.
    unit : str
        Of both, for the record.
    """

    dose: float
    per_pixel: float
    unit: str

    def __post_init__(self) -> None:
        check_number("MaxDose", "dose", self.dose, above=0.0)
        check_number("MaxDose", "per_pixel", self.per_pixel, above=0.0)

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        so_far = state.n_attempted * self.per_pixel
        # Ten times 0.1 is a little less than 1.
        return f"dose of {so_far:.4g} {self.unit}" if so_far >= self.dose * (1.0 - 1e-12) else ""


@dataclass(frozen=True)
class ImprovementBelow:
    """Stop when no pixel has an expected improvement, in the target's unit, above `floor`."""

    floor: float

    def __post_init__(self) -> None:
        check_number("ImprovementBelow", "floor", self.floor)

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        candidates = state.candidates()
        if state.posterior is None or not len(candidates):
            return ""
        mean, std, best = state.on(state.posterior, candidates)
        score = ExpectedImprovement()(mean, std, best, rng=np.random.default_rng(0))
        largest = float(np.exp(score.max()))
        return f"expected improvement {largest:.3g} below {self.floor:.3g}" if largest < self.floor else ""


@dataclass(frozen=True)
class BetterUnlikely:
    r"""Stop when a pixel not yet measured is better than the best one with a probability below `probability`.

    Of the noise-free target under the joint posterior; the best one counts with its posterior mean. The probability
    lies between that of the likeliest pixel, :math:`\max_x p_x`, and :math:`\min(1, \sum_x p_x)`; only where these
    bounds do not decide, joint samples of the whole map do.

    Parameters
    ----------
    probability : float
    margin : float
        By how much it has to be better, in the target's unit. At zero a plateau never ends.
    samples : int
    seed : int
        Of the samples, with the number of pixels attempted.
    """

    probability: float = 0.05
    margin: float = 0.0
    samples: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        check_number("BetterUnlikely", "probability", self.probability)
        check_number("BetterUnlikely", "margin", self.margin)
        check_whole("BetterUnlikely", "samples", self.samples, 1)
        check_whole("BetterUnlikely", "seed", self.seed, 0)

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        candidates = state.candidates()
        if state.posterior is None or not state.fitted or not len(candidates):
            return ""
        found = self._probability(state, state.posterior, candidates)
        if not found < self.probability:
            return ""
        margin = f" by {self.margin:.3g}" if self.margin else ""
        return f"probability {found:.2g} of a better pixel{margin}, below {self.probability:.2g}"

    def _probability(self, state: OptimizerState, posterior: GridPosterior, candidates: Indices) -> float:
        bar = float(state.units.inward(np.array([state.best_value + state.units.sign * self.margin]))[0])
        spread = np.maximum(np.sqrt(posterior.variance[candidates]), 1e-150)
        each = ndtr((posterior.mean[candidates] - bar) / spread)
        low, high = float(each.max()), min(1.0, float(each.sum()))
        if not low < self.probability:
            return low
        if high < self.probability:
            return high
        rng = np.random.default_rng([self.seed, state.n_attempted])
        return float(np.mean([posterior.sample(rng)[candidates].max() > bar for _ in range(self.samples)]))


@dataclass(frozen=True)
class MapChangeBelow:
    """Stop when the map has changed by less than `floor` each of the last `times` times that pixels were learnt.

    A change is the root mean square over the map of what the posterior mean moved, relative to the map's spread. It
    depends on how many pixels are learnt at once, so choose the floor for the size of your batches.

    Parameters
    ----------
    floor : float
    times : int
        At most 10.
    """

    floor: float
    times: int = 3

    def __post_init__(self) -> None:
        check_number("MapChangeBelow", "floor", self.floor, least=0.0)
        check_whole("MapChangeBelow", "times", self.times, 0)
        if not 1 <= self.times <= REMEMBERED:
            raise ValueError(f"MapChangeBelow: times must be between 1 and {REMEMBERED}, got {self.times}")

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        latest = (*state.diary.changes, state.change)[-self.times :]
        if not state.fitted or len(latest) < self.times or not max(latest) < self.floor:
            return ""
        return f"map changed by {max(latest):.2g} of its spread at most, {self.times} times below {self.floor:.2g}"


@dataclass(frozen=True)
class GainBelow:
    """Stop when a hundred more pixels are expected to gain less than this, in the target's unit; see `forecast`.

    Parameters
    ----------
    map_error : float, optional
        Of the map's root mean square error; None: it does not count.
    best : float, optional
        Of the best value; None: it does not count.
    """

    map_error: float | None = None
    best: float | None = None

    def __post_init__(self) -> None:
        if self.map_error is None and self.best is None:
            raise ValueError("GainBelow: give map_error, best or both")
        for name, floor in (("map_error", self.map_error), ("best", self.best)):
            if floor is not None:
                check_number("GainBelow", name, floor)

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        found = state.forecast
        pairs = [("the map's error", found.map_gain, self.map_error), ("the best value", found.best_gain, self.best)]
        asked = [(name, gain, floor) for name, gain, floor in pairs if floor is not None]
        if not found.num or not all(gain < floor for _, gain, floor in asked):
            return ""
        gains = " and ".join(f"{name} by {gain:.2g}, below {floor:.2g}" for name, gain, floor in asked)
        return f"{found.num} more pixels would better {gains}"
