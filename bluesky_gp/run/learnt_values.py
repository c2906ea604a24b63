"""Values that an agent's own scalarizer made, in its stream ``NAME_values``: records are read without that function.

A record has only the name of a user's function. So the agent writes down what it learnt by it, with every decision,
before the event of the decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, isnan
from typing import Any, NoReturn, cast

from bluesky_gp.protocols import Scalarizer
from bluesky_gp.run.difference import ROUNDING
from bluesky_gp.run.outcomes import Outcome
from bluesky_gp.typing import Floats

UNKNOWN = "its value is not in the record so far"


@dataclass(frozen=True)
class LearntValues:
    """Values that a decision learnt of pixels of its run, in the order of their events; NaN: it failed.

    `first` is the place of the first of them among those of the decision: one event has room for a batch.
    """

    iteration: int
    first: int
    values: tuple[float, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any], name: str) -> "LearntValues":
        """Read the data of an event of the stream `name`."""
        num = int(data[f"{name}_num"])
        values = tuple(float(value) for value in list(data[f"{name}_value"])[:num])
        return cls(int(data[f"{name}_iteration"]), int(data[f"{name}_first"]), values)


@dataclass(frozen=True)
class UnmadeScalarizer:
    """Stands for a function that a record has only the name of.

    Parameters
    ----------
    problem : str
        What is to be said where values are needed that the record has not.
    """

    problem: str

    def __call__(self, spectrum: Floats, axis: Floats) -> NoReturn:
        """Raise ValueError: nobody here can make a number of a spectrum."""
        raise ValueError(self.problem)


def made_scalarizer(gp: Mapping[str, Any]) -> Scalarizer | None:
    """Make the scalarizer of a run's agent again, from its entry in the start document; None: it had none.

    For a function of somebody's own an `UnmadeScalarizer` stands.
    """
    if gp.get("scalarizer") is None:
        return None
    from bluesky_gp.plain_data import make_setting  # it needs scikit-learn: a second to import

    try:
        return cast(Scalarizer, make_setting("scalarizer", gp["scalarizer"]))
    except ValueError as error:
        return UnmadeScalarizer(str(error))


class ValuesToCome:
    """Outcomes of a run whose values stand in its record behind them, in their order."""

    def __init__(self, problem: str) -> None:
        self._waiting: list[Outcome] = []
        self._problem = problem

    def add(self, outcome: Outcome) -> None:
        """Take in an outcome without its value."""
        self._waiting.append(outcome)

    def given(self, values: Sequence[float]) -> list[Outcome]:
        """Return the first outcomes that wait, with these values."""
        due, self._waiting = self._waiting[: len(values)], self._waiting[len(values) :]
        if len(due) < len(values):
            raise ValueError(
                f"the record has values of {len(values)} pixels, and lacks {len(values) - len(due)} of them"
            )
        return [_with(outcome, value) for outcome, value in zip(due, values, strict=True)]

    @property
    def waiting(self) -> tuple[Outcome, ...]:
        """Outcomes whose values have not come."""
        return tuple(self._waiting)

    @property
    def left(self) -> list[Outcome]:
        """Outcomes whose values never came: the run ended before they were learnt."""
        unknown = f"the run ended before its value was learnt: {self._problem}"
        return [replace(each, reason=unknown) if each.reason == UNKNOWN else each for each in self._waiting]


def _with(outcome: Outcome, value: float) -> Outcome:
    if outcome.reason != UNKNOWN:
        return outcome
    return replace(outcome, value=value, reason="" if isfinite(value) else "the scalarizer rejected it")


def check_learnt(made: Sequence[Outcome], learnt: Sequence[float]) -> None:
    """Raise ValueError if a scalarizer makes other values than those that were learnt, but for rounding."""
    largest = max((abs(value) for value in learnt if isfinite(value)), default=0.0)
    other = [
        (outcome.pixel, outcome.value, value)
        for outcome, value in zip(made, learnt, strict=True)
        if isnan(outcome.value) != isnan(value) or abs(outcome.value - value) > ROUNDING * largest
    ]
    if other:
        pixel, value, was = other[0]
        raise ValueError(
            f"the scalarizer makes {value:.6g} of the spectrum at pixel {pixel} (flat), where {was:.6g} was learnt, "
            f"and other values at {len(other)} of {len(learnt)} pixels: give the one that the run was measured with; "
            f"to read the run none is needed"
        )
