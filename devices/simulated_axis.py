"""A simulated linear axis: what a stage moves unless it is given axes."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Location, Reading
from ophyd import Device
from ophyd.status import StatusBase
from ophyd.utils import LimitError

from bluesky_gp.devices.slips import check_arguments


class SimulatedAxis(Device):
    """A linear axis; it is there at once unless it has a velocity or a settling time.

    Event keys: ``NAME`` (read-back, hinted) and ``NAME_setpoint``.

    Parameters
    ----------
    prefix : str, optional
        Not used: loaders of devices pass one.
    position : float, optional
        Where it starts.
    velocity : float, optional
        Units a second; 0, the default, is infinite.
    settle : float, optional
        Seconds after a move until its Status ends.
    limits : sequence of two floats, optional
        Lowest and highest set-point; equal ones, the default, are none.
    noise : float, optional
        Standard deviation of the read-back about the true position after each move, seeded by `seed`.
    units : str, optional
        Unit of the position.
    name : str
        Name of the device.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        position: float | int = 0.0,
        velocity: float | int = 0.0,
        settle: float | int = 0.0,
        limits: Sequence[float] = (0.0, 0.0),
        noise: float | int = 0.0,
        units: str = "px",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        check_arguments(type(self), name, kwargs)
        super().__init__(prefix, name=name, **kwargs)
        if velocity < 0 or settle < 0 or noise < 0:
            raise ValueError(f"{name}: velocity, settle and noise must not be negative, got {velocity, settle, noise}")
        if not isinstance(units, str):
            raise TypeError(f"{name}: units must be a text such as 'um', got {units!r}")
        if np.shape(limits) != (2,):
            raise ValueError(f"{name}: limits must be two numbers, the lowest and the highest, got {limits!r}")
        self.limits = (float(limits[0]), float(limits[1]))
        self.velocity, self.settle, self.noise, self.units = float(velocity), float(settle), float(noise), units
        self._rng = np.random.default_rng(seed)
        self._start = self._setpoint = float(position)
        self._error = 0.0  # of the read-back, in units
        self._began = self._arrives = time.monotonic()  # the wall clock may be set back in the middle of a move
        self._asked_at = time.time()
        self._moving: StatusBase | None = None
        self._timer: threading.Timer | None = None
        self._ending = threading.Lock()  # a move ends on its timer's thread and is stopped from another

    @property
    def position(self) -> float:
        """Position of the axis, noise of the read-back included."""
        return self._position_at(time.monotonic()) + self._error

    def check_value(self, value: float) -> None:
        """Raise LimitError if `value` is no number or beyond the limits."""
        low, high = self.limits
        if not np.isfinite(value) or (low < high and not low <= value <= high):
            raise LimitError(f"{self.name}: {value} {self.units} is outside the limits {low:g} to {high:g}")

    def set(self, value: float) -> StatusBase:
        """Start a move from where the axis is; a move that is under way fails."""
        self.check_value(value)
        self._end(RuntimeError(f"{self.name}: a move to {value:g} was asked for before this one ended"))
        now, self._asked_at = time.monotonic(), time.time()
        self._start, self._setpoint = self._position_at(now), float(value)
        self._error = float(self.noise * self._rng.standard_normal()) if self.noise else 0.0
        travel = abs(self._setpoint - self._start) / self.velocity if self.velocity else 0.0
        self._began, self._arrives = now, now + travel
        status = StatusBase()
        if travel + self.settle > 0:
            self._moving = status
            self._timer = threading.Timer(travel + self.settle, self._end, args=(None, status))
            self._timer.daemon = True
            self._timer.start()
        else:
            status.set_finished()
        return status

    def stop(self, *, success: bool = False) -> None:
        """Stay where the axis is; the Status of the move fails unless `success`."""
        now = time.monotonic()
        self._start = self._position_at(now)
        if now < self._arrives:
            self._setpoint, self._asked_at = self._start, time.time()
        self._began = self._arrives = now
        self._end(None if success else RuntimeError(f"{self.name}: stopped at {self._start:g} {self.units}"))
        super().stop(success=success)

    def locate(self) -> Location[float]:
        """Return set-point and read-back."""
        return {"setpoint": self._setpoint, "readback": self.position}

    def read(self) -> dict[str, Reading[float]]:
        """Return read-back and set-point."""
        return {
            self.name: {"value": self.position, "timestamp": time.time()},
            f"{self.name}_setpoint": {"value": self._setpoint, "timestamp": self._asked_at},
        }

    def describe(self) -> dict[str, Any]:
        """Return the data keys of `read`."""
        low, high = self.limits
        data_key = {"dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": self.units, "precision": 4}
        if low < high:
            data_key["limits"] = {"control": {"low": low, "high": high}}
        keys = (self.name, f"{self.name}_setpoint")
        return {key: {**data_key, "source": f"SIM:{key}", "object_name": self.name} for key in keys}

    @property
    def hints(self) -> Hints:
        """Plots and tables show the read-back."""
        return {"fields": [self.name]}

    def _position_at(self, now: float) -> float:
        if now >= self._arrives:
            return self._setpoint
        part = (now - self._began) / (self._arrives - self._began)
        return self._start + part * (self._setpoint - self._start)

    def _end(self, failure: Exception | None, status: StatusBase | None = None) -> None:
        """End the move under way, or none if `status` belongs to an older one."""
        with self._ending:
            current = self._moving
            if current is None or status not in (None, current):
                return
            self._moving = None
        if self._timer is not None:
            self._timer.cancel()
        if failure is None:
            current.set_finished()
        else:
            current.set_exception(failure)
