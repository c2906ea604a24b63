"""A minimum in few steps: BFGS that begins with a guess of the curvature, within bounds.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
x       where it is                                               (n,)
f, g    value and gradient there                                  (), (n,)
H       the curvature as it is believed, positive definite        (n, n)
======  ========================================================  ============

Nocedal & Wright, Numerical Optimization (2006): eq. 6.19 (the update), procedure 18.2 (Powell's damping of it). A
likelihood costs milliseconds an evaluation, and what values say of its curvature next to nothing (`Evidence`): L-BFGS,
which has to find that out, takes three to five times as many.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult

from bluesky_gp.typing import Floats

Objective = Callable[[Floats], tuple[float, Floats]]
"""Value and gradient."""

BROKEN = 1e25  # value where there is none: a number, as L-BFGS goes on from it
_GAIN = 1e-3  # predicted of the next step, below which there is none: hyperparameters differ by 0.5
_LONGEST = 1.5  # step in any entry: a factor of 4.5 in a hyperparameter
MOST = 40  # evaluations; from the last hyperparameters it takes 3 to 6
_STUBBORN = 1e6  # damping at which no step leads down
_FIRST_DAMPING, _MORE, _LESS = 0.3, 4.0, 0.2


@dataclass(frozen=True)
class Place:
    """A point, and what is believed of its surroundings."""

    x: Floats
    f: float
    g: Floats
    H: Floats

    def step(self, bounds: Floats, damping: float) -> Floats:
        """Return the step to the minimum of the parabola, shortened by damping (Levenberg, Marquardt) and bounds."""
        free = ~self._held(bounds)
        within, d = self.H[np.ix_(free, free)], np.zeros(len(self.x))
        d[free] = -np.linalg.solve(within + damping * np.diag(np.diagonal(within)), self.g[free])
        longest = float(np.abs(d).max(initial=0.0))
        return np.clip(self.x + d * min(1.0, _LONGEST / max(longest, _LONGEST)), *bounds.T) - self.x

    def gain(self, step: Floats) -> float:
        """Return by how much the parabola falls."""
        return -float(self.g @ step + 0.5 * step @ self.H @ step)

    def moved(self, step: Floats, f: float, g: Floats) -> Self:
        """Return the point at the end of a step; the curvature has learnt from the two gradients."""
        return type(self)(self.x + step, f, g, _learnt(self.H, step, g - self.g))

    def warned(self, step: Floats, g: Floats) -> Self:
        """Return the point, whose curvature has learnt from a step that led up."""
        return replace(self, H=_learnt(self.H, step, g - self.g))

    def _held(self, bounds: Floats) -> npt.NDArray[np.bool_]:
        """Whether each entry is at a bound beyond which it would go."""
        low, high = bounds.T
        return np.asarray(((self.x <= low) & (self.g > 0.0)) | ((self.x >= high) & (self.g < 0.0)))


def descend(
    objective: Objective, begin: Place, bounds: Floats, *, most: int = MOST, heeding: bool = False
) -> OptimizeResult:
    """Minimise within bounds, shape ``(n, 2)``, from a place whose curvature is known about.

    In at most so many evaluations; `heeding`: steps that led up teach the curvature too.
    """
    place, damping, evaluations = begin, 0.0, 0
    while evaluations < most and damping < _STUBBORN:
        try:
            step = place.step(bounds, damping)
        except np.linalg.LinAlgError:  # it goes down and down in one direction
            break
        gain = place.gain(step)
        if gain < _GAIN:
            return OptimizeResult(x=place.x, fun=place.f, nfev=evaluations, success=True)
        f, g = objective(place.x + step)
        evaluations += 1
        if f < place.f:
            damping = _LESS * damping if place.f - f > 0.5 * gain else damping
            place = place.moved(step, f, g)
        else:
            place = place.warned(step, g) if heeding and f < BROKEN else place
            damping = max(_MORE * damping, _FIRST_DAMPING)
    return OptimizeResult(x=place.x, fun=place.f, nfev=evaluations, success=False)


def _learnt(H: Floats, step: Floats, change: Floats) -> Floats:
    """Return the curvature after a step along which the gradient changed."""
    along = H @ step
    curved = float(step @ along)
    if curved <= 0.0:
        return H
    if step @ change < 0.2 * curved:  # it curves less than believed, or the other way: believe a part of it
        share = 0.8 * curved / (curved - float(step @ change))
        change = share * change + (1.0 - share) * along
    return np.asarray(H - np.outer(along, along) / curved + np.outer(change, change) / float(step @ change))
