"""The two kinds of stage: a PixelStage, or a pair of Movables with a grid; what is moved, staged and read of each."""

import reprlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from bluesky.protocols import Movable

from bluesky_gp.grid import PixelGrid
from bluesky_gp.moves import Move, hinted_keys, merged_moves
from bluesky_gp.protocols import Stage
from bluesky_gp.run import Axes


@dataclass(frozen=True)
class Motors:
    """Movables, one an axis of a grid, that go to the stage positions of its pixels; unpacks into them."""

    motors: tuple[Any, ...]
    grid: PixelGrid

    def __post_init__(self) -> None:
        if len(self.motors) != self.grid.ndim:
            raise ValueError(f"a grid of {self.grid.ndim} axes takes as many motors, got {self._names}")
        if len({id(motor) for motor in self.motors}) != len(self.motors):
            raise ValueError(f"each axis of a grid takes a motor of its own, got {self._names}")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.motors)

    @property
    def name(self) -> str:
        """Names of the motors."""
        return ", ".join(motor.name for motor in self.motors)

    @property
    def _names(self) -> list[str]:
        return [getattr(motor, "name", repr(motor)) for motor in self.motors]


AnyStage = Stage | Motors
StageOrMotors = AnyStage | Movable[Any] | Sequence[Movable[Any]]
"""The stage as users give it to a plan: one that has a grid, or a motor for each axis of the agent's."""


def as_stage(stage: StageOrMotors, grid: PixelGrid | None) -> AnyStage:
    """Give a pair of Movables its grid; a stage that has one is returned unchanged.

    Raises
    ------
    ValueError
        If the two have different grids, or neither has one.
    """
    if isinstance(stage, Motors):
        return stage
    if not _has_grid(stage):
        if grid is None:
            raise ValueError("a pair of motors has no grid of its own: pass grid=PixelGrid(...)")
        return Motors(tuple(stage) if isinstance(stage, Sequence) else (stage,), grid)
    if grid is not None and stage.grid != grid:
        raise ValueError(
            f"{stage.name}: the stage's grid is not the one asked for{_difference(stage.grid, grid)}; give PixelStage "
            f"and PixelOptimizer the same PixelGrid"
        )
    return stage


def _difference(mine: PixelGrid, wanted: PixelGrid) -> str:
    """Return what differs between two grids, in words."""
    one, other = mine.to_mapping(), wanted.to_mapping()
    names = [name for name in one if one[name] != other[name]]
    return "".join(f", {name} {reprlib.repr(one[name])} and not {reprlib.repr(other[name])}" for name in names)


def _has_grid(stage: object) -> TypeGuard[Stage]:
    return getattr(stage, "grid", None) is not None


def moves_to(stage: AnyStage, pixel: Sequence[float]) -> list[Move]:
    """Return the moves that lead to a pixel: each a Movable and what it is set to."""
    if isinstance(stage, Motors):
        return merged_moves(stage.motors, stage.grid.position(pixel).tolist())
    return [(stage, tuple(pixel))]


def devices_of(stage: AnyStage) -> list[Any]:
    """Return the devices of a stage, which are staged, and read into every event."""
    return list(stage.motors) if isinstance(stage, Motors) else [stage]


def axes_of(stage: AnyStage) -> Axes:
    """Return the event keys that say where the stage is."""
    if isinstance(stage, Motors):
        return Axes(tuple(position_key(motor) for motor in stage.motors), "stage")
    return Axes(stage.grid.pixel_keys(stage.name))


def position_key(motor: Any) -> str:
    """Return the event key of a motor's read-back: its first hinted field, or its name."""
    return next(iter(hinted_keys(motor)), str(motor.name))
