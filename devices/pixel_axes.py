"""The pixel axes of a stage, ``stage.row`` and ``stage.col``: motors in pixels that any plan can move.

Bluesky takes them for the pseudo axes of a positioner, as ophyd's `PseudoSingle`: `grid_scan`, `list_scan` and `mv`
merge the two into one move of the stage.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import isawaitable
from typing import Any

import numpy as np
from bluesky.protocols import Hints, Location, Status
from ophyd.status import StatusBase

from bluesky_gp.devices.axes import failure
from bluesky_gp.grid import PixelGrid

Place = Mapping[str, float] | Sequence[float]
"""A pixel, or some of its coordinates by the names of their axes; those that are left out stay as they are."""


def whole_pixel(stage: str, grid: PixelGrid, place: Place, now: Location[tuple[float, ...]] | None) -> Sequence[float]:
    """Return a pixel with all its coordinates; those that `place` lacks are those of `now`.

    Of them the set-point counts, or where half a pixel or more lies between the two, the read-back: an axis that was
    moved by hand meanwhile is not brought back.
    """
    if isinstance(place, str):
        raise TypeError(f"{stage}: expected a pixel ({', '.join(grid.axes)}), got {place!r}")
    if not isinstance(place, Mapping):
        return place
    if unknown := [axis for axis in place if axis not in grid.axes]:
        raise ValueError(f"{stage}: {unknown[0]!r} is no axis of its grid, those are {', '.join(grid.axes)}")
    if now is None:
        raise ValueError(f"{stage}: expected a pixel ({', '.join(grid.axes)}), got {dict(place)}")
    pairs = zip(now["setpoint"], now["readback"], strict=True)
    stay = (asked if abs(asked - there) < 0.5 else there for asked, there in pairs)
    return [float(place.get(axis, other)) for axis, other in zip(grid.axes, stay, strict=True)]


class RelativePlace(tuple[float, ...]):
    """A pixel to which bluesky's relative plans can add a step of its axes."""

    axes: tuple[str, ...] = ()

    def __add__(self, step: Any) -> Any:
        if not isinstance(step, Mapping):
            return super().__add__(step)
        own = dict(zip(self.axes, self, strict=True))
        return {axis: own[axis] + value for axis, value in step.items()}


class PixelPositioner:
    """The pixel axes of a stage as one positioner: the object that bluesky moves when a plan moves several of them.

    Its events are those of the stage, and staging it stages the stage. A move that is asked for while another is under
    way begins when that one has ended.
    """

    RealPosition = None  # bluesky knows a positioner of coupled axes by this name
    real_positioners: tuple[Any, ...] = ()

    def __init__(self, stage: Any) -> None:
        self.parent = stage
        self.pseudo_positioners = tuple(PixelAxis(self, index) for index in range(stage.grid.ndim))
        self.component_names = tuple(f"{axis}_pixel" for axis in stage.grid.axes)  # an axis may be called "position"
        self._latest: StatusBase | Status | None = None
        self._stops = 0
        for component, axis in zip(self.component_names, self.pseudo_positioners, strict=True):
            setattr(self, component, axis)
            if not hasattr(type(stage), axis.name):
                setattr(stage, axis.name, axis)

    @staticmethod
    def PseudoPosition(*pixel: float) -> tuple[float, ...]:  # noqa: N802 - the name that bluesky asks for
        """Return the coordinates of a pixel as what `set` takes."""
        return pixel

    @property
    def name(self) -> str:
        """Name of the stage."""
        return str(self.parent.name)

    @property
    def hints(self) -> Hints:
        """Those of the stage."""
        hints: Hints = self.parent.hints
        return hints

    def set(self, place: Place) -> Status:
        """Go to a pixel, or change some of its coordinates, after the move that is under way."""
        place, before = self._of_grid(place), self._latest
        if before is None or before.done:
            self._latest = self.parent.set(place)
        else:
            self._latest = self._set_after(before, place)
        return self._latest

    def _of_grid(self, place: Place) -> Place:
        """Name coordinates as the grid does; bluesky names them as components."""
        names = dict(zip(self.component_names, self.parent.grid.axes, strict=True))
        return {names[axis]: value for axis, value in place.items()} if isinstance(place, Mapping) else place

    def _set_after(self, before: Any, place: Place) -> StatusBase:
        later, stops = StatusBase(), self._stops

        def go_on(done: Any) -> None:
            error = failure(done) or (RuntimeError(f"{self.name}: stopped") if stops != self._stops else None)
            try:
                if error is not None:
                    raise error
                self.parent.set(place).add_callback(lambda moved: _end(later, failure(moved)))
            except Exception as reason:
                _end(later, reason)

        before.add_callback(go_on)
        return later

    def stop(self, *, success: bool = False) -> Any:
        """Stop the stage; what was to begin after this move does not begin."""
        self._stops += 1
        return self.parent.stop(success=success)

    def check_value(self, place: Place) -> Any:
        """Raise ValueError if the stage cannot go there."""
        return self.parent.check_value(self._of_grid(place))

    def locate(self) -> Any:
        """Return set-point and read-back in pixels."""
        return _then(self.parent.locate(), self._relative)

    def _relative(self, location: Location[Sequence[float]]) -> Location[RelativePlace]:
        setpoint, readback = RelativePlace(location["setpoint"]), RelativePlace(location["readback"])
        setpoint.axes = readback.axes = self.component_names
        return {"setpoint": setpoint, "readback": readback}

    @property
    def position(self) -> tuple[float, ...]:
        """The pixel at which the stage is."""
        readback: tuple[float, ...] = self.parent.locate()["readback"]
        return readback

    def read(self) -> Any:
        """Read the stage."""
        return self.parent.read()

    def describe(self) -> Any:
        """Return the data keys of `read`."""
        return self.parent.describe()

    def read_configuration(self) -> Any:
        """Return the configuration of the stage."""
        return self.parent.read_configuration()

    def describe_configuration(self) -> Any:
        """Return the data keys of `read_configuration`."""
        return self.parent.describe_configuration()


