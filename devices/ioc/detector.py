"""The detector of the soft IOC."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

from bluesky_gp.devices.sim import Sample
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers import get_scalarizer, units_of

STATES = ("Idle", "Acquire", "Readout", "Error", "Aborted")


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
        try:
            spectrum = self.taken(self._pixel())
        except ValueError as error:
            await self.message.write(str(error)[:255])
            return "Error"
        await self.spectrum.write(spectrum)
        await self.target.write(self._computed(spectrum))
        await self.counter.write(self.counter.value + 1)
        return "Idle"

    def taken(self, pixel: Sequence[float]) -> Any:
        """Take the next spectrum of a place, in fractions of pixels; ValueError outside of the sample."""
        nearest = tuple(int(p) for p in np.rint(pixel))
        spectrum = self.sample.spectrum(pixel, self._visits[nearest])
        self._visits[nearest] += 1
        return spectrum

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
