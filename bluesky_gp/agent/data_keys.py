"""Data keys of the agent's streams, and readings of one moment."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from bluesky.protocols import Reading
from event_model import DataKey


def number(source: str, *, units: str | None = None) -> DataKey:
    """Describe a float."""
    return _key(source, "number", (), "<f8", units)


def integer(source: str) -> DataKey:
    """Describe a whole number."""
    return _key(source, "integer", (), "<i8", None)


def text(source: str) -> DataKey:
    """Describe a string; strings of any length, so no ``dtype_numpy``."""
    return _key(source, "string", (), None, None)


def array(
    source: str,
    shape: Sequence[int],
    dtype: str | None = "<f8",
    *,
    units: str | None = None,
    dims: Sequence[str] = (),
) -> DataKey:
    """Describe an array and name its dimensions; without a dtype, of strings."""
    key = _key(source, "array", shape, dtype, units)
    if dims:
        key["dims"] = list(dims)
    return key


def readings(values: Mapping[str, Any], timestamp: float) -> dict[str, Reading[Any]]:
    """Return `values` as a device's `read` does, all with one timestamp."""
    return {key: {"value": value, "timestamp": timestamp} for key, value in values.items()}


def _key(source: str, dtype: str, shape: Sequence[int], dtype_numpy: str | None, units: str | None) -> DataKey:
    key: dict[str, Any] = {"source": source, "dtype": dtype, "shape": [int(n) for n in shape]}
    if dtype_numpy is not None:
        key["dtype_numpy"] = dtype_numpy
    if units:
        key["units"] = units
    return cast(DataKey, key)
