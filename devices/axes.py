"""Answers of an axis to a PixelStage, whoever made it: limits, position, unit, the end of a move."""

import inspect
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Readable
from bluesky.utils import FailedStatus
from ophyd.status import StatusBase

from bluesky_gp.moves import hinted_keys
from bluesky_gp.units import stated_unit

Limits = tuple[float, float]
UNLIMITED: Limits = (-np.inf, np.inf)


class AllEnded(StatusBase):
    """Ends when every axis has ended: with the first failure, if there was one."""

    def __init__(self, stage: str, n_axes: int) -> None:
        self._stage = stage
        super().__init__()
        self._waiting = n_axes
        self._failure: Exception | None = None
        self._counting = threading.Lock()  # axes end in threads of their own

    def ended(self, axis: str, failure: BaseException | None) -> None:
        """Note that one axis ended; the last one ends this Status."""
        with self._counting:
            if failure is not None and self._failure is None:
                self._failure = RuntimeError(f"{self._stage}: axis {axis} did not get there: {failure!r}")
                self._failure.__cause__ = failure
            self._waiting -= 1
            if self._waiting:
                return
        if self._failure is None:
            self.set_finished()
        else:
            self.set_exception(self._failure)

    def __repr__(self) -> str:
        return f"<move of {self._stage}, done={self.done}, success={self.success}>"


def checked_axes(stage: str, axes: Sequence[Any], registry: Any = None) -> tuple[Any, ...]:
    """Return axes that can be moved and read; those given by name come from `registry`."""
    if isinstance(axes, str) or not isinstance(axes, Iterable):
        shown = getattr(axes, "name", repr(axes))
        raise TypeError(f"{stage}: axes must be a list, one axis for each of the grid, got {shown}: write [{shown}]")
    return tuple(_checked(stage, find(stage, axis, registry)) for axis in axes)


def find(device: str, value: Any, registry: Any) -> Any:
    """Return `value`, or the device of that name in `registry` (``registry[name]``)."""
    if not isinstance(value, str):
        return value
    try:
        return registry[value]
    except Exception as error:  # registries have exceptions of their own; None is not subscriptable
        raise ValueError(f"{device}: there is no device {value!r} in the registry {registry!r}") from error


def axis_limits(axis: Any) -> Limits:
    """Return the limits that an axis states; equal ones mean none, as in EPICS."""
    low, high = getattr(axis, "limits", None) or (0.0, 0.0)
    return (float(low), float(high)) if low < high else UNLIMITED


def own_limits(name: str, limits: Sequence[Sequence[float]] | None, ndim: int) -> tuple[Limits, ...]:
    """Return the limits that a stage was given, one pair an axis; ValueError unless they are such."""
    if limits is None:
        return (UNLIMITED,) * ndim
    pairs = np.asarray(limits, dtype=np.float64)
    if pairs.shape != (ndim, 2) or not (pairs[:, 0] < pairs[:, 1]).all():
        raise ValueError(f"{name}: limits must be {ndim} pairs (low, high), got {limits!r}")
    return tuple((float(low), float(high)) for low, high in pairs)


def same_limits(one: Limits, other: Limits) -> Limits:
    """Return what lies within both."""
    return max(one[0], other[0]), min(one[1], other[1])


def position_key(axis: Any, reading: Mapping[str, Any]) -> str:
    """Return the event key of an axis's read-back: its first hinted field, or its name."""
    for key in (*hinted_keys(axis), axis.name, f"{axis.name}_readback"):
        if key in reading:
            return str(key)
    raise ValueError(f"axis {axis.name}: which of {[*reading]} is its position? Hint one, or name it {axis.name!r}")


def unit_of(axis: Any) -> str:
    """Return the unit in which an axis counts; "" if it names none."""
    described = axis.describe()
    return stated_unit(axis, described.get(position_key(axis, described), {}))


def failure(status: Any) -> BaseException | None:
    """Return why a Status of any make failed, None if it did not."""
    if status.success:
        return None
    return (status.exception() if hasattr(status, "exception") else None) or FailedStatus(status)


def _checked(stage: str, axis: Any) -> Any:
    if not isinstance(axis, Readable) or not hasattr(axis, "set"):
        raise TypeError(f"{stage}: an axis must have name, set, read and describe, got {axis!r}")
    if inspect.iscoroutinefunction(axis.read):
        raise TypeError(
            f"{stage}: axis {axis.name} answers asynchronously (ophyd-async), a PixelStage needs classic axes; "
            f"adaptive_map takes a pair of such axes as its stage"
        )
    return axis
