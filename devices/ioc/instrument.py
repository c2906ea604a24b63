"""A soft IOC: a sample behind motor records and a detector's process variables, over real Channel Access."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from caproto import ChannelType
from caproto.asyncio.server import Context
from caproto.server import PVGroup, pvproperty

from bluesky_gp.devices.ioc.motor import SimulatedMotor
from bluesky_gp.devices.ioc.repeater import start_repeater
from bluesky_gp.devices.sim import Sample
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers import get_scalarizer, units_of

STATES = ("Idle", "Acquire", "Readout", "Error", "Aborted")


@dataclass(frozen=True)
class SimulatedInstrument:
    """Variables of the IOC, and the instrument behind them.

    Parameters
    ----------
    sample : Sample
    grid : PixelGrid
        Where the pixels of the sample lie, in motor units.
    prefix : str
        Of all process variables.
    motors : sequence of str
        Suffixes of the motor records, one an axis of the grid.
    detector : str
        Suffix of the detector, before the names of its variables.
    scalarizer : str, mapping or callable, optional
        What the IOC itself computes of each spectrum. Default: what is usual for the sample.
    exposure : float
        Seconds, at the start.
    velocity, settle, backlash : float
        Of the motors, see `SimulatedMotor`.
    margin : float
        How far beyond the grid the limits of the motors lie, as a part of its sides.
    """

    sample: Sample
    grid: PixelGrid
    prefix: str = "stem:"
    motors: Sequence[str] = ("y", "x")
    detector: str = "det:"
    scalarizer: str | Mapping[str, Any] | Scalarizer | None = None
    exposure: float = 0.01
    velocity: float = 0.0
    settle: float = 0.0
    backlash: float = 0.0
    margin: float = 0.2

    def __post_init__(self) -> None:
        if len(self.motors) != self.grid.ndim:
            raise ValueError(f"a grid of {self.grid.ndim} axes needs as many motors, got {list(self.motors)}")
        if self.sample.shape != self.grid.shape:
            raise ValueError(f"the grid, {self.grid.shape}, is not that of the sample, {self.sample.shape}")

    @property
    def limits(self) -> list[tuple[float, float]]:
        """Lowest and highest position of each motor."""
        low, high = self.grid.corners.min(axis=0), self.grid.corners.max(axis=0)
        beyond = self.margin * (high - low) + np.abs(self.grid.step)
        return list(zip((low - beyond).tolist(), (high + beyond).tolist(), strict=True))

    def process_variables(self) -> dict[str, Any]:
        """Return caproto's ``pvdb``: every process variable by its name."""
        motors: list[Any] = [
            SimulatedMotor(
                f"{self.prefix}{suffix}",
                units=self.grid.units,
                position=position,
                velocity=self.velocity,
                settle=self.settle,
                limits=limits,
                backlash=self.backlash,
            )
            for suffix, position, limits in zip(self.motors, self.grid.origin, self.limits, strict=True)
        ]

        def pixel() -> Sequence[float]:
            return tuple(self.grid.fraction([motor.true_position for motor in motors]).tolist())

        detector = detector_class(self.sample, self.scalarizer, self.exposure)(f"{self.prefix}{self.detector}", pixel)
        return {name: value for group in [*motors, detector] for name, value in group.pvdb.items()}


