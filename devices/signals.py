"""Signals of detectors: spectra with units, images, durations."""

from typing import Any

import numpy as np
from ophyd import Signal


class ArraySignal(Signal):
    """A one-dimensional array, of float64 or complex numbers, with units and the name of its dimension."""

    def __init__(self, *, units: str = "", dim: str = "channel", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.dim = dim

    def describe(self) -> dict[str, Any]:
        """Return the data key."""
        value = np.asarray(self.get())
        data_key = {
            "source": f"PY:{self.name}",
            "dtype": "array",
            "dtype_numpy": value.dtype.str,
            "shape": [*value.shape],
            "dims": [self.dim],
            "units": self.units,
            "object_name": self.parent.name if self.parent is not None else self.name,
        }
        return {self.name: data_key}


class ImageSignal(Signal):
    """A two-dimensional array of single precision, from a control system."""

    def __init__(self, *, system: str = "PY", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.system = system

    def describe(self) -> dict[str, Any]:
        """Return the data key."""
        shape = [*np.shape(self.get())]
        data_key = {"source": f"{self.system}:{self.name}", "dtype": "array", "dtype_numpy": "<f4", "shape": shape}
        return {self.name: {**data_key, "dims": ["row", "col"]}}


class SecondsSignal(Signal):
    """A duration in seconds that may be set between runs; negative ones and NaN are refused."""

    def check_value(self, value: float) -> None:
        """Raise ValueError unless `value` is a duration."""
        if not isinstance(value, (int, float, np.number)) or not 0 <= value < np.inf:
            raise ValueError(f"{self.name}: expected seconds, zero or more, got {value!r}")

    def put(self, value: float, **kwargs: Any) -> None:
        """Set the duration."""
        self.check_value(value)
        super().put(float(value), **kwargs)

    def describe(self) -> dict[str, Any]:
        """Return the data key."""
        data_key = {"source": f"PY:{self.name}", "dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "s"}
        return {self.name: data_key}
