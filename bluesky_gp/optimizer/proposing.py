"""The choice of what to measure next: first pixels by a design, then batches by the model, in a short path."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from bluesky_gp.gp import GridPosterior, blas_threads
from bluesky_gp.optimizer.batch import Score, Strategy, choose
from bluesky_gp.optimizer.context import StateContext
from bluesky_gp.optimizer.designs import Beginning
from bluesky_gp.optimizer.doubts import with_unscored
from bluesky_gp.optimizer.on_the_way import OnTheWay
from bluesky_gp.optimizer.recipe import Recipe
from bluesky_gp.optimizer.scores import ScoresByPixel
from bluesky_gp.optimizer.short_path import short_path
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.protocols import Acquisition, MapAcquisition, Proposal
from bluesky_gp.typing import Floats, Indices

_MANY = 10_000  # pixels, from which on it pays to remember their scores


@dataclass(frozen=True, eq=False)
class Proposer:
    """A recipe laid out on its grid; proposing is a function of the state."""

    recipe: Recipe
    first: Beginning
    strategy: Strategy

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        """Lay out the first pixels of a recipe."""
        return cls(recipe, recipe.beginning(), recipe.strategy)

    def reason(self, state: OptimizerState, candidates: Indices, *, stopping: bool = True) -> str:
        """Return why there is nothing more to measure; empty: there is. ``stopping=False``: no rule is asked."""
        ruled = next((why for rule in self.recipe.stopping if stopping and (why := rule(state))), "")
        if ruled or len(candidates):
            return ruled
        barred = state.barred is not None and len(replace(state, barred=None).candidates()) > 0
        return "every pixel that is left is barred" if barred else "every pixel was attempted"

    def propose(
        self,
        state: OptimizerState,
        num: int,
        pending: Sequence[int],
        acquisition: Acquisition | MapAcquisition,
        *,
        stopping: bool,
    ) -> Proposal[OptimizerState]:
        """Choose at most `num` pixels, those `pending` (flat indices) counted as measured."""
        candidates = state.candidates(pending)
        reason = self.reason(state, candidates, stopping=stopping)
        if reason or num < 1:
            return Proposal.nothing(state.grid, state, reason)
        rng = np.random.default_rng([self.recipe.seed, state.n_attempted])
        under_way = np.array(pending, dtype=np.intp)
        first = self.first.due(num, state.pixels, under_way, known=state.posterior is not None)
        if first or state.posterior is None:
            others = np.append(self._resting(state), under_way)
            pixels = self.first.next(candidates, first, others, rng, self.recipe.min_distance)
            unranked = np.full(state.grid.size, np.nan)
            return self._on_a_short_path(state, pixels, unranked[pixels], unranked, under_way)
        with blas_threads(state.n_attempted):
            posterior = _with_pending(state.posterior, pending)
            memory: dict[str, Any] = {}

            def score(posterior: GridPosterior, pixels: Indices) -> Floats:
                return StateContext(state, posterior, pixels, rng, memory).scored_by(acquisition)

            by_pixel = getattr(acquisition, "by_pixel", False) and state.grid.size >= _MANY
            remembered = ScoresByPixel(score, state.grid.size) if by_pixel else score
            return self._modelled(state, posterior, candidates, num, remembered)

    def _modelled(
        self, state: OptimizerState, posterior: GridPosterior, candidates: Indices, num: int, score: Score
    ) -> Proposal[OptimizerState]:
        ranking = np.full(state.grid.size, np.nan)
        ranking[candidates] = score(posterior, candidates)
        chosen = choose(
            posterior, state.grid, candidates, score, num, self.strategy, self.recipe.min_distance, self._resting(state)
        )
        warning = with_unscored(state.warning, ranking[candidates])
        state = replace(state, ahead=chosen.ahead.foreseen, warning=warning)
        return self._on_a_short_path(state, chosen.pixels, chosen.scores, ranking, posterior.fantasised)

    def _resting(self, state: OptimizerState) -> Indices:
        """Pixels measured last from which a batch keeps its distance, flat indices."""
        return state.pixels[max(len(state.pixels) - self.recipe.resting, 0) :]

    def _on_a_short_path(
        self, state: OptimizerState, pixels: Indices, scores: Floats, ranking: Floats, under_way: Indices
    ) -> Proposal[OptimizerState]:
        """Return a proposal of flat indices, ordered for a short path from the pixel measured last."""
        grid = state.grid
        rows, last = grid.unravel(pixels), grid.unravel(state.pixels[-1:])
        if isinstance(self.strategy, OnTheWay):
            path = self.strategy.path(grid, pixels, np.concatenate([state.pixels, under_way])[-1:])
        else:
            path = short_path(grid.position(rows), grid.position(last)[0] if len(last) else None)
        return Proposal(
            pixels=rows[path],
            scores=scores[path],
            mean=state.mean.ravel()[pixels[path]],
            std=state.std.ravel()[pixels[path]],
            acquisition=ranking.reshape(grid.shape),
            stop_reason="",
            state=state,
        )


def _with_pending(posterior: GridPosterior, pending: Sequence[int]) -> GridPosterior:
    """Return a posterior as if pixels under way were measured already, at their predicted mean."""
    for pixel in pending:
        posterior = posterior.condition(pixel, float(posterior.mean[pixel]))
    return posterior