class SimulatedDetector(PVGroup):
    """Spectra of a sample where the motors are; the variables' names are those of areaDetector where it has them.

    Acquire = 1 exposes for AcquireTime seconds: the spectrum, what was computed of it, the counter and the state are
    written in this order, then Acquire_RBV falls. Acquire = 0 aborts, without a spectrum. The n-th exposure of a pixel
    gives the same spectrum as the n-th of a `SimulatedSpectrometer`.
    """

    sample: Sample
    scalarizer: Scalarizer
    spectrum: Any
    target: Any
    exposure: Any

    def __init__(self, prefix: str, pixel: Callable[[], Sequence[float]], **kwargs: Any) -> None:
        super().__init__(prefix, **kwargs)
        self._pixel = pixel
        self._visits: Counter[tuple[int, ...]] = Counter()
        self._abort = asyncio.Event()

    async def _acquire(self, instance: Any, value: int) -> int:
        if not value or self.busy.value:
            if not value:
                self._abort.set()
            return value
        self._abort.clear()
        await self.busy.write(1)
        await self.state.write("Acquire")
        await self.state.write(await self._exposed())
        await self.busy.write(0)
        return 0

    acquire = pvproperty(value=0, name="Acquire", dtype=int, put=_acquire)
    busy = pvproperty(value=0, name="Acquire_RBV", dtype=int, read_only=True)
    counter = pvproperty(value=0, name="ArrayCounter_RBV", dtype=int, read_only=True)
    state = pvproperty(
        value="Idle", name="DetectorState_RBV", dtype=ChannelType.ENUM, enum_strings=STATES, record="mbbi"
    )
    message = pvproperty(value="", name="StatusMessage_RBV", dtype=str, max_length=256, read_only=True)

    async def _exposed(self) -> str:
        """Expose, publish the spectrum, and return the state afterwards."""
        try:
            await asyncio.wait_for(self._abort.wait(), self.exposure.value)
        except TimeoutError:
            return await self._read_out()
        return "Aborted"

    async def _read_out(self) -> str:
        pixel = self._pixel()
        nearest = tuple(int(p) for p in np.rint(pixel))
        try:
            spectrum = self.sample.spectrum(pixel, self._visits[nearest])
        except ValueError as error:
            await self.message.write(str(error)[:255])
            return "Error"
        self._visits[nearest] += 1
        await self.spectrum.write(spectrum)
        await self.target.write(self._computed(spectrum))
        await self.counter.write(self.counter.value + 1)
        return "Idle"

    def _computed(self, spectrum: Any) -> float:
        try:
            return float(self.scalarizer(spectrum, self.sample.axis))
        except (ArithmeticError, ValueError):
            return float("nan")


def detector_class(sample: Sample, scalarizer: Any = None, exposure_time: float = 0.01) -> type[SimulatedDetector]:
    """Return a detector whose arrays have the length and units of the sample's."""
    computed = get_scalarizer(sample.default_target if scalarizer is None else scalarizer)
    length = len(sample.axis)
    array: dict[str, Any] = {"dtype": float, "max_length": length, "read_only": True, "precision": 6}
    target_units = units_of(computed, sample.spectrum_units, sample.axis_units)

    class DetectorOfSample(SimulatedDetector):
        spectrum = pvproperty(value=[0.0] * length, name="Spectrum_RBV", units=sample.spectrum_units, **array)
        axis = pvproperty(value=sample.axis.tolist(), name="Axis_RBV", units=sample.axis_units, **array)
        exposure = pvproperty(value=exposure_time, name="AcquireTime", dtype=float, precision=4, units="s")
        target = pvproperty(value=float("nan"), name="Target_RBV", dtype=float, units=target_units[:7], precision=6)

    DetectorOfSample.sample, DetectorOfSample.scalarizer = sample, staticmethod(computed)
    return DetectorOfSample


async def serve(variables: Mapping[str, Any], interfaces: Sequence[str], *, repeater_port: int | None = None) -> None:
    """Serve process variables until this task is cancelled, with a repeater of our own if it is given a port."""
    if repeater_port is not None:
        await start_repeater(repeater_port)
    logging.getLogger("caproto.ctx").addFilter(_is_no_beacon)
    await _Server(dict(variables), list(interfaces)).run()


def _is_no_beacon(record: logging.LogRecord) -> bool:
    """Whether a line of caproto's log tells something: a beacon for which nobody listens is no error."""
    return not record.getMessage().startswith("Failed to send beacon")


class _Server(Context):
    async def server_accept_loop(self, sock: socket.socket) -> None:
        # Handed down to every connection. asyncio does not set it on caproto's sockets, and then an update waits
        # up to 40 ms for the client to acknowledge the one before: 100 ms a pixel instead of 30.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super().server_accept_loop(sock)
