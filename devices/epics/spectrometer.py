"""A spectroscopy detector over process variables."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ophyd import Component, Signal
from ophyd.status import StatusBase

from bluesky_gp.devices.detector import SpectrumDetectorBase
from bluesky_gp.devices.epics.acquisition import Acquirer
from bluesky_gp.devices.epics.variables import (
    AT_ONCE,
    ComputedByIOC,
    Settings,
    Variables,
    not_connected,
    suffixes_by_role,
)
from bluesky_gp.devices.signals import SecondsSignal
from bluesky_gp.scalarizers import named_scalarizers
from bluesky_gp.status import DaemonExecutor
from bluesky_gp.typing import Floats


class ExposureSignal(SecondsSignal):
    """Seconds that were asked for; until someone asks, those of the IOC."""

    asked = False

    def put(self, value: float, **kwargs: Any) -> None:
        """Ask for an exposure; it is written before the next one starts."""
        super().put(value, **kwargs)
        self.asked = True

    def follow(self, value: float) -> None:
        """Take over what the IOC says."""
        Signal.put(self, float(value))


class EpicsSpectrometer(SpectrumDetectorBase):
    """A detector that exposes when one process variable is written, and counts its spectra in another.

    An exposure ends when, since it was started, the counter has changed, a spectrum has come and busy has fallen: the
    spectrum of *this* exposure. It is started when the detector is idle; it waits for an IOC that restarts, and fails
    when the IOC goes away within. Settings and exposure are written when a run first exposes, again after a restart of
    the IOC, and put back at the end. Event keys and configuration are those of `SpectrumDetectorBase`.

    Parameters
    ----------
    prefix : str
        Before every suffix.
    variables : mapping, optional
        Suffixes other than those of `epics_variables.VARIABLES`; None for a variable that there is not. One of
        `counter` and `spectrum` must be there. The variable of the spectrum must be posted whenever it is written,
        also with the same values (EPICS does).
    targets : mapping, optional
        Numbers that the IOC computes, target to suffix, for detectors whose spectra go into files; they must be there
        when the counter changes. Beside or instead of `scalarizers`.
    settings : mapping, optional
        Suffix to value, written for a run and put back: ``{"ImageMode": "Single"}``.
    axis : array_like, shape (n_channels,), optional
        Instead of the variable.
    axis_name, axis_units, spectrum_units : str, optional
        Units default to those that the IOC gives (EGU).
    exposure : float, optional
        Seconds. Default: what the IOC is set to.
    timeout : float, optional
        Seconds that the detector may take beyond the exposure.
    reconnect : float, optional
        Seconds to wait, before an exposure, for an IOC that is away. (To find one that restarted takes libca up to
        10 s.)
    failed_states : sequence of str, optional
        Values of `state` that end an exposure at once.
    name : str
        Name of the device.
    """

    exposure = Component(ExposureSignal, value=0.0, kind="config")

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        variables: Mapping[str, Any] | None = None,
        scalarizers: str | Sequence[Any] | Mapping[str, Any] = (),
        targets: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        axis: Any = (),
        axis_units: str = "",
        spectrum_units: str = "",
        exposure: float | int | None = None,
        timeout: float | int = 10.0,
        reconnect: float | int = 30.0,
        failed_states: Sequence[str] = ("Error", "Aborted", "Disconnected"),
        **kwargs: Any,
    ) -> None:
        self.reconnect = float(reconnect)
        self._guard = threading.Condition()  # variables are heard on ophyd's threads
        known_axis = np.size(axis) > 0
        suffixes = suffixes_by_role(name, variables or {}, targets or {}, settings or {}, without_axis=known_axis)
        self.variables = Variables(name, {role: f"{prefix}{suffix}" for role, suffix in suffixes.items()}, ("state",))
        self._settings = Settings(self.variables, {f"setting {key}": value for key, value in (settings or {}).items()})
        self._executor = DaemonExecutor() if targets else None  # to read a target takes a round trip to the IOC
        super().__init__(
            prefix,
            name=name,
            scalarizers={**named_scalarizers(scalarizers), **_computed(targets or {}, self.variables)},
            axis=axis if "spectrum" in suffixes else [0.0],
            axis_units=axis_units,
            spectrum_units=spectrum_units,
            exposure=exposure or 0.0,
            **kwargs,
        )
        self.exposure.asked = exposure is not None
        self._acquirer = self._make_acquirer(float(timeout), tuple(failed_states))
        if "spectrum" not in suffixes:
            self.spectrum.kind = self.axis.kind = "omitted"
        self.variables.listen(self._changed)

    def _make_acquirer(self, timeout: float, failed_states: tuple[str, ...]) -> Acquirer:
        return Acquirer(
            self.variables,
            timeout=timeout,
            reconnect=self.reconnect,
            failed_states=failed_states,
            prepare=self._prepare,
            complete=self._complete,
            fail=self._fail,
        )

    @property
    def connected(self) -> bool:
        """Whether every variable is there."""
        return not self.variables.missing

    def wait_for_connection(self, all_signals: bool = False, timeout: float | None = 10.0) -> None:
        """Wait until every variable is there; a TimeoutError names those that are not."""
        with self._guard:
            if not self._guard.wait_for(lambda: not self.variables.missing, timeout):
                raise TimeoutError(not_connected(self.name, self.variables.missing, timeout))
            self._take_units()

    def destroy(self) -> None:
        """Disconnect the variables; the detector cannot be used any more."""
        self.variables.destroy()
        super().destroy()

    def stage(self) -> list[Any]:
        """Make sure that the detector is there, and note what will be put back."""
        self.wait_for_connection(timeout=min(AT_ONCE, self.reconnect))
        staged = super().stage()
        self._settings.note()
        return staged

    def unstage(self) -> list[Any]:
        """Give up what still runs, and put settings and exposure back."""
        unstaged = super().unstage()
        self._settings.put_back()
        return unstaged

    def describe(self) -> dict[str, Any]:
        """Return the data keys of `read`."""
        return self._with_sources(super().describe())

    def describe_configuration(self) -> dict[str, Any]:
        """Return the data keys of `read_configuration`."""
        return self._with_sources(super().describe_configuration())

    def _with_sources(self, described: dict[str, Any]) -> dict[str, Any]:
        for role in ("spectrum", "axis", "exposure"):
            if role in self.variables and f"{self.name}_{role}" in described:
                described[f"{self.name}_{role}"]["source"] = f"PV:{self.variables.name(role)}"
        return described

    def _take_units(self) -> None:
        self.axis.units = self.axis.units or self.variables.units("axis")
        self.spectrum.units = self.spectrum.units or self.variables.units("spectrum")

    def _changed(self, role: str) -> None:
        """Hear of a variable: a value, or its connection."""
        with self._guard:
            if role == "axis" and role in self.variables.values:
                self._take_axis()
            elif role == "exposure" and not self.exposure.asked and role in self.variables.values:
                self.exposure.follow(self.variables.values[role])
            if self.variables.missing:
                self._settings.forget()
            self._guard.notify_all()
        self._acquirer.hear(role)

    def _take_axis(self) -> None:
        axis = np.asarray(self.variables.values["axis"], dtype=np.float64)
        self.axis.put(axis)
        if np.isnan(self.spectrum.get()).all():  # nothing was measured yet
            self.spectrum.put(np.full(len(axis), np.nan))

    def _expose(self, exposure: StatusBase) -> None:
        self._acquirer.acquire(exposure)

    def _cancel(self) -> None:
        self._acquirer.cancel()

    def _prepare(self) -> float:
        """Write settings and exposure before the detector starts; return the exposure."""
        self._take_units()
        asked = self.exposure.asked and "exposure" in self.variables
        self._settings.write({"exposure": self.exposure.get()} if asked else {})
        return float(self.exposure.get())

    def _complete(self, exposure: StatusBase, spectrum: Floats) -> None:
        if self._executor is None:
            self._deliver(exposure, spectrum)
        else:
            self._executor.submit(self._deliver, exposure, spectrum)


def _computed(targets: Mapping[str, str], variables: Variables) -> dict[str, ComputedByIOC]:
    roles = {target: f"target {target}" for target in targets}
    return {target: ComputedByIOC(variables.name(role), variables[role]) for target, role in roles.items()}
