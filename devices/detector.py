"""The spectroscopy detector: a spectrum a trigger, and the numbers that scalarizers make of it."""

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Reading
from ophyd import Component, Device
from ophyd.status import StatusBase

from bluesky_gp.devices.signals import ArraySignal, SecondsSignal
from bluesky_gp.devices.slips import check_arguments
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers import as_spectrum, evaluate, named_scalarizers, to_mapping, units_of
from bluesky_gp.typing import Floats

log = logging.getLogger(__name__)


class SpectrumDetectorBase(Device):
    """Base of every spectroscopy detector; a subclass says how its instrument exposes.

    Event keys: ``NAME_spectrum`` and, hinted, ``NAME_TARGET`` for each scalarizer. Configuration: ``NAME_axis``,
    ``NAME_exposure``, ``NAME_scalarizers`` (JSON: what each target is).

    A subclass overrides `_expose(exposure)`, which starts an exposure and sees to it that either
    ``_deliver(exposure, spectrum)`` or ``_fail(exposure, error)`` is called when it ends, on whatever thread; and
    `_cancel`, if an exposure can be given up. `exposure` is the Status; what comes for one that was given up is
    dropped.

    Parameters
    ----------
    prefix : str
        Of the process variables, where there are any.
    scalarizers : str, list or mapping
        Names, mappings ``{"kind": name, **parameters}`` or callables ``f(spectrum, axis) -> float``; or a mapping from
        target names to those.
    axis : array_like, shape (n_channels,), optional
        The axis, if it is known before the first exposure.
    axis_name, axis_units, spectrum_units : str
        What the axis is, its unit, and that of the spectrum.
    exposure : float
        Seconds.
    name : str
        Name of the device.
    """

    spectrum = Component(ArraySignal, value=np.zeros(0), kind="normal")
    axis = Component(ArraySignal, value=np.zeros(0), kind="config")
    exposure = Component(SecondsSignal, value=0.0, kind="config")

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        scalarizers: str | Sequence[Any] | Mapping[str, Any] = (),
        axis: Any = (),
        axis_name: str = "channel",
        axis_units: str = "",
        spectrum_units: str = "",
        exposure: float | int = 0.0,
        **kwargs: Any,
    ) -> None:
        check_arguments(type(self), name, kwargs)
        super().__init__(prefix, name=name, **kwargs)
        self.scalarizers: dict[str, Scalarizer] = _checked(name, named_scalarizers(scalarizers), self.component_names)
        self.target_errors: dict[str, str] = {}
        self._targets = dict.fromkeys(self.scalarizers, np.nan)
        self._measured_at = time.time()
        self._running: StatusBase | None = None
        self._ending = threading.Lock()  # an exposure ends on its own thread and is stopped from another
        self.axis.put(np.asarray(axis, dtype=np.float64))
        self.axis.units, self.axis.dim = axis_units, axis_name
        self.spectrum.units, self.spectrum.dim = spectrum_units, axis_name
        self.spectrum.put(np.full(len(self.axis.get()), np.nan))
        self.exposure.put(exposure)

    @property
    def targets(self) -> dict[str, float]:
        """Values of the scalarizers for the last spectrum, by target; NaN where they failed (see `target_errors`)."""
        return dict(self._targets)

    def trigger(self) -> StatusBase:
        """Start an exposure; the Status ends when spectrum and targets can be read."""
        if self._running is not None:
            raise RuntimeError(f"{self.name}: triggered while the exposure before is still running")
        self._running = exposure = _Exposure(self.name)
        try:
            self._expose(exposure)
        except Exception as error:
            self._fail(exposure, error)
        return exposure

    def read(self) -> dict[str, Reading[Any]]:
        """Return spectrum and targets."""
        reading = super().read()
        for target, value in self._targets.items():
            reading[f"{self.name}_{target}"] = {"value": value, "timestamp": self._measured_at}
        return reading

    def describe(self) -> dict[str, Any]:
        """Return the data keys of `read`."""
        described = super().describe()
        number = {"dtype": "number", "dtype_numpy": "<f8", "shape": [], "object_name": self.name}
        for target, scalarizer in self.scalarizers.items():
            key = f"{self.name}_{target}"
            units = units_of(scalarizer, self.spectrum.units, self.axis.units)
            described[key] = {**number, "source": f"PY:{key}", "units": units}
        return described

    def read_configuration(self) -> dict[str, Reading[Any]]:
        """Return axis, exposure and what the targets are."""
        text = json.dumps({target: to_mapping(f) for target, f in self.scalarizers.items()}, default=str)
        own: Reading[Any] = {"value": text, "timestamp": self._measured_at}
        return {**super().read_configuration(), f"{self.name}_scalarizers": own}

    def describe_configuration(self) -> dict[str, Any]:
        """Return the data keys of `read_configuration`."""
        key = f"{self.name}_scalarizers"
        own = {"source": f"PY:{key}", "dtype": "string", "shape": []}
        return {**super().describe_configuration(), key: own}

    @property
    def hints(self) -> Hints:
        """Tables and plots show the targets."""
        fields = super().hints.get("fields", [])
        return {"fields": [*fields, *(f"{self.name}_{target}" for target in self.scalarizers)]}

    def stop(self, *, success: bool = False) -> None:
        """Give the running exposure up; its Status fails."""
        self._give_up("stopped")
        super().stop(success=success)

    def pause(self) -> None:
        """End the running exposure with a spectrum of NaN: after a pause a plan starts the pixel again.

        Without it the second trigger would come too early; a failed Status would cost the pixel one of its retries.
        """
        exposure = self._running
        if exposure is not None:
            self._cancel()
            self._deliver(exposure, np.full(len(self.axis.get()), np.nan, dtype=np.asarray(self.spectrum.get()).dtype))

    def resume(self) -> None:
        """Nothing to do: the plan triggers again."""

    def unstage(self) -> list[Any]:
        """Give up what still runs, then restore what staging changed."""
        self._give_up("unstaged")
        return super().unstage()

    def _expose(self, exposure: StatusBase) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say how it exposes: override _expose")

    def _cancel(self) -> None:
        """Tell the instrument that nobody waits for the exposure any more; the default does nothing."""

    def _deliver(self, exposure: StatusBase, spectrum: Floats) -> None:
        """Take a complete spectrum, compute the targets and end the Status.

        Shape ``(n_channels,)``, of real or complex numbers; leading axes of one, as of a stack of one frame, go.
        """
        given_up = exposure is not self._running
        if given_up:
            return
        try:
            self._publish(as_spectrum(spectrum))
        except Exception as error:
            self._fail(exposure, error)
        else:
            if self._ends(exposure):
                exposure.set_finished()

    def _fail(self, exposure: StatusBase, error: Exception) -> None:
        """End the Status with `error`."""
        if self._ends(exposure):
            exposure.set_exception(error)

    def _ends(self, exposure: StatusBase) -> bool:
        """Whether it is the caller who ends the exposure; true once, for the exposure that runs."""
        with self._ending:
            mine = exposure is self._running
            self._running = None if mine else self._running
        return mine

    def _give_up(self, why: str) -> None:
        exposure = self._running
        if exposure is not None:
            self._cancel()
            self._fail(exposure, RuntimeError(f"{self.name}: {why} during the exposure"))

    def _publish(self, spectrum: Floats) -> None:
        axis = self.axis.get()
        if spectrum.shape != axis.shape:
            raise ValueError(
                f"{self.name}: spectrum of shape {spectrum.shape} does not fit the axis of shape {axis.shape}"
            )
        self.target_errors = {}
        self._targets = {target: self._scalar(target, f, spectrum, axis) for target, f in self.scalarizers.items()}
        self._measured_at = self._now()
        self.spectrum.put(spectrum, timestamp=self._measured_at)

    def _now(self) -> float:
        """Return the time of an exposure that ends, s since 1970."""
        return time.time()

    def _scalar(self, target: str, scalarizer: Scalarizer, spectrum: Floats, axis: Floats) -> float:
        """Return a target; the reason why there is none is noted and logged."""
        value, reason = evaluate(scalarizer, spectrum, axis)
        if reason:
            self.target_errors[target] = reason
            log.log(
                logging.WARNING if "raised" in reason else logging.INFO, "%s_%s is NaN: %s", self.name, target, reason
            )
        return value


class _Exposure(StatusBase):
    """The Status of one exposure; its repr names the detector, for it is what FailedStatus shows."""

    def __init__(self, detector: str) -> None:
        self._detector = detector
        super().__init__()

    def __repr__(self) -> str:
        return f"<exposure of {self._detector}, done={self.done}, success={self.success}>"


def _checked(name: str, scalarizers: dict[str, Scalarizer], taken: Sequence[str]) -> dict[str, Scalarizer]:
    for target in scalarizers:
        if not target or target in {*taken, "scalarizers"}:
            raise ValueError(f"{name}: {target!r} cannot be a target, the key {name}_{target} is in use")
    return scalarizers
