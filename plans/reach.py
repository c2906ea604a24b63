"""Checks of a stage before anything moves: limits of its axes, and their units."""

from inspect import isawaitable
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Checkable
from bluesky.utils import MsgGenerator

from bluesky_gp.plans.stages import AnyStage, Motors, moves_to, position_key
from bluesky_gp.units import check_unit, stated_unit


def check_reach(stage: AnyStage) -> MsgGenerator[None]:
    """Raise ValueError if an axis counts in another unit than the grid, or a pixel lies outside the limits."""
    yield from check_units(stage)
    for pixel in stage.grid.outermost:
        for movable, value in moves_to(stage, pixel):
            try:
                yield from answer(movable.check_value(value) if isinstance(movable, Checkable) else None)
            except Exception as error:
                raise ValueError(
                    f"{movable.name}: pixel {pixel} of the grid, at {value}, cannot be reached: {error}. "
                    f"Give the grid another origin, step or shape, or the stage other limits"
                ) from error


def check_units(stage: AnyStage) -> MsgGenerator[None]:
    """Raise ValueError if an axis counts in another unit than the grid; the log says so if one names none."""
    if not isinstance(stage, Motors):
        yield from answer(stage.check_units() if hasattr(stage, "check_units") else None)
        return
    for motor in stage.motors:
        check_unit(stage.name, stage.grid, motor.name, (yield from _unit(motor)))


def _unit(motor: Any) -> MsgGenerator[str]:
    """Return the unit in which a motor counts; "" if it names none."""
    try:
        described = (yield from answer(motor.describe())) or {}
    except Exception:  # noqa: BLE001 - a motor that cannot be described now is told of when it is read
        described = {}
    return stated_unit(motor, described.get(position_key(motor), {}))


def answer(answer: Any) -> MsgGenerator[Any]:
    """Return what a method returned; that of an ophyd-async device is waited for."""
    if not isawaitable(answer):
        return answer
    (task,) = (yield from bps.wait_for([lambda: answer])) or (None,)
    return None if task is None else task.result()  # a simulated plan gets no task
