"""The process variables of a device, by what they are for."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass
from functools import partial
from typing import Any

import numpy as np
import ophyd
from ophyd import EpicsSignal

from bluesky_gp.typing import Floats

log = logging.getLogger(__name__)

AT_ONCE = 2.0  # s that a call on the RunEngine's thread may wait for a connection, as ophyd's own do

VARIABLES: dict[str, str | None] = {
    "acquire": "Acquire",
    "busy": "Acquire_RBV",
    "exposure": "AcquireTime",
    "counter": "ArrayCounter_RBV",
    "state": "DetectorState_RBV",
    "spectrum": "Spectrum_RBV",
    "axis": "Axis_RBV",
}
"""Suffix of each process variable, those of areaDetector where it has them."""


def check_control_layer() -> None:
    """Raise ImportError if ophyd has nothing with which to speak Channel Access."""
    if ophyd.get_cl().name == "dummy":
        raise ImportError("EPICS devices need pyepics: pip install 'bluesky_gp[epics]'")


def not_connected(device: str, names: Sequence[str], seconds: float | None) -> str:
    """Return the message of a connection that did not come about."""
    return (
        f"{device}: no connection to {listed(names)} within {seconds:g} s; "
        f"is the IOC running, is the prefix right, and does EPICS_CA_ADDR_LIST lead there?"
    )


def listed(names: Sequence[str]) -> str:
    """Return the first three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


class Variables:
    """Process variables by role; values as they arrive, and which of them are not there.

    After a reconnection a variable counts as missing until its first value has come: what was heard from the IOC
    before it restarted says nothing any more.

    Parameters
    ----------
    device : str
        Name of the device that they belong to.
    names : mapping
        Role to name of the variable.
    text : sequence of str
        Roles whose values are wanted as strings.
    """

    def __init__(self, device: str, names: Mapping[str, str], text: Sequence[str] = ()) -> None:
        check_control_layer()
        self.device = device
        self.values: dict[str, Any] = {}
        self._first: dict[str, tuple[float, Any] | None] = {}  # value since it is connected, until there is a second
        self._changed: Callable[[str], None] = lambda role: None
        self._names = dict(names)
        self._signals = {
            role: EpicsSignal(pv, name=f"{device}_{role}_pv", auto_monitor=True, string=role in text)
            for role, pv in names.items()
        }

    def listen(self, changed: Callable[[str], None]) -> None:
        """Call ``changed(role)``, on ophyd's threads, when a value has come, or the connection came or went."""
        self._changed = changed
        for role, signal in self._signals.items():
            signal.subscribe(partial(self._heard, role))
            signal.subscribe(partial(self._linked, role), event_type=signal.SUB_META, run=False)

    def __contains__(self, role: str) -> bool:
        return role in self._signals

    def __getitem__(self, role: str) -> EpicsSignal:
        return self._signals[role]

    def name(self, role: str) -> str:
        """Return the name of a variable."""
        return self._names[role]

    def units(self, role: str) -> str:
        """Return the unit that the IOC gives a variable, "" if there is none."""
        return str(self._signals[role].metadata.get("units") or "") if role in self._signals else ""

    @property
    def missing(self) -> list[str]:
        """Names of the variables that are not connected, or of which nothing was heard since."""
        return [self._names[role] for role, s in self._signals.items() if not (s.connected and role in self.values)]

    def put(self, role: str, value: Any) -> None:
        """Write without waiting."""
        self._signals[role].put(value, wait=False)

    def destroy(self) -> None:
        """Disconnect all of them."""
        for signal in self._signals.values():
            signal.destroy()

    def _heard(self, role: str, *, value: Any, timestamp: float, **kwargs: Any) -> None:
        self.values[role] = value
        if role not in self._first:
            self._first[role] = timestamp, value
        elif self._repeats_the_first(role, timestamp, value):
            return
        self._tell(role)

    def _repeats_the_first(self, role: str, timestamp: float, value: Any) -> bool:
        """Whether the value that came with the connection has come once more: on a busy computer it may, much later."""
        first, self._first[role] = self._first[role], None
        return first is not None and first[0] == timestamp and bool(np.array_equal(first[1], value))

    def _linked(self, role: str, *, connected: bool, **kwargs: Any) -> None:
        if not connected:
            self.values.pop(role, None)
            self._first.pop(role, None)
        self._tell(role)

    def _tell(self, role: str) -> None:
        try:
            self._changed(role)
        except Exception:  # ophyd would log it with nothing that says whose it is
            log.exception("%s: what %s says could not be dealt with", self.device, self._names[role])


