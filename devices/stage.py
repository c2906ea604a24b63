"""PixelStage: any one to three Movables, moved in pixels."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Location, Reading
from ophyd import Device
from ophyd.status import StatusBase
from ophyd.utils import LimitError

from bluesky_gp.devices.axes import (
    UNLIMITED,
    AllEnded,
    Limits,
    axis_limits,
    checked_axes,
    failure,
    own_limits,
    position_key,
    same_limits,
    unit_of,
)
from bluesky_gp.devices.pixel_axes import PixelAxis, PixelPositioner, Place, whole_pixel
from bluesky_gp.devices.pixels import checked_pixel, pixel_data_keys, pixel_text
from bluesky_gp.devices.shift import StageShift, place_of
from bluesky_gp.devices.simulated_axis import SimulatedAxis
from bluesky_gp.devices.slips import check_arguments
from bluesky_gp.grid import PixelGrid
from bluesky_gp.html import html_table
from bluesky_gp.moves import merged_moves
from bluesky_gp.units import check_unit

log = logging.getLogger(__name__)


class PixelStage(Device):
    """A stage whose positions are the pixels of a grid, over axes that exist already.

    Event keys: ``NAME_row`` and ``NAME_col`` (the grid's axis names; fractional pixels, computed from where the axes
    are) and the axes' own. Axes are ophyd positioners, or any objects with ``name``, ``set``, ``read`` and
    ``describe``; what they lack (``check_value``, ``limits``, ``stop``, ``stage``, ``pause``) is not asked of them.

    ``stage.row`` and ``stage.col`` (the grid's axis names) are motors in pixels, for any plan:
    ``grid_scan([detector], stage.row, 0, 49, 50, stage.col, 0, 49, 50)`` of `bluesky.plans`.

    Parameters
    ----------
    prefix : str, optional
        Not used: loaders of devices pass one.
    grid : PixelGrid or mapping
        Where the pixels lie; a mapping has PixelGrid's parameters, as in a YAML file.
    axes : sequence of Movable or str, optional
        One for each axis of the grid, in its order (rows first). Default: simulated ones, ``NAME_y`` and ``NAME_x``.
    registry : mapping, optional
        Where axes given by name are found; guarneri passes its own (make it with ``auto_register=True`` if they
        stand in the same file).
    limits : sequence of (low, high), optional
        Limits of each axis in `grid.units`, beside those that the axes know themselves (some, such as an EpicsMotor
        whose limits read (0, 0), know none).
    name : str
        Name of the device.

    Examples
    --------
    >>> stage = PixelStage(grid={"shape": [50, 50], "step": [0.02, 0.02], "units": "um"}, name="stage")
    >>> stage.set((12, 40)).wait()
    >>> stage.locate()["readback"], round(stage.axes[1].position, 3)
    ((12.0, 40.0), 0.8)
    """

    row: PixelAxis
    col: PixelAxis

    def __init__(
        self,
        prefix: str = "",
        *,
        grid: PixelGrid | Mapping[str, Any],
        axes: Sequence[Any] | None = None,
        limits: Sequence[Sequence[float]] | None = None,
        registry: Any = None,
        name: str,
        **kwargs: Any,
    ) -> None:
        check_arguments(type(self), name, kwargs)
        super().__init__(prefix, name=name, **kwargs)
        self.grid = PixelGrid.from_mapping(grid)
        self.axes = _simulated_axes(name, self.grid) if axes is None else checked_axes(name, axes, registry)
        if len(self.axes) != self.grid.ndim:
            raise ValueError(
                f"{name}: a grid of shape {self.grid.shape} needs {self.grid.ndim} axes, got {len(self.axes)}"
            )
        self._own_limits = own_limits(name, limits, self.grid.ndim)
        self._asked: tuple[float, ...] | None = None
        self._keys = [""] * self.grid.ndim
        self._units_checked = axes is None
        self._shift = StageShift(name, self.grid.ndim)
        self.pixels = PixelPositioner(self)

    @property
    def pixel_keys(self) -> tuple[str, ...]:
        """Event keys of the pixel coordinates, in the order of the grid's axes."""
        return self.grid.pixel_keys(self.name)

    @property
    def shift(self) -> StageShift:
        """Displacement of the sample that the stage follows, set by what corrects drift."""
        return self._shift

    @property
    def limits(self) -> tuple[Limits, ...]:
        """Lowest and highest position of each axis, in `grid.units`; infinite where nobody knows one."""
        return tuple(same_limits(own, axis_limits(axis)) for own, axis in zip(self._own_limits, self.axes, strict=True))

    def check_value(self, pixel: Place) -> None:
        """Raise ValueError if `pixel` is no pixel of the grid, masked, or beyond the limits of an axis."""
        wanted = checked_pixel(self.name, self.grid, self._whole(pixel))
        position = self._position(wanted)
        for axis, own, value in zip(self.axes, self._own_limits, position, strict=True):
            self._check_limits(axis, own, value, wanted)
        for movable, value in merged_moves(self.axes, position):
            try:
                movable.check_value(value) if hasattr(movable, "check_value") else None
            except ValueError as error:
                raise LimitError(f"{self._needs(wanted, movable, value)}, which it refuses: {error}") from error

    def check_grid(self) -> None:
        """Raise ValueError if a pixel that may be measured lies beyond the limits of an axis.

        Limits are boxes, so the pixels with the extreme positions of each axis answer for all.
        """
        for pixel in self.grid.outermost:
            self.check_value(pixel)

    def check_units(self) -> None:
        """Raise ValueError if an axis counts in another unit than the grid; log a sentence if one names none."""
        for axis in self.axes:
            check_unit(self.name, self.grid, axis.name, unit_of(axis))
        self._units_checked = True

    def set(self, pixel: Place) -> StatusBase:
        """Move all axes at once to a pixel, fractions allowed; nothing moves if `check_value` refuses.

        A mapping, ``{"row": 12}``, leaves out coordinates that shall stay. The Status ends when every axis has ended,
        with the first failure if there is one.
        """
        whole = self._whole(pixel)
        self.check_value(whole)
        if not self._units_checked:
            self.check_units()
        self._asked = tuple(float(p) for p in whole)
        return self._move(self._position(self._asked))

    def _move(self, position: Sequence[float]) -> StatusBase:
        moves = merged_moves(self.axes, position)
        status = AllEnded(self.name, len(moves))
        for axis, value in moves:
            try:
                moving = axis.set(value)
            except Exception as error:  # the others are on their way: the Status must still wait for them
                status.ended(axis.name, error)
            else:
                moving.add_callback(lambda done, axis_name=axis.name: status.ended(axis_name, failure(done)))
        return status

    def locate(self) -> Location[tuple[float, ...]]:
        """Return the pixel asked for last and the one where the axes are, fractions included."""
        readback = self._pixel([axis.read() for axis in self.axes])
        return {"setpoint": readback if self._asked is None else self._asked, "readback": readback}

    def read(self) -> dict[str, Reading[Any]]:
        """Return where the axes are, in pixels and in their own coordinates."""
        readings = [axis.read() for axis in self.axes]
        pixel = self._pixel(readings)
        timestamp = max(reading[key]["timestamp"] for reading, key in zip(readings, self._keys, strict=True))
        answer: dict[str, Reading[Any]] = {
            key: {"value": value, "timestamp": timestamp} for key, value in zip(self.pixel_keys, pixel, strict=True)
        }
        for reading in readings:
            answer.update(reading)
        return answer

    def describe(self) -> dict[str, Any]:
        """Return the data keys of `read`."""
        described = pixel_data_keys(self.name, self.grid, "PY:")
        for axis in self.axes:
            described.update(axis.describe())
        return described

    def read_configuration(self) -> dict[str, Reading[Any]]:
        """Return the affine map of the grid and the axes' own configuration."""
        now = time.time()
        values = {key: value for key, (value, _) in self._configuration().items()}
        answer: dict[str, Reading[Any]] = {key: {"value": value, "timestamp": now} for key, value in values.items()}
        for axis in self.axes:
            answer.update(axis.read_configuration() if hasattr(axis, "read_configuration") else {})
        return answer

    def describe_configuration(self) -> dict[str, Any]:
        """Return the data keys of `read_configuration`."""
        described = {key: {**data_key, "source": f"PY:{key}"} for key, (_, data_key) in self._configuration().items()}
        for axis in self.axes:
            described.update(axis.describe_configuration() if hasattr(axis, "describe_configuration") else {})
        return described

    @property
    def hints(self) -> Hints:
        """Plots and tables show the pixel, not the axes' positions."""
        return {"fields": list(self.pixel_keys)}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(grid={self.grid!r}, axes={[axis.name for axis in self.axes]}, name={self.name!r})"
        )

    def _repr_html_(self) -> str:
        units = self.grid.units
        limits = [
            f"{low:g} to {high:g} {units}" if low > -np.inf or high < np.inf else "-" for low, high in self.limits
        ]
        axes = dict(zip([axis.name for axis in self.axes], limits, strict=True))
        return html_table(f"{type(self).__name__} {self.name}", {"grid": self.grid, **axes})

    def stage(self) -> list[Any]:
        """Compare the units, then stage the axes that can be staged."""
        if not self._units_checked:  # `adaptive_map` has done it before it opened the run
            self.check_units()
        return super().stage() + [device for axis in self._axes_with("stage") for device in _listed(axis, axis.stage())]

    def unstage(self) -> list[Any]:
        """Unstage them, in the opposite order."""
        axes = self._axes_with("unstage")[::-1]
        return [device for axis in axes for device in _listed(axis, axis.unstage())] + super().unstage()

    def stop(self, *, success: bool = False) -> None:
        """Stop every axis that can be stopped; one that raises does not keep the others moving."""
        for axis in self._axes_with("stop"):
            try:
                axis.stop(success=success)
            except Exception:
                log.exception("%s: axis %s could not be stopped", self.name, axis.name)
        super().stop(success=success)

    def pause(self) -> None:
        """Pause the axes that can be paused."""
        for axis in self._axes_with("pause"):
            axis.pause()

    def resume(self) -> None:
        """Resume them."""
        for axis in self._axes_with("resume"):
            axis.resume()

    def _whole(self, pixel: Place) -> Sequence[float]:
        return whole_pixel(self.name, self.grid, pixel, self.locate() if isinstance(pixel, Mapping) else None)

    def _axes_with(self, method: str) -> list[Any]:
        return [axis for axis in self.axes if hasattr(axis, method)]

    def _position(self, pixel: Any) -> list[float]:
        return [float(value) for value in self.grid.position(place_of(self, pixel))]

    def _pixel(self, readings: Sequence[Mapping[str, Reading[Any]]]) -> tuple[float, ...]:
        for i, (axis, reading) in enumerate(zip(self.axes, readings, strict=True)):
            if self._keys[i] not in reading:  # at first, and after an axis was renamed
                self._keys[i] = position_key(axis, reading)
        position = [float(reading[key]["value"]) for reading, key in zip(readings, self._keys, strict=True)]
        return tuple(float(p) for p in self.grid.fraction(position) - self._shift.position)

    def _check_limits(self, axis: Any, own: Limits, value: float, pixel: Any) -> None:
        low, high = same_limits(own, UNLIMITED if hasattr(axis, "check_value") else axis_limits(axis))
        if not low <= value <= high:
            raise LimitError(f"{self._needs(pixel, axis, value)}, outside its limits {low:g} to {high:g}")

    def _needs(self, pixel: Any, movable: Any, value: Any) -> str:
        where = f"{value:g} {self.grid.units}" if isinstance(value, float) else str(tuple(value))
        return f"{self.name}: pixel {pixel_text(pixel)} needs {movable.name} at {where}"

    def _configuration(self) -> dict[str, tuple[Any, dict[str, Any]]]:
        number = {"dtype": "number", "dtype_numpy": "<f8", "shape": []}
        array = {"dtype": "array", "dtype_numpy": "<f8", "shape": [self.grid.ndim], "units": self.grid.units}
        return {
            f"{self.name}_step": (list(self.grid.step), array),
            f"{self.name}_origin": (list(self.grid.origin), array),
            f"{self.name}_rotation": (self.grid.rotation, {**number, "units": "deg"}),
        }


def _simulated_axes(name: str, grid: PixelGrid) -> tuple[Any, ...]:
    starts = dict(zip(("y", "x", "z")[: grid.ndim], grid.origin, strict=True))
    return tuple(SimulatedAxis(name=f"{name}_{x}", units=grid.units, position=start) for x, start in starts.items())


def _listed(device: Any, staged: Any) -> list[Any]:
    return list(staged) if isinstance(staged, (list, tuple)) else [device]