class PixelAxis:
    """One pixel axis of a stage: a motor that counts in pixels.

    It has the name of the grid's axis, as ``row``, by which bluesky-adaptive finds it, and the event keys of the stage,
    as ``stage_row``, beside those of the stage's own axis of that number.
    """

    def __init__(self, positioner: PixelPositioner, index: int) -> None:
        self.parent = positioner
        self.index = index

    @property
    def stage_device(self) -> Any:
        """The stage whose axis it is."""
        return self.parent.parent

    @property
    def name(self) -> str:
        """Name of the axis in the grid."""
        return str(self.stage_device.grid.axes[self.index])

    @property
    def key(self) -> str:
        """Event key of the coordinate."""
        return str(self.stage_device.pixel_keys[self.index])

    @property
    def limits(self) -> tuple[float, float]:
        """First and last pixel."""
        return 0.0, self.stage_device.grid.shape[self.index] - 1.0

    @property
    def hints(self) -> Hints:
        """The coordinate in pixels."""
        return {"fields": [self.key]}

    def check_value(self, value: float) -> None:
        """Raise ValueError if the grid has no such row or column.

        Whether the stage can go there depends on the other axes: that is checked when it moves.
        """
        low, high = self.limits
        if not np.isfinite(value) or not low - 0.5 <= value < high + 0.5:
            raise ValueError(f"{self.stage_device.name}: {self.name} goes from {low:g} to {high:g}, got {value:g}")

    def set(self, value: float) -> Status:
        """Go to a row or column; the other coordinates stay."""
        self.check_value(value)
        return self.parent.set({self.parent.component_names[self.index]: float(value)})

    def stop(self, *, success: bool = False) -> Any:
        """Stop the stage."""
        return self.parent.stop(success=success)

    @property
    def position(self) -> float:
        """Where it is, in pixels."""
        return self.parent.position[self.index]

    @property
    def target(self) -> float:
        """Where it was sent, in pixels."""
        return float(self.stage_device.locate()["setpoint"][self.index])

    def locate(self) -> Any:
        """Return set-point and read-back in pixels."""
        return _then(self.stage_device.locate(), lambda now: {part: now[part][self.index] for part in now})

    def read(self) -> Any:
        """Return where it is, in pixels and in the stage's own coordinate."""
        return _then(self.stage_device.read(), self._own)

    def describe(self) -> Any:
        """Return the data keys of `read`."""
        return _then(self.stage_device.describe(), self._own)

    def _own(self, whole: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what the other axes say."""
        stage = self.stage_device
        others = [axis.name for index, axis in enumerate(stage.axes) if index != self.index]
        pixels = {key for key in stage.pixel_keys if key != self.key}
        own = [key for key in whole if key not in pixels and not any(f"{key}_".startswith(f"{n}_") for n in others)]
        return {key: whole[key] for key in own}


def _then(answer: Any, change: Callable[[Any], Any]) -> Any:
    """Change what a stage answered; that of an asynchronous one is waited for."""
    if not isawaitable(answer):
        return change(answer)

    async def later(pending: Awaitable[Any]) -> Any:
        return change(await pending)

    return later(answer)


def _end(status: StatusBase, error: BaseException | None) -> None:
    if error is None:
        status.set_finished()
    else:
        status.set_exception(error)
