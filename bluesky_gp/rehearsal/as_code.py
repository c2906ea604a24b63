"""An object as the Python that makes it, to be pasted into a session.

>>> from bluesky_gp import ConfidenceBound
>>> as_code(ConfidenceBound(beta=3.0))
Code(text='ConfidenceBound(beta=3.0)', imports=('from bluesky_gp import ConfidenceBound',))
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib import import_module
from inspect import signature
from typing import Any, NamedTuple

from sklearn.base import BaseEstimator
from sklearn.gaussian_process.kernels import Kernel, Product, Sum

from bluesky_gp.plain_data import describe


class Code(NamedTuple):
    """An expression, and the lines that it needs before it."""

    text: str
    imports: tuple[str, ...] = ()


def as_code(value: Any) -> Code:
    """Return the expression that makes a kernel, an acquisition function, plain data; a user's function by its name."""
    if isinstance(value, Sum | Product):
        return _joined((as_code(value.k1), as_code(value.k2)), _plus if isinstance(value, Sum) else _times)
    if isinstance(value, Kernel | BaseEstimator):
        return _call(type(value), value.get_params(deep=False))
    if is_dataclass(value) and not isinstance(value, type):
        return _call(type(value), {field.name: getattr(value, field.name) for field in fields(value)})
    if callable(value):
        return Code(str(describe(value)))
    return Code(repr(describe(value)))


def _plus(left: str, right: str) -> str:
    return f"{left} + {right}"


def _times(left: str, right: str) -> str:
    return " * ".join(f"({part})" if " + " in part else part for part in (left, right))


def _call(made: type[Any], given: dict[str, Any]) -> Code:
    """Leave out what is the class's default."""
    defaults = {name: parameter.default for name, parameter in signature(made).parameters.items()}
    told = {name: as_code(value) for name, value in given.items() if describe(value) != describe(defaults[name])}
    line = f"from {_public_module(made)} import {made.__name__}"
    arguments = _joined(tuple(told.values()), lambda *texts: ", ".join(map("{}={}".format, told, texts)))
    return Code(f"{made.__name__}({arguments.text})", (line, *arguments.imports))


def _public_module(made: type[Any]) -> str:
    """Return the module a user imports a class from: ``sklearn.preprocessing._data`` is private, as all our files."""
    package, *inside = made.__module__.partition("._")[0].split(".")
    if package != "bluesky_gp":
        return ".".join((package, *inside))
    return package if hasattr(import_module(package), made.__name__) else f"{package}.{inside[0]}"


def _joined(parts: tuple[Code, ...], join: Callable[..., str]) -> Code:
    imports = dict.fromkeys(line for part in parts for line in part.imports)
    return Code(join(*(part.text for part in parts)), tuple(imports))
