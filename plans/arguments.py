"""The arguments of plans: each that does not fit is named, with what came, before anything moves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import index
from typing import Any, TypeVar, cast

from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import BatchFlyer
from bluesky_gp.settings import check_call

T = TypeVar("T")


def checked_detectors(plan: str, detectors: object, stage: object = None) -> list[Readable[Any]]:
    """Return the detectors as a list; TypeError unless it is one of devices that can be read, the stage not among."""
    if isinstance(detectors, Readable):
        name = named(detectors)
        raise TypeError(
            f"{plan}: detectors must be a list of detectors, got {name}: write [{getattr(detectors, 'name', '...')}]"
        )
    if isinstance(detectors, (str, Mapping)) or not isinstance(detectors, Iterable):
        raise TypeError(f"{plan}: detectors must be a list of detectors, got {named(detectors)}")
    checked = [_checked_detector(plan, device, stage) for device in detectors]
    for device in checked:
        _check_follows(plan, device, stage)
    names = [getattr(device, "name", None) for device in checked]
    twice = [name for number, name in enumerate(names) if name is not None and name in names[:number]]
    if twice:
        raise ValueError(f"{plan}: two of the detectors are called {twice[0]!r}: each key of an event is there once")
    return checked


def _checked_detector(plan: str, device: object, stage: object) -> Readable[Any]:
    if isinstance(device, (type, GPAgent)) or not isinstance(device, (Readable, BatchFlyer)):
        raise TypeError(f"{plan}: each of the detectors must be a device that can be read, got {named(device)}")
    if device is stage or (isinstance(stage, Sequence) and any(device is motor for motor in stage)):
        raise TypeError(f"{plan}: the stage is read into every event: leave {named(device)} out of the detectors")
    return cast(Readable[Any], device)


def _check_follows(plan: str, detector: object, stage: object) -> None:
    """Raise ValueError if a detector looks where another stage is: it would see the same place at every pixel."""
    followed = getattr(detector, "pixel_stage", None)
    own, moved = getattr(followed, "axes", None), getattr(stage, "axes", None)
    if own and moved and not any(axis is other for axis in own for other in moved):
        raise ValueError(
            f"{plan}: {named(detector)} looks where another {named(followed)} is than the one that is moved, "
            f"{named(stage)}: give the plan that one, or make the detector with this one"
        )


def check_stage_and_agent(plan: str, stage: object, agent: object) -> None:
    """Raise TypeError unless `stage` can be moved and `agent` is a GPAgent; say so if they are swapped."""
    if isinstance(stage, GPAgent) and not isinstance(agent, GPAgent):
        raise TypeError(
            f"{plan}: stage and agent are swapped: {plan}(..., stage, agent), got {named(stage)} as stage and "
            f"{named(agent)} as agent"
        )
    if not isinstance(agent, GPAgent):
        hint = ": GPAgent(optimizer, target=...) makes one" if hasattr(agent, "propose") else ""
        raise TypeError(f"{plan}: agent must be a GPAgent, got {named(agent)}{hint}")
    check_stage(plan, stage)


def check_stage(plan: str, stage: object) -> None:
    """Raise TypeError unless `stage` is a PixelStage, a Movable or several."""
    parts = list(stage) if isinstance(stage, Sequence) and not isinstance(stage, str) else [stage]
    for part in parts or [stage]:
        motors = hasattr(part, "motors") and hasattr(part, "grid")
        if not motors and (isinstance(part, type) or not isinstance(part, Movable)):
            raise TypeError(f"{plan}: stage must be a PixelStage, or one motor an axis, got {named(part)}")


def checked_grid(plan: str, grid: Any) -> PixelGrid | None:
    """Return a grid that may come as plain data; TypeError if it is neither."""
    if grid is None or isinstance(grid, PixelGrid):
        return grid
    if not isinstance(grid, Mapping):
        raise TypeError(f"{plan}: grid must be a PixelGrid, got {named(grid)}")
    return PixelGrid.from_mapping(grid)


def checked_pixels(plan: str, grid: PixelGrid, pixels: Any) -> list[tuple[int, ...]]:
    """Return pixels as whole numbers; raise unless they are a list of such as the grid has."""
    example = [[0] * grid.ndim, [1] * grid.ndim]
    if isinstance(pixels, (str, Mapping)) or not isinstance(pixels, Iterable):
        raise TypeError(f"{plan}: pixels must be a list such as {example}, got {named(pixels)}")
    listed = list(pixels)
    for pixel in listed:
        if isinstance(pixel, str) or not isinstance(pixel, Iterable):
            raise TypeError(f"{plan}: pixels must be a list such as {example}, got {named(pixel)} for one of them")
    if not listed:
        raise ValueError(f"{plan}: pixels must be a list such as {example}, got none")
    flat = grid.ravel([list(pixel) for pixel in listed])  # raises outside the grid
    return [tuple(pixel) for pixel in grid.unravel(flat).tolist()]


def check_callable(plan: str, argument: str, value: Any, *taken: str) -> None:
    """Raise TypeError unless an optional plan can be called with what it will be given."""
    if value is not None and not callable(value):
        raise TypeError(
            f"{plan}: {argument} must be a function that returns a plan, got {named(value)}: pass the function itself, "
            f"do not call it"
        )
    if value is not None:
        check_call(f"{plan}: {argument}", value, *taken)


def check_per_pixel(plan: str, per_pixel: Any) -> None:
    """Raise TypeError unless a plan for each pixel, if there is one, can be called as `stubs.one_pixel` is."""
    check_callable(plan, "per_pixel", per_pixel, "detectors", "stage", "agent", "pixel")


def returned(function: Callable[..., MsgGenerator[T]], *given: Any) -> MsgGenerator[T]:
    """Return the plan that somebody's function makes; TypeError if it makes none."""
    made = function(*given)
    if not isinstance(made, Iterable):
        name = getattr(function, "__name__", type(function).__name__)
        raise TypeError(f"{name} must be a plan, with a `yield from`, or return one: it returned {named(made)}")
    return made


