"""The pixels of a scan: a probe, or a specimen stage, that goes to them in any order.

Over the registry of Nion's instrumentation kit: the same code inside Swift at a microscope and over the simulator
`nionswift-usim` (see `usim`). Lengths are nm, (y, x) in this order.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from bluesky.protocols import Hints, Reading
from ophyd.status import StatusBase

from bluesky_gp.devices.axes import AllEnded, Limits
from bluesky_gp.devices.nion.instrument import Position, ProbePosition, StagePosition, find_instrument, scan_grid
from bluesky_gp.devices.stage import PixelStage
from bluesky_gp.grid import PixelGrid
from bluesky_gp.status import DaemonExecutor


class NionCoordinate:
    """One of the two coordinates of a position; setting it leaves the other where it is."""

    parent = None

    def __init__(self, position: Position, index: int, *, name: str) -> None:
        self._position, self._index, self.name = position, index, name

    @property
    def limits(self) -> Limits:
        """Lowest and highest value, nm."""
        return self._position.limits()[self._index]

    def set(self, value: float) -> StatusBase:
        """Go there along one axis."""
        status = StatusBase()
        point = list(self._position.get())
        point[self._index] = float(value)
        self._position.put((point[0], point[1]))
        status.set_finished()
        return status

    def read(self) -> dict[str, Reading[float]]:
        """Return where it is."""
        return {self.name: {"value": self._position.get()[self._index], "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """Return the data key of `read`."""
        key = {"source": f"NION:{self.name}", "dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "nm"}
        return {self.name: key}

    @property
    def hints(self) -> Hints:
        """Plots and tables show it."""
        return {"fields": [self.name]}


class NionScanStage(PixelStage):
    """The pixels of a scan, visited one by one in any order.

    Event keys: ``NAME_row``, ``NAME_col`` and, in nm, ``NAME_y``, ``NAME_x``. Both coordinates are set at once: the
    beam never passes through a corner. What lies outside the field of view is refused (the instrument would clip it).

    Parameters
    ----------
    prefix : str, optional
        Not used: loaders of devices pass one.
    grid : PixelGrid or mapping, optional
        In nm; from the middle of the field of view if the probe moves. Default: pixels that fill the field of view.
    shape : tuple of int, optional
        How many pixels, if no grid is given. Default: those of the scan's own image.
    moves : {"probe", "stage"}, optional
        What goes to a pixel: the probe, parked within the field of view, or the specimen stage. Its grid needs
        `limits`: the instrument tells none, and which way the specimen shifts is the instrument's convention.
    control : str, optional
        Name of the two-dimensional control that is the specimen stage.
    settle : float, optional
        Seconds after a move until its Status ends.
    instrument : optional
        Default: the one that is registered.
    name : str
        Name of the device.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        grid: PixelGrid | Mapping[str, Any] | None = None,
        shape: Sequence[int] | None = None,
        moves: Literal["probe", "stage"] = "probe",
        control: str = "stage_position_m",
        settle: float | int = 0.0,
        instrument: Any = None,
        **kwargs: Any,
    ) -> None:
        self.instrument = find_instrument(name, instrument)
        self.settle = float(settle)
        self._at = _position(name, moves, self.instrument, control)
        if grid is None:
            context = self.instrument.scan_context
            pixels = tuple(context.size) if shape is None else tuple(shape)
            grid = scan_grid(self._at, ProbePosition(self.instrument).field, pixels)
        axes = [NionCoordinate(self._at, index, name=f"{name}_{axis}") for index, axis in enumerate("yx")]
        super().__init__(prefix, name=name, grid=grid, axes=axes, **kwargs)

    def _move(self, position: Sequence[float]) -> StatusBase:
        status = AllEnded(self.name, 1)
        move = partial(self._put, tuple(position), status)
        if self._at.slow or self.settle:
            DaemonExecutor().submit(move)
        else:
            move()
        return status

    def stage(self) -> list[Any]:
        """Stop a scan that is running: the probe could not be parked."""
        scan = self.instrument.scan_controller
        if scan is not None and scan.is_playing:
            scan.abort_playing(sync_timeout=10)
        return super().stage()

    def _put(self, point: Any, status: AllEnded) -> None:
        try:
            self._at.put(point)
            time.sleep(self.settle)
        except Exception as error:
            status.ended(self.name, error)
        else:
            status.ended(self.name, None)


def _position(name: str, moves: str, instrument: Any, control: str) -> Position:
    if moves == "probe":
        return ProbePosition(instrument)
    if moves == "stage":
        return StagePosition(instrument, control)
    raise ValueError(f"{name}: moves must be 'probe' or 'stage', got {moves!r}")
