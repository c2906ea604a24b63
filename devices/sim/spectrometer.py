"""A simulated spectrometer over a sample."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ophyd.status import StatusBase

from bluesky_gp.devices.axes import find
from bluesky_gp.devices.detector import SpectrumDetectorBase
from bluesky_gp.devices.shift import place_of
from bluesky_gp.devices.sim.sample import Sample
from bluesky_gp.devices.sim.samples import make_sample
from bluesky_gp.devices.slips import check_mapping
from bluesky_gp.devices.stage import PixelStage


class SimulatedSpectrometer(SpectrumDetectorBase):
    """Measures the spectrum of a sample where the stage *is*, whatever it was asked for.

    Noise is the sample's: the n-th exposure of a pixel by this device always gives the same spectrum, so a run that is
    repeated with new devices is repeated bit for bit.

    Parameters
    ----------
    sample : Sample, str or mapping
        A sample, "ferroelectric", "eels", the path of a ``.npz`` file, or a mapping with `kind` and parameters.
        A name takes the grid's shape.
    stage : PixelStage, mapping or str
        Whose `locate` says where the beam or the tip is; a mapping has PixelStage's parameters, `grid` and `name` at
        least, a name is looked up in `registry`. The device has it as `pixel_stage`.
    scalarizers : str, list or mapping, optional
        Default: the one that people would use first for this kind of sample.
    exposure : float, optional
        Seconds until the Status ends; with 0, the default, it has ended when `trigger` returns.
    registry : mapping, optional
        Where a stage given by name is found; guarneri passes its own (make it with ``auto_register=True`` if they
        stand in the same file).
    name : str
        Name of the device.

    Examples
    --------
    >>> stage = PixelStage(grid={"shape": [8, 8]}, name="stage")
    >>> spectrometer = SimulatedSpectrometer("ferroelectric", stage, name="spectrometer")
    >>> spectrometer.trigger().wait()
    >>> list(spectrometer.read())
    ['spectrometer_spectrum', 'spectrometer_loop_area']
    """

    def __init__(
        self,
        sample: str | Mapping[str, Any] | Sample,
        stage: PixelStage | Mapping[str, Any] | str,
        *,
        scalarizers: str | Sequence[Any] | Mapping[str, Any] | None = None,
        exposure: float | int = 0.0,
        registry: Any = None,
        name: str,
        prefix: str = "",
        **kwargs: Any,
    ) -> None:
        found = find(name, stage, registry)
        self.pixel_stage = _stage(name, found) if isinstance(found, Mapping) else found
        self.sample = _sample(sample, self.pixel_stage)
        self._visits: Counter[tuple[int, ...]] = Counter()
        self._timer: threading.Timer | None = None
        _check_fit(name, self.sample, self.pixel_stage)
        super().__init__(
            prefix,
            name=name,
            scalarizers=self.sample.default_target if scalarizers is None else scalarizers,
            axis=self.sample.axis,
            axis_name=self.sample.axis_name,
            axis_units=self.sample.axis_units,
            spectrum_units=self.sample.spectrum_units,
            exposure=exposure,
            **kwargs,
        )

    def _expose(self, exposure: StatusBase) -> None:
        seconds = self.exposure.get()
        if seconds == 0:
            self._deliver(exposure, self._measure())
            return
        self._timer = threading.Timer(seconds, self._finish, args=(exposure,))
        self._timer.daemon = True
        self._timer.start()

    def _finish(self, exposure: StatusBase) -> None:
        if exposure is not self._running:
            return  # given up: the sample was not seen
        try:
            self._deliver(exposure, self._measure())
        except Exception as error:
            self._fail(exposure, error)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _now(self) -> float:
        """Return the time by the clock of the sample, where it has one."""
        return float(getattr(self.sample, "now", time.time()))

    def _measure(self) -> Any:
        return self._measure_at(self.pixel_stage.locate()["readback"])

    def _measure_at(self, pixel: Sequence[float]) -> Any:
        nearest = tuple(int(p) for p in np.rint(pixel))
        try:
            spectrum = self.sample.spectrum(place_of(self.pixel_stage, pixel), self._visits[nearest])
        except ValueError as error:
            raise RuntimeError(f"{self.name}: {error}") from error
        self._visits[nearest] += 1
        return spectrum


def _stage(name: str, given: Mapping[str, Any]) -> PixelStage:
    example = {"name": "stage", "grid": {key: value for key, value in given.items() if key not in ("name", "grid")}}
    hint = f": what says where the pixels lie stands in its grid, {example}" if "shape" in given else ""
    check_mapping(f"{name}: its stage", PixelStage, given, hint)
    return PixelStage(**given)


def _sample(sample: str | Mapping[str, Any] | Sample, stage: PixelStage) -> Sample:
    if isinstance(sample, str) and sample in ("ferroelectric", "eels"):
        return make_sample({"kind": sample, "shape": stage.grid.shape})
    return make_sample(sample)


def _check_fit(name: str, sample: Sample, stage: PixelStage) -> None:
    grid = stage.grid.shape
    if len(sample.shape) != len(grid) or any(n > m for n, m in zip(grid, sample.shape, strict=True)):
        raise ValueError(f"{name}: the grid of {stage.name}, {grid}, does not lie on the sample, {sample.shape}")
