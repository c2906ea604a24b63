"""What is moved when the sample has drifted: the origin of a stage, or movables such as the coils of a beam shift."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from bluesky.protocols import Movable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.grid import PixelGrid
from bluesky_gp.plans.arguments import check_stage, named
from bluesky_gp.plans.stages import AnyStage, as_stage, moves_to, position_key
from bluesky_gp.plans.typing import Pixel
from bluesky_gp.plans.waiting import answered, start_and_wait
from bluesky_gp.typing import Floats


class Origin(Protocol):
    """What the pixels of a map are counted from; implemented here, used by `correct_drift`."""

    @property
    def grid(self) -> PixelGrid:
        """Grid of the map."""
        ...

    @property
    def carries_image(self) -> bool:
        """Whether an image is taken through it as well, and shows only what is left."""
        ...

    def prepare(self) -> MsgGenerator[None]:
        """Make ready for an image."""
        ...

    def shift(self) -> MsgGenerator[Floats | None]:
        """Return how far it is shifted, in pixels; None in a simulated plan."""
        ...

    def move(self, shift: Floats) -> MsgGenerator[None]:
        """Shift it so far."""
        ...


@dataclass(frozen=True)
class StageOrigin:
    """The shift of a stage; with a pixel `at`, to which it goes before an image."""

    stage: Any
    at: Pixel | None

    @property
    def grid(self) -> PixelGrid:
        """Grid of the map."""
        grid: PixelGrid = self.stage.grid
        return grid

    @property
    def carries_image(self) -> bool:
        """Whether the stage carries the sample past the imager."""
        return self.at is not None

    def prepare(self) -> MsgGenerator[None]:
        """Go to the pixel at which images are taken."""
        if self.at is not None:
            yield from start_and_wait([Msg("set", each, value) for each, value in moves_to(self.stage, self.at)])

    def shift(self) -> MsgGenerator[Floats | None]:
        """Return the shift of the stage."""
        yield from ()
        return np.array(self.stage.shift.position)

    def move(self, shift: Floats) -> MsgGenerator[None]:
        """Shift the stage's origin; the stage itself moves with the next pixel."""
        yield from start_and_wait([Msg("set", self.stage.shift, tuple(shift.tolist()))])


@dataclass
class MovablesOrigin:
    """Movables, one for each axis of the grid and in its unit, counted from where they stand at first."""

    stage: AnyStage
    movables: Sequence[Any]
    known: Floats | None  # shift at which they stand now, by the record of an earlier run
    carries_image: bool = True
    _start: Floats | None = field(default=None, init=False)

    @property
    def grid(self) -> PixelGrid:
        """Grid of the map."""
        return self.stage.grid

    def prepare(self) -> MsgGenerator[None]:
        """Nothing is to be done."""
        yield from ()

    def shift(self) -> MsgGenerator[Floats | None]:
        """Return how far they are from where they stood at first, in pixels of the grid."""
        positions = []
        for movable in self.movables:
            reading = yield from answered(movable)
            if not reading:
                return None
            positions.append(float(reading[position_key(movable)]["value"]))
        now = np.array(positions)
        if self._start is None:
            self._start = now - self._in_units(np.zeros(2) if self.known is None else self.known)
        shift: Floats = self.grid.fraction(now - self._start + self.grid.origin)
        return shift

    def move(self, shift: Floats) -> MsgGenerator[None]:
        """Move them."""
        there = (0.0 if self._start is None else self._start) + self._in_units(shift)
        yield from start_and_wait([Msg("set", m, float(p)) for m, p in zip(self.movables, there, strict=True)])

    def _in_units(self, shift: Floats) -> Floats:
        return self.grid.position(shift) - self.grid.origin


def origin_of(stage: Any, by: Sequence[Movable[Any]] | None, at: Pixel | None, known: Floats | None) -> Origin:
    """Return what is to be moved; TypeError or ValueError if it cannot be."""
    check_stage("correct_drift", stage)
    if by is None and not hasattr(stage, "shift"):
        raise TypeError(
            f"correct_drift: {named(stage)} has no origin that can be shifted, as a PixelStage has: give by=, a "
            f"movable for each axis, such as the coils of a beam shift"
        )
    where = as_stage(stage, None)
    if where.grid.ndim != 2:
        raise ValueError(f"correct_drift: an image shows two axes, the grid of {where.name} has {where.grid.ndim}")
    if by is None:
        return StageOrigin(stage, at)
    if isinstance(by, Movable) or len(by) != 2 or not all(isinstance(each, Movable) for each in by):
        raise TypeError(f"correct_drift: by must be two movables, one for each axis of the grid, got {named(by)}")
    if at is not None:
        raise ValueError(
            "correct_drift: at is for a stage that carries the sample past the imager, not for by: give one"
        )
    return MovablesOrigin(where, tuple(by), known)
