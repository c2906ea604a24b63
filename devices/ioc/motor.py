"""A motor record in Python, for the soft IOC: velocity, settling, limits and, if wanted, backlash."""

import asyncio
from typing import Any

from caproto import SkipWrite
from caproto.server import PVGroup, pvproperty

TICK = 0.02  # s between two read-backs while moving


class SimulatedMotor(PVGroup):
    """One motor record; the fields that clients use behave as the real record's do.

    VAL starts a move, or aims one under way elsewhere; beyond LLM and HLM it is refused and LVIO is 1. DMOV falls and
    rises with every set-point, also with the one where the motor stands. STOP, VELO, LLM, HLM and DLY (settling) work.

    Parameters
    ----------
    prefix : str
        Name of the record.
    units : str
        EGU.
    position : float
        Where it starts.
    velocity : float
        Units a second; 0 is infinite.
    settle : float
        Seconds from arrival to DMOV = 1.
    limits : tuple of float
        LLM and HLM.
    backlash : float
        Lost motion between the motor, which RBV shows, and what it drives, in units; none after a move upwards.
    """

    def __init__(
        self,
        prefix: str,
        *,
        units: str = "um",
        position: float = 0.0,
        velocity: float = 0.0,
        settle: float = 0.0,
        limits: tuple[float, float] = (0.0, 0.0),
        backlash: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(prefix, **kwargs)
        self.units, self.velocity, self.settle, self.limits = units, velocity, settle, limits
        self.backlash = backlash
        self.position = self.true_position = self._target = position
        self._asked = asyncio.Event()

    async def _run(self, instance: Any, async_lib: Any) -> None:
        """Fill the fields in, then move whenever there is a set-point."""
        await self._fill_in(instance)
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._move(instance.field_inst)

    async def _accept(self, instance: Any, value: float) -> float:
        """Take a set-point, or refuse it as the record does: LVIO, and VAL stays."""
        fields = instance.field_inst
        low, high = fields.user_low_limit.value, fields.user_high_limit.value
        refused = low < high and not low <= value <= high
        if fields.limit_violation.value != int(refused):
            await fields.limit_violation.write(int(refused))
        if refused:
            raise SkipWrite
        self._target = value
        await fields.done_moving_to_value.write(0)
        self._asked.set()
        return value

    async def _stop(fields: Any, instance: Any, value: int) -> int:  # noqa: N805 - caproto passes the record's fields
        motor = fields.parent.group
        if value and fields.done_moving_to_value.value == 0:
            await motor.stay()
        return 0

    async def _show_low(fields: Any, instance: Any, value: float) -> None:  # noqa: N805
        await fields.parent.write_metadata(lower_ctrl_limit=value)  # as the real record does

    async def _show_high(fields: Any, instance: Any, value: float) -> None:  # noqa: N805
        await fields.parent.write_metadata(upper_ctrl_limit=value)

    record = pvproperty(value=0.0, name="", record="motor", precision=5, startup=_run, put=_accept)
    record.fields.stop.putter(_stop)
    record.fields.user_low_limit.putter(_show_low)
    record.fields.user_high_limit.putter(_show_high)

    async def stay(self) -> None:
        """Give up the move and stay where the motor is."""
        self._target = self.position
        await self.record.write(self.position, verify_value=False)

    async def _fill_in(self, instance: Any) -> None:
        fields = instance.field_inst
        await instance.write(self.position, verify_value=False, units=self.units)
        await fields.engineering_units.write(self.units)
        await fields.velocity.write(self.velocity)
        await fields.seconds_to_velocity.write(0.0)
        await fields.readback_settle_time.write(self.settle)
        await fields.user_low_limit.write(self.limits[0])
        await fields.user_high_limit.write(self.limits[1])
        await fields.limit_violation.write(0)
        await fields.user_readback_value.write(self.position, units=self.units, precision=5)

    async def _move(self, fields: Any) -> None:
        """Travel to the target, wherever it is put meanwhile, settle, and say so."""
        await fields.motor_is_moving.write(1)
        while self.position != self._target:
            await self._step(fields)
        await asyncio.sleep(fields.readback_settle_time.value)
        await fields.motor_is_moving.write(0)
        if not self._asked.is_set():
            await fields.done_moving_to_value.write(1)

    async def _step(self, fields: Any) -> None:
        velocity, target = fields.velocity.value, self._target
        distance = target - self.position
        if fields.direction_of_travel.value != int(distance > 0):
            await fields.direction_of_travel.write(int(distance > 0))
        reach = velocity * TICK if velocity > 0 else abs(distance)
        await asyncio.sleep(min(TICK, abs(distance) / velocity) if velocity > 0 else 0.0)
        self.position = target if abs(distance) <= reach else self.position + (reach if distance > 0 else -reach)
        self.true_position = min(max(self.true_position, self.position), self.position + self.backlash)
        await fields.user_readback_value.write(self.position)
