"""The optimizer as it was at a decision: out of the record, with the hyperparameters that stand in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any, cast

import numpy as np

from bluesky_gp.optimizer import OptimizerState, PixelOptimizer, Ranking, Recipe, recall, recall_next
from bluesky_gp.protocols import Proposal
from bluesky_gp.run import History, Orders, Outcome, RunRecord, Step, points_of, steps_of
from bluesky_gp.typing import Floats


@dataclass(frozen=True, eq=False)
class Moment:
    """A decision of a run, and what was known when it was made.

    Parameters
    ----------
    record : RunRecord
    number : int
        Of the decision in this run, from 0.
    before : OptimizerState, optional
        The state at the decision before, from which this one's is had sooner.
    """

    record: RunRecord
    number: int
    before: OptimizerState | None = None

    def __post_init__(self) -> None:
        num = len(self.record.iterations.get("iteration", ()))
        if not 0 <= self.number < num:
            raise ValueError(
                f"run {self.record.start['uid'][:8]} has {num} decisions, and none of number {self.number}"
            )

    @cached_property
    def optimizer(self) -> PixelOptimizer:
        """An optimizer with the settings that held then, which knows nothing.

        Raises
        ------
        ValueError
            If the record has only the name of one of them.
        """
        return cast(PixelOptimizer, self.orders.changed(PixelOptimizer.of(Recipe.of(self.record.start["gp"]))))

    @property
    def recipe(self) -> Recipe:
        """Settings that held then."""
        return self.optimizer.recipe

    @cached_property
    def orders(self) -> Orders:
        """All that people had asked for, and that still held."""
        orders = Orders()
        for step in self.steps:
            orders = orders.after(step.heeded, step.learnt, self.record.grid)
        return orders

    @property
    def by_hand(self) -> tuple[int, ...]:
        """Flat indices of the pixels of the batch that a person put into it."""
        own = self.record.iterations.get("by_hand")
        flags = () if own is None else own[self.number]
        return tuple(pixel for pixel, flag in zip(self.proposed, flags, strict=False) if flag == 1)

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
        if self.before is not None and self.before.posterior is not None and self._since_fit:
            state = recall_next(self.recipe, self.before, batches[-1])
        else:
            state = recall(self.recipe, batches, theta, len(batches) - self._since_fit)
        return self.optimizer.barring(state, self.orders.barred)

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
        return chosen_by(self.recipe, self.state, self.to_choose, self.by_hand)

    @property
    def to_choose(self) -> int:
        """For how many pixels the optimizer was asked, beside those of people."""
        return 0 if self.orders.batch is not None else self.steps[-1].asked - len(self.by_hand)

    def as_of(self) -> RunRecord:
        """Return the record as it was when the decision was made, without maps."""
        base, known = self.record.inherited, self.outcomes
        own = known[len((*base.learnt, *base.unlearnt)) :]
        columns = {name: column[: self.number + 1] for name, column in self.record.iterations.items()}
        return replace(self.record, outcomes=own, iterations=columns, maps={})


def maps_of(moment: Moment) -> dict[str, Floats]:
    """Return mean, standard deviation and acquisition function of every pixel at a decision."""
    state = moment.state
    proposal = moment.optimizer.propose(state, min(1, moment.to_choose), pending=moment.by_hand, stopping=False)
    return {"mean": state.mean, "std": state.std, "acquisition": proposal.acquisition}


@dataclass(frozen=True, eq=False)
class Choice:
    """A batch as an optimizer chooses it, and why each pixel is in it."""

    proposal: Proposal[OptimizerState]
    pursued: dict[int, bool]  # flat index -> by the acquisition function, rather than to explore; in order of choice
    by_design: bool  # the first pixels of a run, which no model chose


def chosen_by(recipe: Recipe, state: OptimizerState, num: int, pending: Sequence[int] = ()) -> Choice:
    """Choose a batch, pixels `pending` counted as measured; note for each whether the acquisition function chose it."""
    noted: list[tuple[int, bool]] = []

    def noting(place: Any) -> Ranking:
        ranking = recipe.strategy(place)
        noted.append((place.number, ranking.scores is not None))
        return ranking

    own = replace(recipe, batch=noting, purpose=None)
    proposal = PixelOptimizer.of(own).propose(state, num, pending=pending, stopping=False)
    ahead = proposal.state.ahead
    order = [] if ahead is None or not noted else ahead.pixels.tolist()[len(pending) :]
    pursued = {pixel: by for pixel, (_, by) in zip(order, noted, strict=False)}
    return Choice(proposal, pursued, by_design=bool(len(proposal.pixels)) and not noted)


def batches_of(history: History, steps: list[Step], target: str) -> list[Any]:
    """Return what an optimizer was told, batch by batch: by hand before the first run, then after every decision."""
    told = [_told(history, target)] if history.told else []
    proposed: tuple[int, ...] = ()
    for step in steps:
        told.append(points_of(step.learnt, proposed, target, step.heeded))
        proposed = step.proposed
    return told


def _told(history: History, target: str) -> Any:
    return (
        [point for point in history.told if isfinite(point[target])],
        [point for point in history.told if not isfinite(point[target])],
    )
