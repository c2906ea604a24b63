"""Slips in the arguments of an agent, each answered by a sentence where it is made."""

from typing import Any

_ASKED = ("grid", "propose", "learn", "state")  # of an optimizer, see `protocols.Optimizer`


def check_optimizer(optimizer: Any) -> None:
    """Raise TypeError unless an optimizer can be asked and taught."""
    if isinstance(optimizer, type):
        raise TypeError(f"GPAgent: optimizer is the class {optimizer.__name__}; give an object, PixelOptimizer(...)")
    if missing := [name for name in _ASKED if not hasattr(optimizer, name)]:
        raise TypeError(
            f"GPAgent: optimizer must be a PixelOptimizer, got {optimizer!r:.80}, which has no {missing[0]!r}"
        )


def check_key(name: str, value: Any) -> None:
    """Raise TypeError unless a key of events, or a name, is a text."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"GPAgent: {name} must be a text such as 'spectrometer_loop_area', got {value!r:.80}")


def check_scalarizer(scalarizer: Any) -> None:
    """Raise TypeError unless a scalarizer can be called."""
    if scalarizer is None or (callable(scalarizer) and not isinstance(scalarizer, type)):
        return
    made = f": get_scalarizer({scalarizer!r}) makes one of its name" if isinstance(scalarizer, str) else ""
    raise TypeError(f"GPAgent: scalarizer must be a function f(spectrum, axis), got {scalarizer!r:.80}{made}")


def check_catalog(catalog: Any) -> None:
    """Raise TypeError unless runs can be looked up in a catalog."""
    if catalog is not None and (isinstance(catalog, str) or not hasattr(catalog, "__getitem__")):
        raise TypeError(f"GPAgent: catalog must be an open one, open_catalog(...), got {catalog!r:.80}")
