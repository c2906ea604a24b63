"""What the configuration of a detector, in a descriptor, states of one of its event keys."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from bluesky_gp.typing import Floats


def stated(
    descriptor: Mapping[str, Any], key: str, suffix: str, read: Callable[[Any], Any] = lambda value: value
) -> tuple[Any, Mapping[str, Any]] | None:
    """Return what the detector of an event key has configured under the only key that ends so, and its data key.

    Values that are read as None are left out: a detector may call its ``scan_axis`` "x".
    """
    device = descriptor["data_keys"][key].get("object_name")
    configuration = descriptor.get("configuration", {}).get(device, {})
    data = configuration.get("data", {})
    values = {name: read(value) for name, value in data.items() if name.endswith(suffix)}
    found = [(name, value) for name, value in values.items() if value is not None]
    if len(found) != 1:
        return None
    [(name, value)] = found
    return value, configuration.get("data_keys", {}).get(name, {})


def signal_axis(descriptor: Mapping[str, Any], key: str) -> tuple[Floats | None, str]:
    """Return the axis of a spectrum and its unit; None and "" if its detector names none: channels count from 0.

    It stands in the detector's configuration, under the only key that ends in ``_axis`` and has numbers in a row.
    """
    found = stated(descriptor, key, "_axis", _numbers)
    if found is None:
        return None, ""
    axis, described = found
    return axis, described.get("units", "") or ""


def _numbers(value: Any) -> Floats | None:
    """Return real numbers in a row, axes of one taken off; None for a text, one number, a table, complex ones."""
    with suppress(TypeError, ValueError):
        array = np.asarray(value)
        if array.ndim and array.dtype.kind in "biufO" and sum(n != 1 for n in array.shape) < 2:
            numbers = array.astype(np.float64).reshape(-1)  # JSON has None for NaN
            return numbers if np.isfinite(numbers).any() else None
    return None


def goes_one_way(axis: Floats) -> bool:
    """Whether an axis can be an index: a sweep, which goes there and back, cannot."""
    steps = np.diff(axis)
    return bool(np.all(steps > 0) or np.all(steps < 0))
