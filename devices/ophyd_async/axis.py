"""A simulated linear axis in the style of ophyd-async."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ophyd_async.core import (
    DeviceMock,
    MovableLogic,
    SignalR,
    StandardMovable,
    StandardReadable,
    TimeoutCalculator,
    default_mock_class,
    soft_signal_r_and_setter,
    soft_signal_rw,
)
from ophyd_async.core import StandardReadableFormat as Format

from bluesky_gp.devices.axes import Limits

_STEP = 0.02  # s between two read-backs of a move


@dataclass
class AxisLogic(MovableLogic[float]):
    """Motion of the simulated axis: at constant velocity; stopped, it stays."""

    show: Callable[[float], None]
    velocity: SignalR[float]
    limits: Limits

    async def check_move(self, new_position: float) -> None:
        """Raise ValueError if a position is no number or beyond the limits."""
        low, high = self.limits
        if not np.isfinite(new_position) or (low < high and not low <= new_position <= high):
            raise ValueError(f"{self.readback.name}: {new_position} is outside the limits {low:g} to {high:g}")

    async def move(self, new_position: float, timeout: TimeoutCalculator) -> None:
        """Move, showing the position on the way."""
        velocity, start = await asyncio.gather(self.velocity.get_value(), self.readback.get_value())
        await self.setpoint.set(new_position)
        travel = abs(new_position - start) / velocity if velocity else 0.0
        began = time.monotonic()
        while (passed := time.monotonic() - began) < travel:
            self.show(start + (new_position - start) * passed / travel)
            await asyncio.sleep(min(_STEP, travel - passed))
        self.show(new_position)


@default_mock_class(DeviceMock)
class AsyncAxis(StandardReadable, StandardMovable[float]):
    """A simulated linear axis; it is there at once unless it has a velocity.

    Event key: its name. Configuration: ``NAME_velocity``.

    Parameters
    ----------
    velocity : float, optional
        Units a second; 0, the default, is infinite.
    limits : sequence of two floats, optional
        Lowest and highest position; equal ones, the default, are none.
    position : float, optional
        Where it starts.
    units : str, optional
        Unit of the position.
    name : str, optional
        ``with init_devices():`` gives one.
    """

    def __init__(
        self,
        *,
        velocity: float = 0.0,
        limits: Sequence[float] = (0.0, 0.0),
        position: float = 0.0,
        units: str = "px",
        name: str = "",
    ) -> None:
        low, high = limits
        self.limits = (float(low), float(high))
        with self.add_children_as_readables(Format.HINTED_SIGNAL):
            self.readback, self._show = soft_signal_r_and_setter(float, position, units=units, precision=4)
        with self.add_children_as_readables(Format.CONFIG_SIGNAL):
            self.velocity = soft_signal_rw(float, velocity, units=f"{units}/s")
        self.setpoint = soft_signal_rw(float, position, units=units)
        super().__init__(name=name)

    @cached_property
    def movable_logic(self) -> AxisLogic:
        """Logic of its motion."""
        return AxisLogic(
            setpoint=self.setpoint, readback=self.readback, show=self._show, velocity=self.velocity, limits=self.limits
        )

    def set_name(self, name: str, *, child_name_separator: str | None = None) -> None:
        """Name it and its signals as classic devices do, with underscores."""
        super().set_name(name, child_name_separator="_")
