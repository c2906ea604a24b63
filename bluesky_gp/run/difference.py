"""Numbers and texts as they were recorded and as they are now: the same to the last bit, or but for rounding."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ROUNDING = 1e-6  # of the largest number of a quantity: what a fit makes of other last bits is below a tenth of it


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was recorded."""

    iteration: int
    quantity: str
    recorded: Any
    replayed: Any
    rounding: float = ROUNDING  # how far another processor may bring it off; 0: it is counted, chosen or said

    def __str__(self) -> str:
        return f"iteration {self.iteration}: {self.quantity} differs{self._distance()}"

    @property
    def is_rounding(self) -> bool:
        """Whether the last bits of numbers are all that differs, as they do on another processor."""
        one, other = _array(self.recorded), _array(self.replayed)
        if not self.rounding or one.shape != other.shape or not _numeric(one, other):
            return False
        finite = np.isfinite(one)
        if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
            return False
        size = np.max(np.abs(one[finite]), initial=0.0)
        return bool(np.all(np.abs(one[finite] - other[finite]) <= self.rounding * size))

    def _distance(self) -> str:
        one, other = _array(self.recorded), _array(self.replayed)
        if one.shape != other.shape:
            return f", of shape {one.shape} and now {other.shape}"
        if one.ndim == 0 or not _numeric(one, other):
            return f", {one} and now {other}"
        with np.errstate(invalid="ignore"):
            apart = np.nanmax(np.abs(one - other), initial=0.0)
        return f", by up to {apart:.3g}"


def same(recorded: npt.ArrayLike, replayed: npt.ArrayLike) -> bool:
    """Whether two arrays have the same numbers, to the last bit, or the same texts; NaN is NaN."""
    one, other = _array(recorded), _array(replayed)
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=_numeric(one, other)))


def _array(value: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(value)
    return array if array.dtype.kind in "US" else np.asarray(array, dtype=np.float64)


def _numeric(*arrays: npt.NDArray[Any]) -> bool:
    return all(array.dtype.kind == "f" for array in arrays)
