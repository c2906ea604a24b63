"""A sequence table of the soft IOC: rows are points, which are visited without a word from outside."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any

import numpy as np
from caproto.server import PVGroup, pvproperty

from bluesky_gp.devices.ioc.detector import SimulatedDetector
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats

_NUMBERS = 2**18  # in all spectra of a sequence: 2 MB
_MOST = 4096  # rows
_PUBLISHED_EVERY = 0.2  # s
_WAITING = 10  # updates that are kept for a client that falls behind: caproto's 1000 of them would be 2 GB


class SimulatedSequence(PVGroup):
    """Visits the rows of a table, each for SettleTime and the detector's AcquireTime.

    Table holds the positions, row after row, in motor units. Start = 1 begins: Rows_RBV is 0 again, then Id_RBV is what
    Id is. Spectra_RBV and Failed_RBV (1: the row failed) are written before Rows_RBV, the number of rows that they
    have. Busy_RBV falls behind the last row, or soon after Start = 0.
    """

    detector: SimulatedDetector
    grid: PixelGrid
    table: Any
    spectra: Any
    failed: Any

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        super().__init__(prefix, **kwargs)
        self._abort = asyncio.Event()

    async def _start(self, instance: Any, value: int) -> int:
        if not value:
            self._abort.set()
        elif not self.busy.value:
            self._abort.clear()
            await self.busy.write(1)
            await self.rows.write(0)
            await self.running.write(self.number.value)
            await self._visit_rows(np.reshape(self.table.value, (-1, self.grid.ndim)))
            await self.busy.write(0)
        return 0

    start = pvproperty(value=0, name="Start", dtype=int, put=_start)
    busy = pvproperty(value=0, name="Busy_RBV", dtype=int, read_only=True)
    number = pvproperty(value=0, name="Id", dtype=int)
    running = pvproperty(value=0, name="Id_RBV", dtype=int, read_only=True)
    rows = pvproperty(value=0, name="Rows_RBV", dtype=int, read_only=True)
    settle = pvproperty(value=0.0, name="SettleTime", dtype=float, precision=4, units="s")

    async def _visit_rows(self, positions: Floats) -> None:
        spectra: list[Any] = []
        due = published = monotonic()
        for position in positions:
            due += self.settle.value + self.detector.exposure.value
            if await self._aborted(due - monotonic()):
                break
            spectra.append(self._taken(self.grid.fraction(position).tolist()))
            if monotonic() - published > _PUBLISHED_EVERY:
                await self._publish(spectra)
                published = monotonic()
        await self._publish(spectra)

    async def _aborted(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._abort.wait(), max(seconds, 0.0))
        except TimeoutError:
            return False
        return True

    def _taken(self, pixel: Sequence[float]) -> Any:
        """Return the spectrum of a row; None: it failed."""
        try:
            return self.detector.taken(pixel)
        except ValueError:
            return None

    async def _publish(self, spectra: Sequence[Any]) -> None:
        if spectra:
            none = np.full(len(self.detector.sample.axis), np.nan)
            await self.spectra.write(np.concatenate([none if one is None else one for one in spectra]))
            await self.failed.write([int(one is None) for one in spectra])
            await self.rows.write(len(spectra))


def sequence_class(detector: SimulatedDetector, grid: PixelGrid) -> type[SimulatedSequence]:
    """Return a sequence whose arrays have room for as many rows as spectra of a detector fit into a message."""
    length = len(detector.sample.axis)
    most = max(1, min(_MOST, _NUMBERS // length))

    class SequenceOfDetector(SimulatedSequence):
        table = pvproperty(value=[0.0] * grid.ndim, name="Table", dtype=float, max_length=most * grid.ndim, precision=6)
        capacity = pvproperty(value=most, name="MaxRows_RBV", dtype=int, read_only=True)
        spectra = pvproperty(
            value=[0.0], name="Spectra_RBV", dtype=float, max_length=most * length, precision=6, read_only=True,
            max_subscription_backlog=_WAITING,
        )  # fmt: skip
        failed = pvproperty(value=[0], name="Failed_RBV", dtype=int, max_length=most, read_only=True)

    SequenceOfDetector.detector, SequenceOfDetector.grid = detector, grid
    return SequenceOfDetector
