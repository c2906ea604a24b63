"""What the configuration of a detector, in a descriptor, states of one of its event keys."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bluesky_gp.typing import Floats


def stated(descriptor: Mapping[str, Any], key: str, suffix: str) -> tuple[Any, Mapping[str, Any]] | None:
    """Return what the detector of an event key has configured under the only key that ends so, and its data key."""
    device = descriptor["data_keys"][key].get("object_name")
    configuration = descriptor.get("configuration", {}).get(device, {})
    found = [(name, value) for name, value in configuration.get("data", {}).items() if name.endswith(suffix)]
    if len(found) != 1:
        return None
    [(name, value)] = found
    return value, configuration.get("data_keys", {}).get(name, {})


def signal_axis(descriptor: Mapping[str, Any], key: str) -> tuple[Floats | None, str]:
    """Return the axis of a spectrum and its unit; None and "" if its detector names none: channels count from 0.

    It stands in the detector's configuration, under the only key that ends in ``_axis``.
    """
    found = stated(descriptor, key, "_axis")
    if found is None:
        return None, ""
    value, described = found
    return np.asarray(value, dtype=np.float64), described.get("units", "") or ""


def goes_one_way(axis: Floats) -> bool:
    """Whether an axis can be an index: a sweep, which goes there and back, cannot."""
    steps = np.diff(axis)
    return bool(np.all(steps > 0) or np.all(steps < 0))
