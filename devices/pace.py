"""Speeds and settling of a stage, as its axes know them."""

from collections.abc import Sequence
from typing import Any, TypedDict

AT_ONCE = 1e9
"""Speed of an axis that is there at once, in units a second: a record keeps no infinite numbers."""


class Pace(TypedDict):
    """What `OnTheWay` has to know of a stage."""

    speed: float | Sequence[float]
    settle: float


def pace_of(stage: Any, *, speed: float | Sequence[float] | None = None, settle: float | None = None) -> Pace:
    """Return speed and settling of a stage, for ``OnTheWay(**pace_of(stage), exposure=0.1)``.

    Simulated axes have a velocity, motor records VELO and ACCL; both have a settling time. What is given counts, and is
    not asked of the axes.

    Parameters
    ----------
    stage : PixelStage or sequence of Movable
    speed : float or sequence of float, optional
        Of each axis, in its units a second.
    settle : float, optional
        Seconds after a move, starting and braking included.

    Raises
    ------
    ValueError
        If an axis does not say its speed, or has none.

    Examples
    --------
    >>> from bluesky_gp.devices import PixelStage, SimulatedAxis
    >>> axes = SimulatedAxis(name="y", velocity=0.5, settle=0.02), SimulatedAxis(name="x", velocity=5.0)
    >>> pace_of(PixelStage(grid={"shape": [8, 8]}, axes=axes, name="stage"))
    {'speed': (0.5, 5.0), 'settle': 0.02}
    """
    axes = getattr(stage, "axes", stage)
    return {
        "speed": tuple(map(_speed, axes)) if speed is None else speed,
        "settle": max(map(_settle, axes)) if settle is None else settle,
    }


def _speed(axis: Any) -> float:
    velocity = _number(getattr(axis, "velocity", None))
    if velocity == 0.0 and isinstance(axis.velocity, float):  # of a simulated axis: a motor record that says 0 stands
        return AT_ONCE
    if velocity is None or not velocity > 0.0:
        raise ValueError(f"{axis.name}: its speed is {velocity}; give one: pace_of(stage, speed=...)")
    return velocity


def _settle(axis: Any) -> float:
    """Return the settling time of an axis, and what starting and braking take."""
    settling = (_number(getattr(axis, name, None)) or 0.0 for name in ("settle", "settle_time"))
    return max(settling) + (_number(getattr(axis, "acceleration", None)) or 0.0)


def _number(value: Any) -> float | None:
    """Return a number, or that of a signal; None if it is neither."""
    found = value.get() if hasattr(value, "get") else value
    return float(found) if isinstance(found, int | float) else None
