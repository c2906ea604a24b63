"""A spectroscopy detector in the style of ophyd-async: three small logics, wired with signals."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bluesky.protocols import Reading
from ophyd_async.core import (
    Array1D,
    DetectorAcquireLogic,
    DetectorDataLogic,
    DetectorTriggerLogic,
    ReadableDataProvider,
    Reference,
    SignalR,
    SignalRW,
    StandardDetector,
    soft_signal_r_and_setter,
    soft_signal_rw,
)

from bluesky_gp.devices.ophyd_async.stage import AsyncPixelStage
from bluesky_gp.devices.sim import Sample, make_sample
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers import evaluate, named_scalarizers, to_mapping, units_of
from bluesky_gp.typing import Floats


@dataclass
class ExposureLogic(DetectorTriggerLogic):
    """Exposes for as long as the signal says, unless `prepare` says otherwise."""

    exposure: SignalRW[float]

    async def prepare_internal(self, num: int, livetime: float, deadtime: float) -> None:
        """Take over the exposure that a plan has prepared."""
        if livetime:
            await self.exposure.set(livetime)


@dataclass
class SampleLogic(DetectorAcquireLogic):
    """Waits for the exposure, then looks at the sample where the stage is."""

    exposure: SignalR[float]
    where: Callable[[], Awaitable[tuple[float, ...]]]
    look: Callable[[tuple[float, ...]], None]
    _running: "asyncio.Task[None] | None" = None

    async def start_acquiring(self) -> None:
        """Start an exposure; one that was given up, as by a pause, ends."""
        await self.ensure_stopped()
        self._running = asyncio.create_task(self._expose())

    async def wait_for_idle(self) -> None:
        """Wait for the exposure; what goes wrong in it is raised here."""
        running = self._running
        if running is not None:
            await asyncio.wait([running])
            if not running.cancelled():
                running.result()

    async def ensure_stopped(self) -> None:
        """Give up an exposure that runs."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError, Exception):  # told by wait_for_idle
                await self._running
            self._running = None

    async def _expose(self) -> None:
        await asyncio.sleep(await self.exposure.get_value())
        self.look(await self.where())


@dataclass
class SpectrumData(DetectorDataLogic, ReadableDataProvider):
    """The last spectrum and the numbers that scalarizers make of it, as data of each event."""

    axis: Floats
    axis_name: str
    axis_units: str
    units: str
    scalarizers: Mapping[str, Scalarizer]
    name: str = ""
    measured_at: float = field(default_factory=time.time)
    target_errors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.spectrum: Floats = np.full(len(self.axis), np.nan)
        self.targets = dict.fromkeys(self.scalarizers, np.nan)

    def take(self, spectrum: Floats) -> None:
        """Take a spectrum, shape ``(n_channels,)``, and compute the targets."""
        answers = {target: evaluate(f, spectrum, self.axis) for target, f in self.scalarizers.items()}
        self.targets = {target: value for target, (value, _) in answers.items()}
        self.target_errors = {target: reason for target, (_, reason) in answers.items() if reason}
        self.spectrum, self.measured_at = spectrum, time.time()

    async def prepare_single(self, datakey_name: str) -> ReadableDataProvider:
        """Be the provider of a detector of that name."""
        self.name = datakey_name
        return self

    def get_hinted_fields(self, datakey_name: str) -> Sequence[str]:
        """Plots and tables show the targets."""
        return [f"{datakey_name}_{target}" for target in self.targets]

    async def make_datakeys(self) -> dict[str, Any]:
        """Return the data keys of `make_readings`."""
        source, number = f"soft://{self.name}", {"dtype": "number", "dtype_numpy": "<f8", "shape": []}
        array = {"dtype": "array", "dtype_numpy": "<f8", "shape": [len(self.axis)], "dims": [self.axis_name]}
        keys: dict[str, Any] = {f"{self.name}_spectrum": {**array, "source": source, "units": self.units}}
        for target, f in self.scalarizers.items():
            units = units_of(f, self.units, self.axis_units)
            keys[f"{self.name}_{target}"] = {**number, "source": source, "units": units}
        return keys

    async def make_readings(self) -> dict[str, Reading[Any]]:
        """Return the last spectrum and its targets."""
        values = {"spectrum": self.spectrum, **self.targets}
        return {f"{self.name}_{key}": {"value": v, "timestamp": self.measured_at} for key, v in values.items()}


class AsyncSpectrometer(StandardDetector):
    """Measures the spectrum of a sample where the stage is: the asynchronous `SimulatedSpectrometer`.

    Event keys and configuration: those of `SpectrumDetectorBase`.

    Parameters
    ----------
    sample : Sample, str or mapping
        As in `SimulatedSpectrometer`; a name takes the grid's shape.
    stage : AsyncPixelStage
        Whose `locate` says where the beam is.
    scalarizers : str, list or mapping, optional
        Default: what is usual for the sample.
    exposure : float, optional
        Seconds.
    name : str, optional
        ``with init_devices():`` gives one.
    """

    def __init__(
        self,
        sample: str | Mapping[str, Any] | Sample,
        stage: AsyncPixelStage,
        *,
        scalarizers: str | Sequence[Any] | Mapping[str, Any] | None = None,
        exposure: float = 0.0,
        name: str = "",
    ) -> None:
        named = isinstance(sample, str) and not sample.endswith(".npz")
        self.sample = make_sample({"kind": sample, "shape": stage.grid.shape} if named else sample)
        self._stage = Reference(stage)
        self._visits: dict[tuple[int, ...], int] = {}
        chosen = named_scalarizers(self.sample.default_target if scalarizers is None else scalarizers)
        about = (self.sample.axis, self.sample.axis_name, self.sample.axis_units, self.sample.spectrum_units)
        self.data = SpectrumData(*about, chosen)
        self.exposure = soft_signal_rw(float, exposure, units="s", setter=self._check_exposure)
        self.axis, _ = soft_signal_r_and_setter(Array1D[np.float64], self.sample.axis, units=self.sample.axis_units)
        text = json.dumps({target: to_mapping(f) for target, f in chosen.items()}, default=str)
        self.scalarizers, _ = soft_signal_r_and_setter(str, text)
        self.add_detector_logics(
            ExposureLogic(self.exposure), SampleLogic(self.exposure, self._where, self._look), self.data
        )
        self.add_config_signals(self.exposure, self.axis, self.scalarizers)
        super().__init__(name=name)

    def set_name(self, name: str, *, child_name_separator: str | None = None) -> None:
        """Name it and its signals as classic devices do, with underscores."""
        super().set_name(name, child_name_separator="_")

    async def _where(self) -> tuple[float, ...]:
        return (await self._stage().locate())["readback"]

    def _look(self, pixel: tuple[float, ...]) -> None:
        nearest = tuple(int(p) for p in np.rint(pixel))
        self.data.take(self.sample.spectrum(pixel, self._visits.get(nearest, 0)))
        self._visits[nearest] = self._visits.get(nearest, 0) + 1

    def _check_exposure(self, seconds: float | None) -> None:
        if seconds is None or not 0 <= seconds < np.inf:
            raise ValueError(f"{self.name}_exposure: expected seconds, zero or more, got {seconds!r}")
