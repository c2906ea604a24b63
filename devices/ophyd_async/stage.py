"""A stage in the style of ophyd-async: an axis, and two of them that go to pixels."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bluesky.protocols import Hints, Location, Reading
from ophyd_async.core import (
    AsyncStatus,
    StandardReadable,
)

from bluesky_gp.devices.ophyd_async.axis import AsyncAxis
from bluesky_gp.devices.pixel_axes import PixelPositioner, Place, whole_pixel
from bluesky_gp.devices.pixels import checked_pixel, pixel_data_keys
from bluesky_gp.grid import PixelGrid

_STEP = 0.02  # s between two read-backs of a move


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
        self.pixels = PixelPositioner(self)

    async def check_value(self, pixel: Place) -> None:
        """Raise ValueError if `pixel` is no pixel of the grid, masked, or beyond the limits of an axis."""
        wanted = checked_pixel(self.name, self.grid, await self._whole(pixel))
        for axis, value in zip(self.axes, self.grid.position(wanted), strict=True):
            await axis.check_value(float(value))

    @AsyncStatus.wrap
    async def set(self, pixel: Place) -> None:
        """Move all axes at once to a pixel, or change some of its coordinates; it ends when every axis has ended."""
        whole = await self._whole(pixel)
        await self.check_value(whole)
        self._asked = tuple(float(p) for p in whole)
        targets = self.grid.position(self._asked).tolist()
        moves = [axis.set(target) for axis, target in zip(self.axes, targets, strict=True)]
        for ending in await asyncio.gather(*moves, return_exceptions=True):
            if isinstance(ending, BaseException):
                raise ending

    async def _whole(self, pixel: Place) -> Sequence[float]:
        return whole_pixel(self.name, self.grid, pixel, await self.locate() if isinstance(pixel, Mapping) else None)

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
        return {**pixel_data_keys(self.name, self.grid, "soft://"), **await super().describe()}

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
