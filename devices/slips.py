"""Slips in the settings of a device that ophyd would answer from deep inside, or not at all."""

import inspect
from collections.abc import Mapping
from typing import Any

from bluesky_gp.spelling import misspelt, settings_of, unfit


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
    if wrong := misspelt(given, settings_of(kind), also=_taken(kind)):
        raise TypeError(f"{kind.__name__} {name!r}: {wrong}")


def check_mapping(owner: str, kind: type, given: Mapping[str, Any], hint: str = "") -> None:
    """Raise ValueError unless plain data can be the settings of a device.

    Parameters
    ----------
    owner : str
        Whose settings they are, as an error shows it.
    kind : type
        Class of the device.
    given : mapping
        The settings.
    hint : str, optional
        What is said beside what is wrong.
    """
    if wrong := unfit(kind, given, also=_taken(kind)):
        raise ValueError(f"{owner}: {wrong}{hint}")


def _taken(kind: type) -> set[str]:
    """Arguments of a device, and of the classes that it comes from."""
    return {
        argument
        for each in kind.__mro__
        for argument in inspect.signature(vars(each).get("__init__", object)).parameters
    }
