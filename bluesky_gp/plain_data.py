"""A kernel, an acquisition function or a rule as plain data for a start document, and made again from it."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.gaussian_process.kernels import Kernel

_OURS = re.compile(
    r"bluesky_gp\.[a-z]+"
)  # no private files, and none of the subpackages: `bluesky_gp.cli.__main__` runs
_KERNELS = "sklearn.gaussian_process.kernels"
_TRANSFORMERS = (  # not preprocessing._function_transformer: of its functions the record has names only
    "sklearn.preprocessing._data",
    *(f"sklearn.decomposition.{module}" for module in ("_pca", "_nmf", "_truncated_svd")),
)


class DescriptionError(ValueError):
    """A description from which nothing can be made again; the message says what to give instead."""


def describe(value: Any) -> Any:
    """Return plain data from which an object can be made again.

    Kernels, scikit-learn's transformers and dataclasses become ``{"class": "module:Name", ...parameters}``; numbers
    and strings stay what they are; of anything else, a user's own function, the record has the name.
    """
    if isinstance(value, Kernel | BaseEstimator):
        return {"class": _class_name(value), **_plain(value.get_params(deep=False))}
    if is_dataclass(value) and not isinstance(value, type):
        return {"class": _class_name(value), **_plain({f.name: getattr(value, f.name) for f in fields(value)})}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return _plain({str(name): item for name, item in value.items()})
    if isinstance(value, tuple | list):
        return [describe(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return getattr(value, "__qualname__", None) or _class_name(value)  # a default repr has an address in it


def make(description: Any) -> Any:
    """Make what `describe` described.

    Only scikit-learn's kernels and transformers and the dataclasses and kernels of ``bluesky_gp`` are made: a record
    cannot have anything else imported, and nothing called but their constructors.

    Raises
    ------
    DescriptionError
        If the description names any other class, or parameters that its class does not take.

    Examples
    --------
    >>> make({"class": "bluesky_gp.acquisition.improvement:ConfidenceBound", "beta": 3.0})
    ConfidenceBound(beta=3.0)
    """
    if isinstance(description, list | tuple):
        return [make(item) for item in description]
    if not isinstance(description, Mapping):
        return description
    parameters = {name: make(item) for name, item in description.items() if name != "class"}
    if "class" not in description:
        return parameters
    made = _class(str(description["class"]))
    try:
        return made(**parameters)
    except (TypeError, ValueError) as error:
        raise DescriptionError(f"{description['class']} does not take what is recorded for it: {error}") from error


def _class(name: str) -> type[Any]:
    module, _, attribute = name.partition(":")
    if not (_OURS.fullmatch(module) or module in (_KERNELS, *_TRANSFORMERS)) or not attribute.isidentifier():
        raise DescriptionError(f"the class {name!r} is not made again from a record: give the object itself")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise DescriptionError(f"this version has no {name!r}: give the object itself") from error
    if not (isinstance(found, type) and found.__module__ == module and _is_value(found)):
        raise DescriptionError(f"{name!r} is neither a kernel, a transformer nor a dataclass")
    return found


def _is_value(found: type[Any]) -> bool:
    return is_dataclass(found) or issubclass(found, Kernel | BaseEstimator)


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: describe(value) for name, value in parameters.items()}


def _class_name(value: Any) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"
