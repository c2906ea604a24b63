"""Numbers and functions among settings, checked when given: each slip is answered in a sentence that names it."""

import inspect
from collections.abc import Callable
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any


def check_number(owner: str, name: str, value: Any, *, least: float = -inf, above: float = -inf) -> None:
    """Raise if a setting is no finite number, or too small.

    Raises
    ------
    TypeError, ValueError
        If it is none, below `least`, or not above `above`.

    Examples
    --------
    >>> check_number("MaxTime", "seconds", "1 h")
    Traceback (most recent call last):
    TypeError: MaxTime: seconds must be a number, got '1 h'
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{owner}: {name} must be a number, got {value!r}")
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{owner}: {name} must be a finite number, got {value}")
    if number < least:
        raise ValueError(f"{owner}: {name} must be at least {least:g}, got {value}")
    if not number > above:
        raise ValueError(f"{owner}: {name} must be larger than {above:g}, got {value}")


def check_whole(owner: str, name: str, value: Any, least: int) -> None:
    """Raise if a setting is no whole number, or below `least`.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{owner}: {name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{owner}: {name} must be at least {least}, got {value}")


def check_call(owner: str, function: Callable[..., Any], *positional: str, named: tuple[str, ...] = ()) -> None:
    """Raise TypeError if a function cannot be called with the arguments that it will be given.

    Parameters
    ----------
    owner : str
        Of which setting it is.
    *positional, named : str
        Names of the arguments, as the sentence shows them.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have none
        return
    try:
        signature.bind(*positional, **dict.fromkeys(named))
    except TypeError as error:
        call = ", ".join([*positional, *(f"{name}={name}" for name in named)])
        name, argument = getattr(function, "__name__", type(function).__name__), owner.rpartition(" ")[2]
        raise TypeError(f"{owner} is called as {argument}({call}), not {name}{signature}: {error}") from None