def whole_number(plan: str, argument: str, value: Any) -> int:
    """Return a number of pixels; TypeError unless it is a whole number."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return index(value)
    except TypeError:
        raise TypeError(f"{plan}: {argument} must be a whole number of pixels such as 410, got {value!r}") from None


def checked_metadata(plan: str, md: object) -> dict[str, Any]:
    """Return the user's metadata; raise unless every key is one that a document takes, also deeper down."""
    if md is None:
        return {}
    if not isinstance(md, Mapping):
        raise TypeError(f"{plan}: md must be a mapping such as {{'sample': 'A7'}}, got {named(md)}")
    _check_keys(plan, md, "md")
    if reserved := sorted({"uid", "time"} & md.keys()):
        raise ValueError(f"{plan}: md[{reserved[0]!r}] is what the RunEngine gives a run: leave it out, or rename it")
    if not isinstance(md.get("hints", {}), Mapping):
        raise TypeError(f"{plan}: md['hints'] must be a mapping, got {named(md['hints'])}")
    return dict(md)


def _check_keys(plan: str, value: object, where: str, *, in_list: bool = False) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(
                    f"{plan}: keys of metadata must be strings, got {key!r} ({type(key).__name__}) in {where}: a "
                    f"catalog keeps no others; write {str(key)!r}"
                )
            if not in_list and ("." in key or "/" in key):  # as event-model has it
                raise ValueError(f"{plan}: keys of metadata have no '.' and no '/', got {key!r} in {where}")
            _check_keys(plan, inner, f"{where}[{key!r}]", in_list=in_list)
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            _check_keys(plan, inner, f"{where}[{number}]", in_list=True)


def named(value: object) -> str:
    """Return a value as an error shows it: its type, and its name or what it is."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = getattr(value, "name", None)
    shown = repr(name) if isinstance(name, str) else repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 100 else shown[:97] + '...'}"
