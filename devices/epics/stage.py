"""EPICS: a stage over motor records, a spectrometer over process variables."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bluesky_gp.devices.epics.axis import EpicsAxis
from bluesky_gp.devices.epics.variables import AT_ONCE
from bluesky_gp.devices.stage import PixelStage
from bluesky_gp.grid import PixelGrid
from bluesky_gp.units import check_unit

Number = float | int


class EpicsStage(PixelStage):
    """A PixelStage over motor records.

    Parameters
    ----------
    prefix : str
        Before the suffix of each motor.
    grid : PixelGrid or mapping
        Where the pixels lie, in the motors' units.
    motors : sequence or mapping, optional
        Suffix of each motor, in the order of the grid's axes; a mapping gives their names too:
        ``{"y": "m2", "x": "m1"}``. Default: y and x. The axes are called ``NAME_y``, ``NAME_x``.
    settle_time, backlash, timeout, reconnect : float
        Of the axes, see `EpicsAxis`; a sequence gives one an axis.
    limits : sequence of (low, high), optional
        Beside those of the records.
    name : str
        Name of the device.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        grid: PixelGrid | Mapping[str, Any],
        motors: Sequence[str] | Mapping[str, str] | None = None,
        settle_time: Number | Sequence[Number] = 0.0,
        backlash: Number | Sequence[Number] = 0.0,
        timeout: Number | Sequence[Number] = 10.0,
        reconnect: Number | Sequence[Number] = 30.0,
        limits: Sequence[Sequence[float]] | None = None,
        name: str,
        **kwargs: Any,
    ) -> None:
        grid = PixelGrid.from_mapping(grid)
        records = _named(motors if motors is not None else ("y", "x", "z")[: grid.ndim])
        options = {"settle_time": settle_time, "backlash": backlash, "timeout": timeout, "reconnect": reconnect}
        axes = [
            EpicsAxis(
                f"{prefix}{suffix}",
                name=f"{name}_{axis}",
                **{key: _of(name, key, value, i, len(records)) for key, value in options.items()},
            )
            for i, (axis, suffix) in enumerate(records.items())
        ]
        super().__init__(prefix, grid=grid, axes=axes, limits=limits, name=name, **kwargs)

    @property
    def connected(self) -> bool:
        """Whether every motor is there."""
        return all(axis.connected for axis in self.axes)

    def wait_for_connection(self, all_signals: bool = False, timeout: float | None = 10.0) -> None:
        """Wait for the motors, and refuse those whose EGU is not the grid's unit; errors name the variables."""
        for axis in self.axes:
            axis.wait_for_connection(all_signals=all_signals, timeout=timeout)
        self.check_units()

    def check_units(self) -> None:
        """Raise ValueError if the EGU of a record is another unit than the grid's."""
        for axis in self.axes:
            check_unit(self.name, self.grid, f"{axis.prefix}.EGU", str(axis.egu or ""))
        self._units_checked = True

    def destroy(self) -> None:
        """Disconnect the motors; the stage cannot be used any more."""
        for axis in self.axes:
            axis.destroy()
        super().destroy()

    def stage(self) -> list[Any]:
        """Make sure that the motors are there, and stage them."""
        self.wait_for_connection(timeout=AT_ONCE)
        return super().stage()


def _named(motors: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Return suffixes by the names of the axes."""
    if isinstance(motors, Mapping):
        return dict(motors)
    return {re.sub(r"\W+", "_", suffix).strip("_"): suffix for suffix in motors}


def _of(name: str, option: str, value: Number | Sequence[Number], axis: int, n_axes: int) -> float:
    if not isinstance(value, Sequence):
        return float(value)
    if len(value) != n_axes:
        raise ValueError(f"{name}: {option} must be one number or {n_axes}, one an axis, got {value!r}")
    return float(value[axis])
