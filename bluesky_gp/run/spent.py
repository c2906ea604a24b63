"""Seconds of a run by what the instrument did in them, as its plan saw them pass."""

from dataclasses import dataclass, replace
from math import nan
from typing import Literal, Self

Doing = Literal["exposing", "moving", "waiting", "recording"]


@dataclass(frozen=True)
class Spent:
    """Seconds since a run began; NaN where nobody counts them.

    Attributes
    ----------
    exposing : float
        Exposures, and flights as a whole.
    moving : float
        Of the stage, settling included.
    waiting : float
        For decisions of the agent.
    recording : float
        Readings and documents.
    """

    exposing: float = nan
    moving: float = nan
    waiting: float = nan
    recording: float = nan

    @classmethod
    def nothing(cls) -> Self:
        """Return a count that begins."""
        return cls(0.0, 0.0, 0.0, 0.0)

    def after(self, doing: Doing, seconds: float) -> Self:
        """Return the count so many seconds later."""
        return replace(self, **{doing: getattr(self, doing) + seconds})
