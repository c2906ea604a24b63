"""Exposures over process variables: when one can start, and what must come about before its spectrum is there."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from ophyd.status import StatusBase

from bluesky_gp.devices.epics.variables import Variables, listed, not_connected
from bluesky_gp.typing import Floats

REST = 0.2  # s of quiet after an exposure that was given up: a plugin may still count it when the detector is idle


class Acquisition:
    """An exposure, from the question to the spectrum.

    Parameters
    ----------
    exposure : StatusBase
        The Status that it ends.
    variables : Variables
        Of the detector.
    """

    def __init__(self, exposure: StatusBase, variables: Variables) -> None:
        self.exposure = exposure
        self.started = self.resting = False
        self._variables = variables
        self._count: Any = None
        self._heard: set[str] = set()

    @property
    def idle(self) -> bool:
        """Whether the detector is there and does nothing."""
        return not self._variables.missing and not self._variables.values.get("busy")

    def begin(self) -> None:
        """Note the state from which the exposure starts; what is heard from now on belongs to it."""
        self._count = self._variables.values.get("counter")
        self._heard.clear()
        self.started = True

    def hear(self, role: str) -> None:
        """Note that a variable was posted."""
        if self.started:
            self._heard.add(role)

    def failed(self, states: tuple[str, ...]) -> str:
        """Return the state that the detector went to since the start, if that is one of `states`, else ""."""
        state = str(self._variables.values.get("state", ""))
        return state if "state" in self._heard and state in states else ""

    @property
    def wanting(self) -> list[str]:
        """Events that are still missing; empty: the spectrum is there."""
        variables, values = self._variables, self._variables.values
        wanting = []
        if "counter" in variables and values["counter"] == self._count:
            wanting.append(f"{variables.name('counter')} is still {self._count}")
        if "spectrum" in variables and "spectrum" not in self._heard:
            wanting.append(f"{variables.name('spectrum')} was not posted")
        if values.get("busy"):
            wanting.append(f"{variables.name('busy')} is still {values['busy']}")
        return wanting

    @property
    def spectrum(self) -> Floats:
        """The spectrum, shape ``(n_channels,)``; one zero where the detector shows none."""
        return np.asarray(self._variables.values.get("spectrum", [0.0]), dtype=np.float64)


class Acquirer:
    """Starts exposures when the detector is idle, one at a time, and sees to it that each of them ends.

    Parameters
    ----------
    variables : Variables
        Of the detector.
    timeout : float
        Seconds that may pass until a detector is idle, and beyond the exposure.
    reconnect : float
        Seconds to wait for an IOC that is away.
    failed_states : tuple of str
        Values of the variable `state` that end an exposure at once.
    prepare : callable
        Called before the detector is started; returns the exposure in seconds.
    complete, fail : callable
        ``complete(exposure, spectrum)`` and ``fail(exposure, error)``; one of them is called, on whatever thread.
    """

    def __init__(
        self,
        variables: Variables,
        *,
        timeout: float,
        reconnect: float,
        failed_states: tuple[str, ...],
        prepare: Callable[[], float],
        complete: Callable[[StatusBase, Floats], None],
        fail: Callable[[StatusBase, Exception], None],
    ) -> None:
        self._variables, self._failed_states = variables, failed_states
        self._timeout, self._reconnect = timeout, reconnect
        self._prepare, self._complete, self._report = prepare, complete, fail
        self._guard = threading.RLock()  # asked on the RunEngine's thread, told on ophyd's and on timers
        self._current: Acquisition | None = None
        self._timer: threading.Timer | None = None
        self._must_rest = False

    def acquire(self, exposure: StatusBase) -> None:
        """Start an exposure now, or when the detector is there and idle."""
        with self._guard:
            self._current = Acquisition(exposure, self._variables)
            self._limit(self._current, self._reconnect if self._variables.missing else self._timeout)
        self._go_on()

    def cancel(self) -> None:
        """Give up the exposure, and tell the detector."""
        with self._guard:
            current = self._forget()
            if current is not None and current.started:
                self._must_rest = True
                if self._variables["acquire"].connected:
                    self._variables.put("acquire", 0)

    def hear(self, role: str) -> None:
        """Take note of a variable: it was posted, or its connection came or went."""
        with self._guard:
            if self._current is not None and role in self._variables.values:
                self._current.hear(role)
        self._go_on()

    def _go_on(self) -> None:
        """Take the next step of the exposure, if it is due."""
        with self._guard:
            current = self._current
            if current is None:
                return
            if not current.started:
                self._start(current)
                return
            failure = self._failure(current)
            if failure is None and current.wanting:
                return
            self._forget()
            self._must_rest = failure is not None
        if failure is None:
            self._complete(current.exposure, current.spectrum)
        else:
            self._report(current.exposure, failure)

    def _start(self, current: Acquisition) -> None:
        if not current.idle:
            return
        if self._must_rest:
            if not current.resting:
                current.resting = True
                _timer(REST, self._rested).start()
            return
        current.begin()  # before anything is written: ophyd tells at once of what we write ourselves
        self._limit(current, self._prepare() + self._timeout)
        self._variables.put("acquire", 1)

    def _rested(self) -> None:
        with self._guard:
            self._must_rest = False
        self._go_on()

    def _failure(self, current: Acquisition) -> Exception | None:
        """Return why a started exposure cannot end well any more, None if it can."""
        missing = self._variables.missing
        if missing:
            return ConnectionError(f"{self._variables.device}: {listed(missing)} disconnected during the exposure")
        state = current.failed(self._failed_states)
        if state:
            name = self._variables.name("state")
            return RuntimeError(f"{self._variables.device}: the detector went to state {state!r} ({name})")
        return None

    def _limit(self, current: Acquisition, seconds: float) -> None:
        """Give the exposure so long from now."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = _timer(seconds, self._timed_out, current, seconds)
        self._timer.start()

    def _timed_out(self, current: Acquisition, seconds: float) -> None:
        with self._guard:
            if current is not self._current:
                return
            error = self._why_late(current, seconds)
            self.cancel()
        self._report(current.exposure, error)

    def _why_late(self, current: Acquisition, seconds: float) -> Exception:
        variables = self._variables
        if variables.missing:
            return ConnectionError(not_connected(variables.device, variables.missing, seconds))
        if not current.started:
            busy = variables.name("busy")
            return TimeoutError(
                f"{variables.device}: {busy} is still 1 after {seconds:g} s: an earlier exposure goes on"
            )
        what, acquire = ", ".join(current.wanting), variables.name("acquire")
        return TimeoutError(f"{variables.device}: no spectrum {seconds:g} s after {acquire} = 1: {what}")

    def _forget(self) -> Acquisition | None:
        current, self._current = self._current, None
        if self._timer is not None:
            self._timer.cancel()
        return current


def _timer(seconds: float, function: Callable[..., None], *args: Any) -> threading.Timer:
    timer = threading.Timer(seconds, function, args)
    timer.daemon = True
    return timer
