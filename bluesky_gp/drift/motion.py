"""Displacement and velocity of a sample, as a Kalman filter has them.

The covariances of a velocity that changes at random: Bar-Shalom, Li & Kirubarajan, Estimation with Applications to
Tracking and Navigation (2001), section 6.2.2.
"""

from dataclasses import dataclass

import numpy as np

from bluesky_gp.typing import Floats


@dataclass(frozen=True, eq=False)
class Motion:
    """What is known of a displacement and its velocity: their mean and their covariance."""

    state: Floats  # (4,): displacement in pixels, velocity in pixels a second
    covariance: Floats  # (4, 4)

    def after(self, moving: float, seconds: float, change: float) -> "Motion":
        """Return what is known some seconds later.

        Parameters
        ----------
        moving : float
            Seconds for which the velocity counts.
        seconds : float
        change : float
            Standard deviation of what the velocity has changed by then.
        """
        carry = np.kron([[1.0, seconds], [0.0, 1.0]], np.eye(2))
        drawn = np.kron([[seconds**2 / 3.0, seconds / 2.0], [seconds / 2.0, 1.0]], np.eye(2)) * change**2
        state = np.kron([[1.0, moving], [0.0, 1.0]], np.eye(2)) @ self.state
        return Motion(state, carry @ self.covariance @ carry.T + drawn)

    def seen(self, displacement: Floats, covariance: Floats) -> "Motion":
        """Return what is known once the displacement is, with all that was known before counted in."""
        gain = self.covariance[:, :2] @ np.linalg.inv(self.covariance[:2, :2])
        return Motion(
            self.state + gain @ (displacement - self.state[:2]),
            self.covariance + gain @ (covariance - self.covariance[:2, :2]) @ gain.T,
        )

    def error_of(self, shift: Floats, ahead: float) -> float:
        """Return the standard deviation of the displacement some seconds ahead, in the direction of a shift."""
        length = float(np.linalg.norm(shift))
        along = np.kron([1.0, ahead], shift / length if length else np.full(2, np.sqrt(0.5)))
        return float(np.sqrt(along @ self.covariance @ along))
