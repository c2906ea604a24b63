"""Numbers among settings, checked when they are given: each slip is answered in a sentence that names it."""

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