class Settings:
    """Values that a run writes to variables and puts back at its end.

    Parameters
    ----------
    variables : Variables
    wanted : mapping
        Role to value.
    """

    def __init__(self, variables: Variables, wanted: Mapping[str, Any]) -> None:
        self._variables = variables
        self._wanted = dict(wanted)
        self._before: dict[str, Any] = {}
        self._written: dict[str, Any] = {}  # since the IOC was last away
        self._touched: set[str] = set()

    def note(self) -> None:
        """Remember the values as they are."""
        roles = [role for role in ("exposure", *self._wanted) if role in self._variables]
        self._before = {role: self._variables.values[role] for role in roles}
        self._written, self._touched = {}, set()

    def forget(self) -> None:
        """Write again next time: the IOC was away, and may have restarted with values of its own."""
        self._written = {}

    def write(self, more: Mapping[str, Any]) -> None:
        """Write what the IOC has not been given yet."""
        wanted = {**self._wanted, **more}
        for role, value in wanted.items():
            if self._written.get(role) != value:
                self._variables.put(role, value)
        self._written = wanted
        self._touched |= set(wanted)

    def put_back(self) -> None:
        """Write the remembered values, where others were written."""
        for role in self._touched & set(self._before):
            value = self._before[role]
            if self._variables[role].connected:
                self._variables.put(role, value)
            else:
                pv = self._variables.name(role)
                log.warning("%s: %s is not connected and was not put back to %r", self._variables.device, pv, value)
        self._before, self._written, self._touched = {}, {}, set()


def suffixes_by_role(
    name: str,
    variables: Mapping[str, str | None],
    targets: Mapping[str, str],
    settings: Mapping[str, Any],
    *,
    without_axis: bool,
) -> dict[str, str]:
    """Return the suffix of every variable by its role."""
    unknown = [role for role in variables if role not in VARIABLES]
    if unknown:
        raise ValueError(f"{name}: variables are {', '.join(VARIABLES)}, got {', '.join(unknown)}")
    roles = {**VARIABLES, **({"axis": None} if without_axis else {}), **variables}
    if roles["spectrum"] is None:
        roles["axis"] = None
    if roles["acquire"] is None or (roles["spectrum"] is None and roles["counter"] is None):
        raise ValueError(f"{name}: needs the variable 'acquire', and 'counter' or 'spectrum', got {dict(variables)!r}")
    if roles["spectrum"] is not None and roles["axis"] is None and not without_axis:
        raise ValueError(f"{name}: a spectrum needs its axis: the variable, or axis=[...]")
    return {
        **{role: suffix for role, suffix in roles.items() if suffix is not None},
        **{f"target {target}": suffix for target, suffix in targets.items()},
        **{f"setting {suffix}": suffix for suffix in settings},
    }


@dataclass
class ComputedByIOC:
    """A scalarizer that asks the IOC, which computed the number; for detectors whose spectra go into files."""

    pv: str
    signal: InitVar[Any]
    name = "computed_by_ioc"

    def __post_init__(self, signal: Any) -> None:
        self._signal = signal  # no field: the record of the scalarizer holds the variable's name alone

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Read the variable as it is now."""
        return float(self._signal.get(use_monitor=False))

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit that the IOC gives."""
        return str(self._signal.metadata.get("units") or "")
