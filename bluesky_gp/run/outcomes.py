"""Outcomes of pixels: measured, failed, rejected or marked by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bluesky_gp.typing import Floats

FAULT = "fault"
REJECTED = "rejected"
BY_HAND = "by hand"
"""Kinds of failures: of the instrument; a finished measurement that the scalarizer rejected; marked by a person."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one pixel: a value, or why there is none."""

    pixel: int  # flat index
    value: float  # NaN: failed
    reason: str = ""  # why it failed
    fault: bool = False  # by the instrument, rather than a finished measurement that the scalarizer rejected
    seconds: float = 0.0  # from the start document to its event, by their times
    others: Mapping[str, float | Floats] = field(default_factory=dict, compare=False, repr=False)  # by the user's names

    @property
    def failed(self) -> bool:
        """Whether there is no value to learn from."""
        return bool(self.reason)


def final_outcomes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that no later one of the same pixel takes back.

    A failure takes back what was measured before it (a pixel marked as failed by hand), a value the failures before
    it. Several values of one pixel all count.
    """
    last = {outcome.pixel: outcome for outcome in outcomes}
    return [o for o in outcomes if o is last[o.pixel] or not (o.failed or last[o.pixel].failed)]
