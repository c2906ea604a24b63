"""A motor record as an axis: limits, settling, approach from one side, an IOC that comes and goes."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from ophyd import EpicsMotor
from ophyd.status import StatusBase
from ophyd.utils import LimitError

from bluesky_gp.devices.axes import Limits, axis_limits, same_limits
from bluesky_gp.devices.epics.variables import AT_ONCE, check_control_layer, not_connected


class EpicsAxis(EpicsMotor):
    """A motor record; what `EpicsMotor` is, and more patient and stricter.

    Limits are enforced from LLM and HLM too (some IOCs show no control limits); a move waits for an IOC that restarts
    and fails when it goes away within; a timeout names the variables. Event keys: ``NAME``, ``NAME_user_setpoint``.

    Parameters
    ----------
    prefix : str
        Name of the record.
    settle_time : float, optional
        Seconds from DMOV = 1 until the Status ends.
    backlash : float, optional
        Approach from one side: every move ends upwards (downwards if negative), after going this far beyond the target
        where it came from the other side. In motor units; for records whose own BDST is 0.
    timeout : float, optional
        Seconds that a move may take beyond what VELO and ACCL say.
    reconnect : float, optional
        Seconds that a move waits, before it starts, for an IOC that is away. (To find one that restarted takes libca
        up to 10 s.)
    name : str
        Name of the device.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        backlash: float | int = 0.0,
        timeout: float | int = 10.0,
        reconnect: float | int = 30.0,
        **kwargs: Any,
    ) -> None:
        check_control_layer()
        super().__init__(prefix, name=name, timeout=timeout, **kwargs)
        self.backlash, self.reconnect = float(backlash), float(reconnect)
        self._current: _Move | None = None
        self._under_way = False  # a set-point of ours was written, and DMOV = 1 has not come since
        # Of these nothing was posted since the IOC is there: a short move would end unheard, an approach begin anywhere
        self._unheard = {signal.attr_name for signal in self._followed}
        self._known_limits: Limits | None = None
        self._speed = (0.0, 0.0)  # VELO, ACCL as they were when the IOC was there
        self._guard = threading.RLock()  # moves are asked for, ended and interrupted on threads of their own
        for signal in self._followed:
            signal.subscribe(self._posted)
        for signal in self._needed:
            signal.subscribe(self._connection_changed, event_type=signal.SUB_META, run=False)

    @property
    def reachable(self) -> bool:
        """Whether the IOC is there."""
        return all(signal.connected for signal in self._needed)

    @property
    def last_position(self) -> float | None:
        """The read-back heard last, whether the IOC is there or not."""
        return self._position

    @property
    def limits(self) -> Limits:
        """Lowest and highest position: the closer of LLM, HLM and VAL's control limits; equal ones are none."""
        if self._known_limits is None:
            self.wait_for_connection(timeout=min(AT_ONCE, self.reconnect))
        if self.reachable:
            self._known_limits = self._limits_now()
        return self._known_limits if self._known_limits is not None else (0.0, 0.0)

    def check_value(self, pos: float) -> None:
        """Raise LimitError if `pos`, or where the approach to it begins, is beyond the limits."""
        low, high = axis_limits(self)
        for needed, where in (
            (pos, f"{pos:g}"),
            (pos - self.backlash, f"the approach to {pos:g} from {pos - self.backlash:g}"),
        ):
            if not np.isfinite(needed) or not low <= needed <= high:
                raise LimitError(
                    f"{self.name}: {where} is outside the limits {low:g} to {high:g} of {self.prefix}.LLM and .HLM"
                )

    def move(
        self,
        position: float,
        wait: bool = True,
        moved_cb: Callable[..., None] | None = None,
        timeout: float | None = None,
    ) -> StatusBase:
        """Start a move; one that is under way fails. `timeout` is for the whole of it."""
        self.check_value(position)
        status = _Move(self, float(position), self._patience(position) if timeout is None else timeout)
        if moved_cb is not None:
            status.add_callback(partial(moved_cb, obj=self))
        with self._guard:
            self._give_up(RuntimeError(f"{self.name}: a move to {position:g} was asked for before this one ended"))
            self._current = status
        self._set_off()
        if wait:
            status.wait()
        return status

    def stop(self, *, success: bool = False) -> None:
        """Stop the motor; the Status of the move fails unless `success`."""
        self._stop_motor()
        self._end(None if success else RuntimeError(f"{self.name}: stopped at {self._position!r}"))
        super()._done_moving(success=success)

    def wait_for_connection(self, all_signals: bool = False, timeout: float | None = 10.0) -> None:
        """Wait until every variable of the record is there; a TimeoutError names those that are not."""
        try:
            super().wait_for_connection(all_signals=all_signals, timeout=timeout)
        except TimeoutError as error:
            signals = [walk.item for walk in self.walk_signals(include_lazy=all_signals)]
            missing = [signal.pvname for signal in signals if not signal.connected]
            raise TimeoutError(not_connected(self.name, missing, timeout)) from error

    @property
    def _needed(self) -> tuple[Any, ...]:
        return (
            self.user_setpoint,
            self.user_readback,
            self.motor_done_move,
            self.low_limit_travel,
            self.high_limit_travel,
            self.velocity,
            self.acceleration,
        )

    @property
    def _followed(self) -> tuple[Any, ...]:
        return self.user_readback, self.motor_done_move

    def _limits_now(self) -> Limits:
        travel = self.low_limit_travel.get(), self.high_limit_travel.get()
        low, high = same_limits(_pair(*travel), _pair(*(self.user_setpoint.limits or (0.0, 0.0))))
        return (low, high) if np.isfinite([low, high]).all() else (0.0, 0.0)

    def _patience(self, position: float) -> float:
        if self.reachable:
            self._speed = float(self.velocity.get()), float(self.acceleration.get())
        velocity, acceleration = self._speed
        distance = abs(position - (self._position or 0.0)) + 2 * abs(self.backlash)
        travel = distance / velocity + 2 * acceleration if velocity > 0 else 0.0
        return float(self.timeout) + 2 * travel + (0.0 if self.reachable else self.reconnect)

    def _stop_motor(self) -> None:
        if self.motor_stop.connected:
            self.motor_stop.put(1, wait=False)

    def _give_up(self, why: Exception) -> None:
        """End the move before: stop the motor, so that the end of the old one is not taken for that of the new one."""
        if self._current is not None and self._current.done and not self._moving:
            self._under_way = False  # it timed out, the record never took the set-point
        if self._under_way:
            self._stop_motor()
        self._end(why)

    def _set_off(self) -> None:
        """Start the move that waits, if the IOC is there and heard, and the move before has ended."""
        with self._guard:
            move = self._current
            ready = self.reachable and not self._unheard and not self._under_way
            if move is not None and not move.started and ready:
                move.legs = self._legs(move.target)
                self._next_leg(move)

    def _legs(self, target: float) -> list[float]:
        from_the_side = self.backlash == 0 or (target - self._position) / self.backlash >= 1
        return [target] if from_the_side else [target - self.backlash, target]

    def _next_leg(self, move: "_Move") -> None:
        move.started, self._under_way, self._started_moving = True, True, False
        try:
            self.user_setpoint.put(move.legs.pop(0), wait=False)
        except Exception as error:
            self._end(error)

    def _posted(self, *, obj: Any, **kwargs: Any) -> None:
        with self._guard:
            self._unheard.discard(obj.attr_name)
            self._set_off()

    def _done_moving(self, success: bool = True, **kwargs: Any) -> None:
        """Hear that DMOV has become 1."""
        super()._done_moving(success=success, **kwargs)
        with self._guard:
            self._under_way = False
            move = self._current
            if move is None:
                return
            if not move.started:
                self._set_off()
            elif success and move.legs:
                self._next_leg(move)
            else:
                self._end(None if success else RuntimeError(self._why_failed(move)))

    def _why_failed(self, move: "_Move") -> str:
        alarm = self.user_readback.alarm_severity
        return f"{self.name}: the move to {move.target:g} ended at a limit switch or with an alarm ({alarm!r})"

    def _end(self, failure: Exception | None) -> None:
        with self._guard:
            move, self._current = self._current, None
        if move is None or move.done:  # it is done when it timed out
            return
        if failure is None:
            move.set_finished()
        else:
            move.set_exception(failure)

    def _connection_changed(self, *, connected: bool, obj: Any, **kwargs: Any) -> None:
        if connected:
            self._set_off()
            return
        with self._guard:
            # or DMOV = 1 of an IOC that was restarted would look like the end of a move
            self._moving = self._under_way = False
            self._unheard |= {obj.attr_name} & {signal.attr_name for signal in self._followed}
            under_way = self._current is not None and self._current.started
        if under_way:
            self._end(ConnectionError(f"{self.name}: {obj.pvname} disconnected during the move"))


class _Move(StatusBase):
    """The Status of a move; its repr is what a timeout shows."""

    def __init__(self, axis: EpicsAxis, target: float, timeout: float) -> None:
        self.axis, self.target = axis, target
        self.started = False
        self.legs: list[float] = []
        super().__init__(timeout=timeout, settle_time=axis.settle_time)

    def __repr__(self) -> str:
        return f"<move of {self.axis.name} to {self.target:g}: {self._progress()}>"

    def _progress(self) -> str:
        axis = self.axis
        if self.done:
            return "done"
        if not self.started:
            return f"waits for {axis.prefix}.{'DMOV to become 1' if axis.reachable else 'VAL to connect'}"
        return f"{axis.prefix}.DMOV has not become 1, {axis.prefix}.RBV is {axis.last_position!r}"


def _pair(low: float | None, high: float | None) -> Limits:
    """Return limits; equal or absent ones are none."""
    return (float(low), float(high)) if low is not None and high is not None and low < high else (-np.inf, np.inf)
