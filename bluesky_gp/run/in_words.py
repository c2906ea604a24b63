"""Actions, regions and settings in words, for people who read a record."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bluesky_gp.run.actions import CONFIGURE, FINISH, GO_ON, LEARN, REGIONS, Action

_SHOWN = 6  # pixels or corners that are named one by one


def action_in_words(action: Action) -> str:
    """Return what an action is about; empty where its kind says it all."""
    given = action.arguments
    if action.kind == LEARN:
        return f"{len(given['pixels'])} pixels of run {given['run'][:8]} of {given.get('plan') or 'a plan'}"
    if action.kind in REGIONS:
        return region_in_words(given["region"])
    if action.kind == CONFIGURE:
        return ", ".join(f"{name} {written(value)}" for name, value in given.items())
    if action.kind in (GO_ON, FINISH):
        return f"{given['more']} more" if action.kind == GO_ON else str(given["reason"])
    return _places(given["pixels"]) if "pixels" in given else ""


def region_in_words(region: Mapping[str, Any]) -> str:
    """Return a region as people say it, from the plain data that the record has."""
    ((kind, value),) = region.items()
    if kind == "rectangle":
        return f"rectangle {_place(value[0])} to {_place(value[1])}"
    if kind == "polygon":
        return f"polygon {_places(value)}"
    if kind == "pixels":
        return f"pixels {_places(value)}"
    return "a mask" if kind == "mask" else f"where the map is {kind} {value:.6g}"


def written(value: Any) -> str:
    """Return a recorded object as one would write it: ``ConstantKernel(...) * Matern(...)``."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    if not isinstance(value, Mapping) or "class" not in value:
        return json.dumps(value)
    name = str(value["class"]).rpartition(":")[2]
    if name in ("Sum", "Product"):
        return f"{written(value['k1'])} {'+' if name == 'Sum' else '*'} {written(value['k2'])}"
    given = {key: each for key, each in value.items() if key != "class" and not key.endswith("_bounds")}
    return f"{name}({', '.join(f'{key}={written(each)}' for key, each in given.items())})"


def _places(pixels: Sequence[Sequence[float]]) -> str:
    more = f" and {len(pixels) - _SHOWN} more" if len(pixels) > _SHOWN else ""
    return ", ".join(map(_place, pixels[:_SHOWN])) + more


def _place(pixel: Sequence[float]) -> str:
    return f"({', '.join(f'{axis:g}' for axis in pixel)})"
