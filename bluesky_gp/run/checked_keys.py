"""Whether events that are described so carry what an agent listens for."""

from collections.abc import Mapping
from math import prod
from typing import Any

from bluesky_gp.recording import check_readable
from bluesky_gp.run.keys import EVENT_TIME, PIXELS, PixelKeys


def check_keys(described: Mapping[str, Any], keys: PixelKeys) -> None:
    """Raise KeyError or ValueError if events that are described so lack a key, or the target is no number."""
    wanted = (*keys.axes.keys, keys.target, *([keys.monitor] if keys.monitor else ()), *keys.others.values())
    missing = [key for key in wanted if key not in described and key != EVENT_TIME]
    if missing:
        raise KeyError(
            f"{keys.name}: the events of stream {PIXELS!r} carry no {missing}; they carry {sorted(described)}. "
            f"Give GPAgent a target= (or axes=, monitor=, others=) that is one of these"
        )
    _check_target(described[keys.target], keys)
    if keys.monitor:
        _check_monitor(keys.monitor, described[keys.monitor], keys)
    for name, key in keys.others.items():
        if key in described:
            _check_other(name, key, described[key], keys)


def _check_target(key: Mapping[str, Any], keys: PixelKeys) -> None:
    if key.get("external") == "STREAM:":
        check_readable(keys.name, keys.target)
    elif "external" in key:
        raise ValueError(
            f"{keys.name}: {keys.target} is written to a file, so the events carry no value to learn from; "
            f"give a target that is a number in the event"
        )
    size = prod(n or 1 for n in key["shape"])
    if keys.scalarizer is not None and sum((n or 1) > 1 for n in key["shape"]) > 1:
        raise ValueError(
            f"{keys.name}: {keys.target} is an image of shape {list(key['shape'])}, and a scalarizer takes a spectrum, "
            f"which has one axis: have the detector make the number, and give that as target"
        )
    if keys.scalarizer is None and (size != 1 or key["dtype"] not in ("number", "integer", "array")):
        raise ValueError(
            f"{keys.name}: {keys.target} is of type {key['dtype']} and shape {list(key['shape'])}, "
            f"not a number; give GPAgent a target that is one, or a scalarizer="
        )


def _check_monitor(key: str, described: Mapping[str, Any], keys: PixelKeys) -> None:
    size = prod(n or 1 for n in described["shape"])
    if "external" in described or size != 1 or described["dtype"] not in ("number", "integer", "array"):
        raise ValueError(
            f"{keys.name}: monitor {key} is {described['dtype']} {described['shape']}, and the target is divided by a "
            f"number in the event: name one, GPAgent(..., monitor=...)"
        )


def _check_other(name: str, key: str, described: Mapping[str, Any], keys: PixelKeys) -> None:
    numeric = described["dtype"] in ("number", "integer", "array") and len(described["shape"]) < 2
    if numeric and "external" not in described:
        return
    problem = "written to a file" if "external" in described else f"{described['dtype']} {list(described['shape'])}"
    raise ValueError(
        f"{keys.name}: {key}, for {name!r}, is {problem}; a number or a spectrum in the event is needed: name "
        f"another key, GPAgent(..., others={{{name!r}: ...}})"
    )
