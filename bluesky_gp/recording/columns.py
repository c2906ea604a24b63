"""Columns of a stream in a store: one type, and one shape of its arrays, for all events.

Detectors send spectra that are shorter than described, numbers as arrays and counts that become fractions. A column
begins as the description and the first event say; `widened` is the column that holds another event's value, too.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numpy.lib.recfunctions import structured_to_unstructured

__all__ = ["ArrayColumn", "Column", "ScalarColumn", "column_of"]

_RANGE = range(-(2**63), 2**63)  # of integers in a table
_NUMPY = {"number": "<f8", "integer": "<i8", "boolean": "|b1"}
_TOO_LONG = {np.dtype(np.longdouble): np.dtype(float), np.dtype(np.clongdouble): np.dtype(complex)}  # no store has them
_FILLERS = {"numbers": "NaN", "text": "empty"}
_ROOM_FOR_NAN = np.dtype(np.float16)  # promoted with it, a type becomes one that has NaN


@dataclass(frozen=True)
class ScalarColumn:
    """A number, an integer, a boolean or a string in each event."""

    kind: str

    def widened(self, value: Any) -> "Column":
        """Return the column that holds `value` as well: itself, or one of numbers."""
        scalar = _scalar(value)
        if isinstance(scalar, complex):
            return ArrayColumn((1,), np.dtype(complex))
        is_integer = isinstance(scalar, int) and scalar in _RANGE
        if self.kind == "boolean" and not isinstance(scalar, bool):
            return ScalarColumn("integer" if is_integer else "number")
        return ScalarColumn("number") if self.kind == "integer" and not is_integer else self

    def stored(self, value: Any) -> Any:
        """Return what stands in the table for `value`."""
        scalar = _scalar(value)
        if self.kind == "string":
            return "" if value is None else str(value if scalar is None else scalar)
        if self.kind != "number":
            return scalar
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            return float(scalar) if not isinstance(scalar, str) and scalar is not None else np.nan
        return np.nan

    def remark(self, value: Any) -> str:
        """Return what of `value` the table does not have, in words; empty if nothing."""
        scalar = _scalar(value)
        if self.kind == "string":
            return ""
        if scalar is None or isinstance(scalar, str):
            return f"{_short(value)} is no {self.kind}"
        return f"{_short(value)} has more than 64 bits" if isinstance(scalar, int) and scalar not in _RANGE else ""

    def cut(self, value: Any) -> list[int] | None:
        """Return None: a number is never filled up."""
        return None

    def described(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data key for this column."""
        if about["dtype"] == self.kind:
            return {**about, "shape": []} if None in (about.get("shape") or [None]) else dict(about)
        return {**_untyped(about), "dtype": self.kind, "shape": [], "dtype_numpy": _NUMPY[self.kind]}


@dataclass(frozen=True)
class ArrayColumn:
    """An array of a shape and dtype in each event."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def widened(self, value: Any) -> Self:
        """Return the column that holds `value` as well, with room for NaN if not all of it is of one shape."""
        array = self._comparable(value)
        if array is None or not array.size:
            return replace(self, dtype=_with_nan(self.dtype))
        dtype = self.dtype if _survives(array, self.dtype) else np.promote_types(self.dtype, array.dtype)
        if self._is_whole(array):
            return replace(self, dtype=dtype)
        shape = _union(self.shape, array.shape)
        return replace(self, shape=shape, dtype=_with_nan(dtype))

    def stored(self, value: Any) -> npt.NDArray[Any]:
        """Return what stands in the array for `value`: what it does not have is NaN."""
        array = self._comparable(value)
        if array is not None and self._is_whole(array):
            return array.reshape(self.shape).astype(self.dtype, copy=False)
        whole = np.full(self.shape, np.nan, self.dtype) if self.dtype.kind in "fc" else np.zeros(self.shape, self.dtype)
        if array is not None and array.size:
            array = array.reshape(_aligned(array.shape, len(self.shape)))
            whole[tuple(slice(n) for n in array.shape)] = array
        return whole

    def remark(self, value: Any) -> str:
        """Return in which way `value` differs from the others, in words; empty if in none."""
        array = self._comparable(value)
        if array is None:
            return f"{_short(value)} is no array"
        if self._is_whole(array):
            return ""
        return (
            f"it has the shape {array.shape} and not {self.shape}, what is missing is {_FILLERS[_family(self.dtype)]}"
        )

    def cut(self, value: Any) -> list[int] | None:
        """Return the shape of a `value` that is filled up in the store; None if it is whole, or no array."""
        array = self._comparable(value)
        return None if array is None or self._is_whole(array) else list(array.shape)

    def described(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data key for this column."""
        return {**_untyped(about), "dtype": "array", "shape": list(self.shape), "dtype_numpy": self.dtype.str}

    def _is_whole(self, array: npt.NDArray[Any]) -> bool:
        """Whether it is an event's whole array, perhaps flat, or with axes of one more or less."""
        same = [n for n in array.shape if n != 1] == [n for n in self.shape if n != 1]
        return same or (array.ndim == 1 and array.size == prod(self.shape))

    def _comparable(self, value: Any) -> npt.NDArray[Any] | None:
        """Return `value` as an array of numbers or of text, whichever this is one of; None if it is neither."""
        array = _array(value)
        return array if array is not None and _family(array.dtype) == _family(self.dtype) else None


