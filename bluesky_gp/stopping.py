"""Rules that end a run before its number of pixels: each a callable that returns a reason or an empty string."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bluesky_gp.acquisition import ExpectedImprovement
from bluesky_gp.state import OptimizerState


class StoppingRule(Protocol):
    """Implemented here and by users; asked by `PixelOptimizer.propose` before each batch."""

    def __call__(self, state: OptimizerState) -> str:
        """Return why to stop, in words for the record, or an empty string to go on."""
        ...


@dataclass(frozen=True)
class MaxPixels:
    """Stop when `num` pixels were attempted."""

    num: int

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        return f"{state.n_attempted} pixels attempted" if state.n_attempted >= self.num else ""


@dataclass(frozen=True)
class ImprovementBelow:
    """Stop when no pixel has an expected improvement, in the target's unit, above `floor`."""

    floor: float

    def __call__(self, state: OptimizerState) -> str:
        """Return the reason to stop, or an empty string."""
        candidates = state.candidates()
        if state.posterior is None or not len(candidates):
            return ""
        mean, std, best = state.on(state.posterior, candidates)
        score = ExpectedImprovement()(mean, std, best, rng=np.random.default_rng(0))
        largest = float(np.exp(score.max()))
        return f"expected improvement {largest:.3g} below {self.floor:.3g}" if largest < self.floor else ""
