"""Decisions made before a run, complete enough to reproduce the optimizer's state.

It stands in the start document of every run that begins with knowledge, as plain data, so that a run can be replayed
and resumed from its own record, whatever became of the runs before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite, nan
from typing import Any

import numpy as np

from bluesky_gp.packed import as_text, from_text
from bluesky_gp.run.actions import AGREE, EDIT, VETO, Action
from bluesky_gp.run.outcomes import Outcome
from bluesky_gp.typing import Floats

Point = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One decision: what it learnt, how many pixels it was asked for, what it proposed (flat indices) and heeded.

    One that was made ahead, while the batch before it was still measured, counted those pixels as pending.
    """

    learnt: tuple[Outcome, ...]
    asked: int
    proposed: tuple[int, ...]
    heeded: tuple[Action, ...] = ()
    pending: int = 0  # pixels under way, counted as measured at their predicted mean


@dataclass(frozen=True)
class History:
    """Decisions made before a run, and the pixels behind them.

    Parameters
    ----------
    uid : str
        Of the run that is resumed; "" if none is.
    told : tuple of Mapping
        What the optimizer had been told before the first run: ``{"_id": ..., TARGET: ...}``, NaN where it failed.
    steps : tuple of Step
        The decisions of the run that is resumed, and of those that it resumed.
    unlearnt : tuple of Outcome
        What was measured after the last of them.
    unheeded : tuple of Action
        What people asked for after the last of them.
    """

    uid: str = ""
    told: tuple[Point, ...] = ()
    steps: tuple[Step, ...] = ()
    unlearnt: tuple[Outcome, ...] = ()
    unheeded: tuple[Action, ...] = ()

    @property
    def heeded(self) -> tuple[Action, ...]:
        """Actions that the last decision knew."""
        return tuple(action for step in self.steps for action in step.heeded)

    @property
    def learnt(self) -> tuple[Outcome, ...]:
        """Outcomes that the last decision knew."""
        return tuple(outcome for step in self.steps for outcome in step.learnt)

    @property
    def attempted(self) -> frozenset[int]:
        """Flat indices of the pixels that were measured or failed, those of `told` apart."""
        return frozenset(outcome.pixel for outcome in (*self.learnt, *self.unlearnt))

    @property
    def n_outcomes(self) -> int:
        """Number of measurements and failures."""
        return len(self.learnt) + len(self.unlearnt)

    @property
    def rest(self) -> tuple[int, ...]:
        """Flat indices of the last batch that were abandoned; none of a batch that a person wanted otherwise."""
        answered = any(action.kind in (EDIT, VETO) for action in self.unheeded)
        proposed = self.steps[-1].proposed if self.steps and not answered else ()
        return tuple(pixel for pixel in proposed if pixel not in self.attempted)

    @property
    def is_agreed(self) -> bool:
        """Whether a person agreed to the last batch, or put it together."""
        edited = bool(self.steps) and any(action.kind == EDIT for action in self.steps[-1].heeded)
        return edited or any(action.kind == AGREE for action in self.unheeded)

    @property
    def untimed(self) -> "History":
        """The same without the times of earlier runs, as a start document has it."""
        steps = tuple(replace(step, learnt=_untimed(step.learnt)) for step in self.steps)
        return replace(self, steps=steps, unlearnt=_untimed(self.unlearnt))

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for the start document, under ``gp``."""
        plain: dict[str, Any] = {}
        if self.told:
            plain["known"] = [_plain(point) for point in self.told]
        if self.uid:
            outcomes = (*self.learnt, *self.unlearnt)
            plain["resumed_from"] = {
                "uid": self.uid,
                "n_decisions": len(self.steps),
                "n_attempted": len(self.attempted),
                "asked": [step.asked for step in self.steps],
                "proposed": [list(step.proposed) for step in self.steps],
                "learnt": [len(step.learnt) for step in self.steps],
                "pixels": [outcome.pixel for outcome in outcomes],
                "values": [None if outcome.failed else outcome.value for outcome in outcomes],
            }
            others = {name: packed(outcomes, name) for name in _names(outcomes)}
            plain["resumed_from"] |= {"others": others} if others else {}
            if actions := [action.to_mapping() for action in (*self.heeded, *self.unheeded)]:
                plain["resumed_from"] |= {"actions": actions, "heeded": [len(step.heeded) for step in self.steps]}
            if any(step.pending for step in self.steps):
                plain["resumed_from"] |= {"pending": [step.pending for step in self.steps]}
        return plain

    @classmethod
    def of(cls, gp: Mapping[str, Any]) -> "History":
        """Read what `to_mapping` wrote.

        Raises
        ------
        ValueError
            If it is damaged.
        """
        try:
            told = tuple({name: _number(value) for name, value in point.items()} for point in gp.get("known") or ())
            return _resumed(told, gp["resumed_from"]) if gp.get("resumed_from") else cls(told=told)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"what the run inherited is damaged in its start document: {error}") from error


def _untimed(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    return tuple(replace(outcome, seconds=0.0) for outcome in outcomes)


def _resumed(told: tuple[Point, ...], value: Mapping[str, Any]) -> History:
    pairs = zip(value["pixels"], value["values"], strict=True)
    others = unpacked(value.get("others", {}), len(value["pixels"]))
    actions = tuple(Action.of(action) for action in value.get("actions", ()))
    outcomes = tuple(
        Outcome(int(pixel), nan if v is None else float(v), "failed" if v is None else "", others=further)
        for (pixel, v), further in zip(pairs, others, strict=True)
    )
    counts = value["learnt"], value.get("heeded", [0] * len(value["learnt"]))
    learnt, heeded = (np.cumsum([0, *count], dtype=int).tolist() for count in counts)
    pending = value.get("pending", [0] * len(value["learnt"]))
    columns = (value["asked"], value["proposed"], *(list(pairwise(ends)) for ends in (learnt, heeded)), pending)
    if len({len(column) for column in columns}) > 1 or learnt[-1] > len(outcomes) or heeded[-1] > len(actions):
        raise ValueError("its parts do not fit together")
    steps = tuple(
        Step(outcomes[slice(*new)], int(asked), tuple(map(int, proposed)), actions[slice(*ordered)], int(under_way))
        for asked, proposed, new, ordered, under_way in zip(*columns, strict=True)
    )
    return History(str(value["uid"]), told, steps, outcomes[learnt[-1] :], actions[heeded[-1] :])


def _names(outcomes: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(name for outcome in outcomes for name in outcome.others))


def packed(outcomes: Sequence[Outcome], name: str) -> Any:
    """Write one auxiliary quantity of every outcome: as a list, spectra (thousands of numbers each) in base64."""
    values = [outcome.others.get(name) for outcome in outcomes]
    if any(np.ndim(value) for value in values if value is not None):
        return [None if value is None else as_text(np.asarray(value)) for value in values]
    return [None if value is None or not isfinite(value) else value for value in values]


def unpacked(others: Mapping[str, Any], n: int) -> list[dict[str, float | Floats]]:
    """Read what `packed` wrote, outcome by outcome."""
    if any(len(values) != n for values in others.values()):
        raise ValueError("its auxiliary quantities are not as many as its pixels")
    return [
        {
            name: from_text(values[i]) if isinstance(values[i], str) else float(values[i])
            for name, values in others.items()
            if values[i] is not None
        }
        for i in range(n)
    ]


def _plain(point: Point) -> dict[str, Any]:
    return {name: as_text(np.asarray(v)) if np.ndim(v) else v if isfinite(v) else None for name, v in point.items()}


def _number(value: Any) -> Any:
    return nan if value is None else from_text(value) if isinstance(value, str) else value