Column = ScalarColumn | ArrayColumn


def column_of(about: Mapping[str, Any], value: Any) -> Column:
    """Return the column of a data key whose first value this is; of a key that has none yet, as it is described."""
    array = _array(value)
    if about["dtype"] != "array" and (array is None or array.size <= 1):
        return ScalarColumn(about["dtype"]) if value is None else ScalarColumn(about["dtype"]).widened(value)
    shape = tuple(about.get("shape") or [None])
    if None in shape or _is_structured(value):
        shape = tuple(n or 1 for n in (shape if array is None else array.shape)) or (1,)
    dtype = _described_dtype(about)
    if array is not None and (dtype is None or _family(dtype) != _family(array.dtype)):
        dtype = _first_dtype(array, value)
    column = ArrayColumn(tuple(max(n, 1) for n in shape), dtype or np.dtype(float))
    return column if value is None else column.widened(value)


def _first_dtype(array: npt.NDArray[Any], value: Any) -> np.dtype[Any]:
    is_typed = isinstance(value, np.ndarray | np.generic) or _family(array.dtype) == "text"
    return array.dtype if is_typed else np.dtype(float)  # whole numbers in a list may be followed by others


def _described_dtype(about: Mapping[str, Any]) -> np.dtype[Any] | None:
    """Return the dtype that a data key has in one of the three spellings; None without, or if it is that of objects."""
    given = about.get("dtype_descr") or about.get("dtype_numpy") or about.get("dtype_str")
    if not given:
        return None
    with contextlib.suppress(TypeError, ValueError):
        dtype = np.dtype([tuple(field) for field in given] if isinstance(given, list) else given)
        return None if dtype.hasobject or dtype.kind in "mM" or dtype in _TOO_LONG else dtype
    return None


def _untyped(about: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in about.items() if key not in ("dtype_descr", "dtype_str")}


def _scalar(value: Any) -> Any:
    """Return a number, boolean or string as Python's, also out of an array of one; None if it is none."""
    if isinstance(value, np.ndarray | np.generic | list | tuple):
        array = _array(value)
        return array.reshape(-1)[0].item() if array is not None and array.size == 1 else None
    return value if isinstance(value, bool | int | float | complex | str) else None


def _array(value: Any) -> npt.NDArray[Any] | None:
    """Return `value` as an array that a store takes; None if it is nothing of the kind."""
    if value is None or isinstance(value, Mapping):
        return None
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        array = structured_to_unstructured(value) if _is_structured(value) else np.asarray(value)
        if array.dtype.kind == "O":  # None among numbers, integers beyond 64 bits
            array = np.asarray(value, dtype=float)
        array = array.astype(_TOO_LONG.get(array.dtype, array.dtype))
        return array if array.dtype.kind in "biufcUS" else array.astype(str)
    return None


def _is_structured(value: Any) -> bool:
    """Whether each element has fields, for which the last axis of the stored array is."""
    return isinstance(value, np.ndarray) and value.dtype.names is not None


def _survives(array: npt.NDArray[Any], dtype: np.dtype[Any]) -> bool:
    if np.can_cast(array.dtype, dtype, "safe"):
        return True
    if array.dtype.kind not in "biuf" or dtype.kind not in "biuf":
        return False
    with np.errstate(all="ignore"):
        return bool(np.array_equal(array.astype(dtype), array, equal_nan=array.dtype.kind == "f"))


def _family(dtype: np.dtype[Any]) -> str:
    """Return which types go together: numbers or text."""
    return "numbers" if dtype.kind in "biufc" else "text"


def _with_nan(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.promote_types(dtype, _ROOM_FOR_NAN) if dtype.kind in "biuf" else dtype


def _aligned(shape: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Return `shape` with axes of one in front until it has `ndim`."""
    return (1,) * (ndim - len(shape)) + shape


def _union(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    ndim = max(len(one), len(other))
    return tuple(map(max, zip(_aligned(one, ndim), _aligned(other, ndim), strict=True)))


def _short(value: Any) -> str:
    return f"{value!r:.60}"
