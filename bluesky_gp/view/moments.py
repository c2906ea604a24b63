"""The optimizer as it was at a decision: out of the record, with the hyperparameters that stand in it."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np

from bluesky_gp.optimizer import OptimizerState, PixelOptimizer, Ranking, Recipe, recall
from bluesky_gp.protocols import Proposal
from bluesky_gp.run import History, Outcome, RunRecord, Step, points_of, steps_of
from bluesky_gp.typing import Floats


@dataclass(frozen=True, eq=False)
class Moment:
    """A decision of a run, and what was known when it was made.

    Parameters
    ----------
    record : RunRecord
    number : int
        Of the decision in this run, from 0.
    """

    record: RunRecord
    number: int

    def __post_init__(self) -> None:
        num = len(self.record.iterations.get("iteration", ()))
        if not 0 <= self.number < num:
            raise ValueError(
                f"run {self.record.start['uid'][:8]} has {num} decisions, and none of number {self.number}"
            )

    @cached_property
    def recipe(self) -> Recipe:
        """Settings of the run's optimizer.

        Raises
        ------
        ValueError
            If the record has only the name of one of them.
        """
        return Recipe.of(self.record.start["gp"])

    @cached_property
    def optimizer(self) -> PixelOptimizer:
        """An optimizer of these settings, which knows nothing yet."""
        return PixelOptimizer.of(self.recipe)

    @cached_property
    def steps(self) -> list[Step]:
        """The decisions up to this one, those of the runs that this one resumes first."""
        return [*self.record.inherited.steps, *steps_of(self.record)[: self.number + 1]]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Pixels that were known, in order."""
        return tuple(outcome for step in self.steps for outcome in step.learnt)

    @property
    def proposed(self) -> tuple[int, ...]:
        """Flat indices of the pixels that it chose."""
        return self.steps[-1].proposed

    @cached_property
    def state(self) -> OptimizerState:
        """What the optimizer knew; as it was but for rounding."""
        theta = self.record.iterations["kernel_theta"][self.number]
        batches = batches_of(self.record.inherited, self.steps, self.record.start["gp"]["optimizer_target"])
        return recall(self.recipe, batches, theta, len(batches) - self._since_fit)

    @property
    def _since_fit(self) -> int:
        """Number of batches since the latest fit: as many as left the likelihood as it was."""
        likelihoods = self.record.iterations["log_marginal_likelihood"][: self.number + 1][::-1]
        if not isfinite(likelihoods[0]):
            return 0
        other = np.flatnonzero(likelihoods != likelihoods[0])
        return int(other[0]) - 1 if len(other) else len(likelihoods) - 1

    @cached_property
    def choice(self) -> "Choice":
        """The same decision made again, with the reason for every pixel."""
        return chosen_by(self.recipe, self.state, self.steps[-1].asked)

    def as_of(self) -> RunRecord:
        """Return the record as it was when the decision was made, without maps."""
        base, known = self.record.inherited, self.outcomes
        own = known[len((*base.learnt, *base.unlearnt)) :]
        columns = {name: column[: self.number + 1] for name, column in self.record.iterations.items()}
        return replace(self.record, outcomes=own, iterations=columns, maps={})


def maps_of(moment: Moment) -> dict[str, Floats]:
    """Return mean, standard deviation and acquisition function of every pixel at a decision."""
    state, asked = moment.state, moment.steps[-1].asked
    proposal = moment.optimizer.propose(state, min(1, asked), stopping=False)
    return {"mean": state.mean, "std": state.std, "acquisition": proposal.acquisition}


@dataclass(frozen=True, eq=False)
class Choice:
    """A batch as an optimizer chooses it, and why each pixel is in it."""

    proposal: Proposal[OptimizerState]
    pursued: dict[int, bool]  # flat index -> by the acquisition function, rather than to explore; in order of choice
    by_design: bool  # the first pixels of a run, which no model chose


def chosen_by(recipe: Recipe, state: OptimizerState, num: int) -> Choice:
    """Choose a batch, and note for every place of it whether the acquisition function chose."""
    noted: list[tuple[int, bool]] = []

    def noting(place: Any) -> Ranking:
        ranking = recipe.strategy(place)
        noted.append((place.number, ranking.scores is not None))
        return ranking

    own = replace(recipe, batch=noting, purpose=None)
    proposal = PixelOptimizer.of(own).propose(state, num, stopping=False)
    ahead = proposal.state.ahead
    order = [] if ahead is None or not noted else ahead.pixels.tolist()
    pursued = {pixel: by for pixel, (_, by) in zip(order, noted, strict=False)}
    return Choice(proposal, pursued, by_design=bool(len(proposal.pixels)) and not noted)


def batches_of(history: History, steps: list[Step], target: str) -> list[Any]:
    """Return what an optimizer was told, batch by batch: by hand before the first run, then after every decision."""
    told = [_told(history, target)] if history.told else []
    proposed: tuple[int, ...] = ()
    for step in steps:
        told.append(points_of(step.learnt, proposed, target))
        proposed = step.proposed
    return told


def _told(history: History, target: str) -> Any:
    return (
        [point for point in history.told if isfinite(point[target])],
        [point for point in history.told if not isfinite(point[target])],
    )
