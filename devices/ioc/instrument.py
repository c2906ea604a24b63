"""A soft IOC: a sample behind motor records and a detector's process variables, over real Channel Access."""

import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from caproto.asyncio.server import Context

from bluesky_gp.devices.ioc.detector import detector_class
from bluesky_gp.devices.ioc.imager import imager_class, overview_of
from bluesky_gp.devices.ioc.motor import SimulatedMotor
from bluesky_gp.devices.ioc.repeater import start_repeater
from bluesky_gp.devices.ioc.sequence import sequence_class
from bluesky_gp.devices.sim import Sample
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Scalarizer


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
    imager : str
        Suffix of the camera that shows the sample's overview image, where it has one.
    sequence : str
        Suffix of the sequence table, likewise.
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
    imager: str = "overview:"
    sequence: str = "seq:"
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
        sequence = sequence_class(detector, self.grid)(f"{self.prefix}{self.sequence}")
        image = overview_of(self.sample)
        imagers = [] if image is None else [imager_class(image)(f"{self.prefix}{self.imager}")]
        groups = [*motors, detector, sequence, *imagers]
        return {name: value for group in groups for name, value in group.pvdb.items()}


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
