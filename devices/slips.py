"""Slips in the arguments of a device that ophyd would answer from deep inside, or not at all."""

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any


def check_arguments(kind: type, name: Any, given: Mapping[str, Any]) -> None:
    """Raise TypeError if a device has no name, or is given an argument that neither it nor ophyd has.

    Parameters
    ----------
    kind : type
        Class of the device.
    name : str
        Name that it was given.
    given : mapping
        The arguments that are handed on to ophyd.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"{kind.__name__}: name must be a text, with which the keys of events begin, got {name!r:.60}")
    known = {
        argument
        for each in kind.__mro__
        for argument in inspect.signature(vars(each).get("__init__", object)).parameters
    }
    for argument in given.keys() - known:
        near = get_close_matches(argument, known, 1)
        meant = f": {near[0]}=... is meant?" if near else ""
        raise TypeError(f"{kind.__name__} {name!r}: there is no argument {argument!r}{meant}")
