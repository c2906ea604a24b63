"""What a plan needs to know of a stage: a PixelStage, or a pair of Movables with a grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.protocols import Checkable, HasHints, Movable, Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Stage
from bluesky_gp.run import Axes

Move = tuple[Movable[Any], Any]


@dataclass(frozen=True)
class Motors:
    """Movables, one an axis of a grid, that go to the stage positions of its pixels; unpacks into them."""

    motors: tuple[Any, ...]
    grid: PixelGrid

    def __post_init__(self) -> None:
        if len(self.motors) != self.grid.ndim:
            names = [getattr(motor, "name", repr(motor)) for motor in self.motors]
            raise ValueError(f"a grid of {self.grid.ndim} axes takes as many motors, got {names}")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.motors)

    @property
    def name(self) -> str:
        """Names of the motors."""
        return ", ".join(motor.name for motor in self.motors)


AnyStage = Stage | Motors


class StageElsewhereError(RuntimeError):
    """The stage said that it had arrived, and is more than half a step from the pixel."""


def as_stage(stage: Any, grid: PixelGrid | None) -> AnyStage:
    """Give a pair of Movables its grid; a stage that has one is handed back.

    Raises
    ------
    ValueError
        If the two have different grids, or neither has one.
    """
    if isinstance(stage, Motors):
        return stage
    own = getattr(stage, "grid", None)
    if own is None:
        if grid is None:
            raise ValueError("a pair of motors has no grid of its own: pass grid=PixelGrid(...)")
        return Motors(tuple(stage) if isinstance(stage, Sequence) else (stage,), grid)
    if grid is not None and own != grid:
        raise ValueError(
            f"{stage.name}: the stage's grid {own.to_mapping()} is not the one asked for, {grid.to_mapping()}; "
            f"give PixelStage and PixelOptimizer the same PixelGrid"
        )
    return stage  # type: ignore[no-any-return]


def moves(stage: AnyStage, pixel: Sequence[float]) -> list[Move]:
    """Return what has to be set, and to what, to go to a pixel."""
    if isinstance(stage, Motors):
        return list(zip(stage.motors, stage.grid.position(pixel).tolist(), strict=True))
    return [(stage, tuple(pixel))]


def devices(stage: AnyStage) -> list[Any]:
    """Return what is staged, and read into every event."""
    return list(stage.motors) if isinstance(stage, Motors) else [stage]


def axes(stage: AnyStage) -> Axes:
    """Return which event keys say where the stage is."""
    if isinstance(stage, Motors):
        return Axes(tuple(_field(motor) for motor in stage.motors), "stage")
    return Axes(tuple(f"{stage.name}_{axis}" for axis in stage.grid.axes))


def _field(motor: Any) -> str:
    fields = motor.hints.get("fields", []) if isinstance(motor, HasHints) else []
    return str(fields[0] if fields else motor.name)


def check_arrival(stage: AnyStage, where: Axes, reading: Mapping[str, Any], pixel: Sequence[float]) -> None:
    """Raise `StageElsewhereError` if the read-back is more than half a step from `pixel`."""
    if not all(key in reading for key in where.keys):
        return  # the agent says so, with the keys that there are; and a simulated plan reads nothing
    found = where.fraction({key: reading[key]["value"] for key in where.keys}, stage.grid)
    if not np.all(np.abs(found - pixel) <= 0.5):
        raise StageElsewhereError(
            f"{stage.name}: was asked for pixel {tuple(pixel)} and stands at {tuple(found.round(2).tolist())}"
        )


def check_reach(stage: AnyStage) -> MsgGenerator[None]:
    """Raise before anything moves if a pixel that may be measured lies outside the limits of the stage."""
    for pixel in _outermost(stage.grid):
        for movable, value in moves(stage, pixel):
            try:
                yield from _check_value(movable, value)
            except Exception as error:
                raise ValueError(
                    f"{_name(movable)}: pixel {pixel} of the grid, at {value}, cannot be reached: {error}. "
                    f"Give the grid another origin, step or shape, or the stage other limits"
                ) from error


def _outermost(grid: PixelGrid) -> list[tuple[int, ...]]:
    """Pixels that answer for all, since limits are boxes: corners where they may be measured, else the extreme ones."""
    indices = np.flatnonzero(grid.allowed)
    positions = grid.position(grid.unravel(indices))
    extremes = {*positions.argmin(axis=0).tolist(), *positions.argmax(axis=0).tolist()}
    return [tuple(int(p) for p in grid.unravel([indices[i]])[0]) for i in sorted(extremes)]


def _check_value(movable: Any, value: Any) -> MsgGenerator[None]:
    if not isinstance(movable, Checkable):
        return
    answer = movable.check_value(value)
    if isawaitable(answer):  # an ophyd-async device
        for task in (yield from bps.wait_for([lambda: answer])) or ():
            task.result()


def _name(device: Readable[Any] | Any) -> str:
    return str(getattr(device, "name", repr(device)))
