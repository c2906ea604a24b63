"""A stage in the style of ophyd-async: an axis, and two of them that go to pixels."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Location, Reading
from ophyd_async.core import (
    AsyncStatus,
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
from bluesky_gp.grid import PixelGrid

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


class AsyncPixelStage(StandardReadable):
    """Two (or one, or three) asynchronous axes that go to the pixels of a grid.

    Event keys: those of `PixelStage`, ``NAME_row``, ``NAME_col``, ``NAME_y``, ``NAME_x``.

    Parameters
    ----------
    grid : PixelGrid or mapping
        Where the pixels lie.
    velocity, limits : optional
        Of each axis, as in `AsyncAxis`.
    name : str, optional
        ``with init_devices():`` gives one.
    """

    def __init__(
        self,
        grid: PixelGrid | Mapping[str, Any],
        *,
        velocity: float = 0.0,
        limits: Sequence[float] = (0.0, 0.0),
        name: str = "",
    ) -> None:
        self.grid = PixelGrid.from_mapping(grid)
        self._asked: tuple[float, ...] | None = None
        with self.add_children_as_readables():
            for axis, start in zip("yxz", self.grid.origin, strict=False):
                made = AsyncAxis(velocity=velocity, limits=limits, position=start, units=self.grid.units)
                setattr(self, axis, made)
        self.axes: tuple[AsyncAxis, ...] = tuple(getattr(self, axis) for axis in "yxz"[: self.grid.ndim])
        super().__init__(name=name)

    async def check_value(self, pixel: Sequence[float]) -> None:
        """Raise ValueError if `pixel` is no pixel of the grid, masked, or beyond the limits of an axis."""
        wanted = np.asarray(pixel, dtype=np.float64)
        if wanted.shape != (self.grid.ndim,) or not np.isfinite(wanted).all():
            raise ValueError(f"{self.name}: expected a pixel ({', '.join(self.grid.axes)}), got {pixel!r}")
        nearest = np.rint(wanted).astype(int)
        if (nearest < 0).any() or (nearest >= self.grid.shape).any():
            raise ValueError(f"{self.name}: pixel {tuple(pixel)} lies outside the grid of shape {self.grid.shape}")
        if self.grid.mask is not None and self.grid.mask[tuple(nearest)]:
            raise ValueError(f"{self.name}: pixel {tuple(pixel)} is masked, it must not be measured")
        for axis, value in zip(self.axes, self.grid.position(wanted), strict=True):
            await axis.check_value(float(value))

    @AsyncStatus.wrap
    async def set(self, pixel: Sequence[float]) -> None:
        """Move all axes at once to a pixel; the Status ends when every axis has ended."""
        await self.check_value(pixel)
        self._asked = tuple(float(p) for p in pixel)
        targets = self.grid.position(self._asked).tolist()
        moves = [axis.set(target) for axis, target in zip(self.axes, targets, strict=True)]
        for ending in await asyncio.gather(*moves, return_exceptions=True):
            if isinstance(ending, BaseException):
                raise ending

    async def stop(self, success: bool = False) -> None:
        """Stop every axis."""
        await asyncio.gather(*(axis.stop(success=success) for axis in self.axes))

    async def locate(self) -> Location[tuple[float, ...]]:
        """Return the pixel asked for last and the one where the axes are, fractions included."""
        position = await asyncio.gather(*(axis.readback.get_value() for axis in self.axes))
        readback = tuple(float(p) for p in self.grid.fraction(position))
        return {"setpoint": readback if self._asked is None else self._asked, "readback": readback}

    async def read(self) -> dict[str, Reading[Any]]:
        """Return where the axes are, in pixels and in their own coordinates."""
        readings = await super().read()
        position = [readings[axis.name]["value"] for axis in self.axes]
        stamp = max(readings[axis.name]["timestamp"] for axis in self.axes)
        pixel = zip(self.pixel_keys, self.grid.fraction(position), strict=True)
        return {**{key: {"value": float(value), "timestamp": stamp} for key, value in pixel}, **readings}

    async def describe(self) -> dict[str, Any]:
        """Return the data keys of `read`."""
        number = {"dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "px"}
        return {**{key: {**number, "source": f"soft://{key}"} for key in self.pixel_keys}, **await super().describe()}

    @property
    def pixel_keys(self) -> tuple[str, ...]:
        """Event keys of the pixel coordinates."""
        return self.grid.pixel_keys(self.name)

    @property
    def hints(self) -> Hints:
        """Plots and tables show the pixel."""
        return {"fields": list(self.pixel_keys)}

    def set_name(self, name: str, *, child_name_separator: str | None = None) -> None:
        """Name it and its axes as classic devices do, with underscores."""
        super().set_name(name, child_name_separator="_")
