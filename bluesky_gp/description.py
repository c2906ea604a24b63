"""A kernel, an acquisition function or a rule as plain data for a start document."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Kernel


def describe(value: Any) -> Any:
    """Return plain data from which an object can be made again.

    Kernels and dataclasses become ``{"class": "module:Name", ...parameters}``; numbers and strings stay what they
    are; of anything else, a user's own function, the record has the name.
    """
    if isinstance(value, Kernel):
        return {"class": _class_name(value), **_plain(value.get_params(deep=False))}
    if is_dataclass(value) and not isinstance(value, type):
        return {"class": _class_name(value), **_plain({f.name: getattr(value, f.name) for f in fields(value)})}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [describe(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return getattr(value, "__qualname__", None) or _class_name(value)  # a default repr has an address in it


def _plain(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: describe(value) for name, value in parameters.items()}


def _class_name(value: Any) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"
