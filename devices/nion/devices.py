"""Nion Swift: a probe or a specimen stage that goes to pixels, and an EELS camera.

Over the registry of Nion's instrumentation kit: the same code inside Swift at a microscope and over the simulator
`nionswift-usim` (see `usim`). Lengths are nm, energies eV, (y, x) in this order.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from bluesky.protocols import Hints, Reading
from ophyd import Component, Signal
from ophyd.status import StatusBase

from bluesky_gp.devices.axes import AllEnded, Limits
from bluesky_gp.devices.detector import SpectrumDetectorBase
from bluesky_gp.devices.nion.camera import EELSCamera
from bluesky_gp.devices.nion.image import NionControl, NionOverview
from bluesky_gp.devices.nion.instrument import (
    Beam,
    Position,
    ProbePosition,
    StagePosition,
    find_instrument,
    scan_grid,
)
from bluesky_gp.devices.stage import PixelStage
from bluesky_gp.grid import PixelGrid
from bluesky_gp.status import DaemonExecutor

__all__ = ["NionControl", "NionEELSDetector", "NionOverview", "NionScanStage"]


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

    def set(self, pixel: Sequence[float]) -> StatusBase:
        """Go to a pixel, fractions allowed; nothing moves if `check_value` refuses."""
        self.check_value(pixel)
        self._asked = tuple(float(p) for p in pixel)
        status = AllEnded(self.name, 1)
        move = partial(self._move, tuple(self._position(self._asked)), status)
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

    def _move(self, point: Any, status: AllEnded) -> None:
        try:
            self._at.put(point)
            time.sleep(self.settle)
        except Exception as error:
            status.ended(self.name, error)
        else:
            status.ended(self.name, None)


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


class BinningSignal(Signal):
    """A binning that the camera has."""

    def check_value(self, value: int) -> None:
        """Raise ValueError unless the camera can bin so."""
        if value not in self.parent.camera.binnings:
            raise ValueError(f"{self.name}: expected one of {list(self.parent.camera.binnings)}, got {value!r}")

    def put(self, value: int, **kwargs: Any) -> None:
        """Set the binning, and the axis that goes with it."""
        self.check_value(value)
        super().put(int(value), **kwargs)
        self.parent.renew_axis()


class NionEELSDetector(SpectrumDetectorBase):
    """An EELS camera: one frame a trigger that begins after the trigger, summed to a spectrum over calibrated energy.

    Event keys and configuration: those of `SpectrumDetectorBase`, and ``NAME_binning`` in the configuration. The beam
    is put on when an exposure begins and blanked at a pause, at `stop` and when the detector is unstaged (the end of a
    plan, however it ends), if the instrument can. A live view is stopped while the detector is staged: it would double
    the time of every exposure.

    Parameters
    ----------
    prefix : str, optional
        Not used: loaders of devices pass one.
    scalarizers : str, list or mapping, optional
        As in `SpectrumDetectorBase`; ``"thickness"`` for t/lambda.
    exposure : float, optional
        Seconds of a frame.
    binning : int, optional
        Of the camera, along both axes.
    camera : str, optional
        Id of the camera's hardware source. Default: the instrument's EELS camera.
    blanker : str, optional
        Control that blanks the beam; "" if nothing shall.
    blank_between : bool, optional
        Blank also between exposures, while the agent computes and the probe moves.
    instrument : optional
        Default: the one that is registered.
    name : str
        Name of the device.
    """

    binning = Component(BinningSignal, value=1, kind="config")

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        scalarizers: str | Sequence[Any] | Mapping[str, Any] = (),
        exposure: float | int = 0.1,
        binning: int = 1,
        camera: str = "",
        blanker: str = "C_Blank",
        blank_between: bool = False,
        instrument: Any = None,
        **kwargs: Any,
    ) -> None:
        self.instrument = find_instrument(name, instrument)
        self.camera = EELSCamera.find(name, self.instrument, camera)
        self.beam = Beam(self.instrument, blanker)
        self.blank_between = blank_between
        self._was_playing = False
        self._switching = threading.Lock()  # of the beam: an exposure must not put it on after a pause has blanked it
        self._one_frame = threading.Lock()  # a frame that was given up goes on to its end
        units = {"axis_name": "energy", "axis_units": "eV", "spectrum_units": "counts"}
        super().__init__(prefix, name=name, scalarizers=scalarizers, exposure=exposure, **units, **kwargs)
        self.binning.put(binning)

    def renew_axis(self) -> None:
        """Take the energy of each channel from the camera's calibration."""
        axis = self.camera.axis(self.binning.get())
        self.axis.put(axis)
        if self.spectrum.get().shape != axis.shape:
            self.spectrum.put(np.full(axis.shape, np.nan))

    def stage(self) -> list[Any]:
        """Stop the live view, and take the calibration of today."""
        self._was_playing = self.camera.stop_live_view()
        self.renew_axis()
        return super().stage()

    def unstage(self) -> list[Any]:
        """Blank the beam; a live view goes on if there was one."""
        answer = super().unstage()
        self._blank()
        if self._was_playing:
            self.camera.start_live_view()
        self._was_playing = False
        return answer

    def pause(self) -> None:
        """Give the exposure up and blank the beam, which would burn the place where it stands."""
        super().pause()
        self._blank()

    def stop(self, *, success: bool = False) -> None:
        """Give the exposure up and blank the beam."""
        super().stop(success=success)
        self._blank()

    def _expose(self, exposure: StatusBase) -> None:
        DaemonExecutor().submit(self._record, exposure, float(self.exposure.get()), int(self.binning.get()))

    def _record(self, exposure: StatusBase, seconds: float, binning: int) -> None:
        try:
            with self._one_frame:
                if not self._beam_on(exposure):
                    return  # given up: the sample is not exposed
                spectrum = self.camera.record(seconds, binning, self.axis.get())
            if self.blank_between:
                self._blank()
            self._deliver(exposure, spectrum)
        except Exception as error:
            self._fail(exposure, RuntimeError(f"{self.name}: {error!r}"))

    def _beam_on(self, exposure: StatusBase) -> bool:
        with self._switching:
            wanted = exposure is self._running
            if wanted:
                self.beam.blank(False)
        return wanted

    def _blank(self) -> None:
        with self._switching:
            self.beam.blank()


def _position(name: str, moves: str, instrument: Any, control: str) -> Position:
    if moves == "probe":
        return ProbePosition(instrument)
    if moves == "stage":
        return StagePosition(instrument, control)
    raise ValueError(f"{name}: moves must be 'probe' or 'stage', got {moves!r}")
