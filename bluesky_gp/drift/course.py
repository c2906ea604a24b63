"""The course of a sample that drifts: where it lies, how fast it goes, and the correction that follows."""

from dataclasses import dataclass, field

import numpy as np

from bluesky_gp.drift.errors import DriftError
from bluesky_gp.typing import Floats

STEP = 0.5  # pixels: a pixel farther off is its neighbour


@dataclass(frozen=True)
class DriftLimits:
    """The bounds of a correction, in pixels of the map.

    Attributes
    ----------
    window : float
        Farthest that a shift may lie from the guess, along an axis.
    limit : float
        Largest correction along an axis.
    agreement : float
        Least agreement of what is seen with what is known: of images, their correlation.
    """

    window: float = 5.0
    limit: float = np.inf
    agreement: float = 0.4


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """The displacement of a sample by what was seen last, and what is to be expected."""

    origin: Floats  # displacement that the reference stands for
    displacement: Floats
    time: float  # s, of what was seen last
    velocity: Floats = field(default_factory=lambda: np.zeros(2))  # pixels a second
    interval: float = 0.0  # s, between the latest two
    ahead: float = 0.0  # s, for which the correction looks ahead
    agreement: float = 1.0
    uncertainty: float = 0.0  # standard deviation of the displacement, in its least certain direction
    number: int = 0  # of the latest
    compared: int = 0  # number of the reference
    renewed: bool = True  # the latest is the reference of those to come
    limits: DriftLimits = field(default_factory=DriftLimits)

    @property
    def expected(self) -> Floats:
        """Displacement in the middle of the time until the next look, shape ``(2,)``."""
        return self.displacement + self.velocity * self.ahead

    @property
    def correction(self) -> Floats:
        """Correction to be made now, shape ``(2,)``."""
        return np.clip(self.expected, -self.limits.limit, self.limits.limit)

    @property
    def left(self) -> Floats:
        """Displacement that is not corrected because of the limit, shape ``(2,)``."""
        return self.expected - self.correction

    def check_reach(self) -> None:
        """Raise DriftError if the limit leaves more than half a pixel uncorrected."""
        if np.abs(self.left).max() > STEP:
            raise DriftError(
                f"drift: the sample has moved by {shown(self.expected)} pixels, and corrections end at limit="
                f"{self.limits.limit:g}: what is left, {shown(self.left)}, would put values into wrong pixels. Bring "
                f"the sample back, or raise the limit"
            )


def largest_std(covariance: Floats) -> float:
    """Return the standard deviation in the least certain direction."""
    return float(np.sqrt(max(np.linalg.eigvalsh(covariance)[-1], 0.0)))


def shown(pixels: Floats) -> str:
    """Return a displacement as a sentence has it."""
    return f"({', '.join(f'{p:.2f}' for p in pixels)})"
