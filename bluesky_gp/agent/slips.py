"""Slips in the arguments of an agent, each answered by a sentence where it is made."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any, cast

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.run import PIXELS, Axes
from bluesky_gp.scalarizers import get_scalarizer
from bluesky_gp.settings import check_call

_HINT = "; AskTell(make, grid, target) of bluesky_gp.optimizer drives one that suggests and ingests"
_ASKED = ("grid", "propose", "learn", "state")  # of an optimizer, see `protocols.Optimizer`


def check_optimizer(optimizer: Any) -> None:
    """Raise TypeError unless an optimizer can be asked and taught."""
    if isinstance(optimizer, type):
        raise TypeError(f"GPAgent: optimizer is the class {optimizer.__name__}; give an object, PixelOptimizer(...)")
    if missing := [name for name in _ASKED if not hasattr(optimizer, name)]:
        raise TypeError(
            f"GPAgent: optimizer must be a PixelOptimizer, got {optimizer!r:.80}, which has no {missing[0]!r}"
            f"{_HINT if hasattr(optimizer, 'suggest') else ''}"
        )


def check_executor(executor: Any) -> None:
    """Raise TypeError unless an executor gives futures that a plan can wait for; a Dask client's end in no plan."""
    if executor is None or isinstance(executor, Executor):
        return
    hint = f"{type(executor).__name__.lower()}.get_executor()" if hasattr(executor, "get_executor") else ""
    raise TypeError(
        f"GPAgent: executor must be a concurrent.futures.Executor, got {type(executor).__name__}"
        f"{f': give executor={hint}' if hint else ''}"
    )


def check_text(name: str, value: Any, *, empty: bool = False) -> None:
    """Raise TypeError unless a key of events, a name or a reason is a text."""
    if not isinstance(value, str) or not (value or empty):
        example = {"reason": "a bubble", "units": "pm V"}.get(name, "spectrometer_loop_area")
        raise TypeError(f"GPAgent: {name} must be a text such as {example!r}, got {value!r:.80}")


def check_name(name: Any) -> None:
    """Raise unless an agent can be called so: streams and keys of documents begin with its name."""
    check_text("name", name)
    if name == PIXELS or "." in name or "/" in name:
        raise ValueError(f"GPAgent: name must be other than {PIXELS!r}, without '.' and '/', got {name!r}")


def checked_axes(grid: PixelGrid, axes: Any) -> Axes:
    """Return the event keys of row and column; ValueError unless there is one for each axis of the grid."""
    try:
        found = None if isinstance(axes, str) else Axes.of(axes)
    except (KeyError, TypeError):
        found = None
    if found is None or len(found.keys) != grid.ndim or not all(isinstance(key, str) for key in found.keys):
        example = grid.pixel_keys("stage")
        raise ValueError(f"GPAgent: axes must be {grid.ndim} keys of events such as {list(example)}, got {axes!r:.80}")
    return found


def checked_pixel(grid: PixelGrid, pixel: Any) -> tuple[int, ...]:
    """Return a pixel, a whole number for each axis; ValueError if it is none of the grid's."""
    given = list(pixel) if isinstance(pixel, Iterable) and not isinstance(pixel, str) else None
    if given is None or len(given) != grid.ndim:
        flat = isinstance(pixel, int) and 0 <= pixel < grid.size
        hint = f": the flat index {pixel} is {tuple(grid.unravel([pixel])[0].tolist())}" if flat else ""
        raise ValueError(f"GPAgent: a pixel is ({', '.join(grid.axes)}), got {pixel!r:.80}{hint}")
    grid.ravel([given])  # raises outside the grid
    return tuple(int(p) for p in given)


def checked_scalarizer(scalarizer: Any) -> Scalarizer | None:
    """Return a scalarizer, made if it is given by its name or as plain data.

    Raises
    ------
    TypeError, ValueError
        If it cannot be called, or there is none of that name.
    """
    if scalarizer is None or isinstance(scalarizer, str | Mapping):
        return None if scalarizer is None else get_scalarizer(scalarizer)
    if not callable(scalarizer) or isinstance(scalarizer, type):
        raise TypeError(
            f"GPAgent: scalarizer must be a function f(spectrum, axis), or the name of one, got {scalarizer!r:.80}"
        )
    check_call("GPAgent: scalarizer", scalarizer, "spectrum", "axis")
    return cast(Scalarizer, scalarizer)


def check_catalog(catalog: Any) -> None:
    """Raise TypeError unless runs can be looked up in a catalog."""
    if catalog is not None and (isinstance(catalog, str) or not hasattr(catalog, "__getitem__")):
        raise TypeError(f"GPAgent: catalog must be an open one, open_catalog(...), got {catalog!r:.80}")


def check_scalarized(agent: str, target: str, described: Mapping[str, Any]) -> None:
    """Raise ValueError if a scalarizer would be given a number of events that carry spectra as well."""
    spectra = [key for key, other in described.items() if other["dtype"] == "array" and any(other["shape"])]
    if described[target]["dtype"] in ("number", "integer") and spectra:
        raise ValueError(
            f"{agent}: {target} is a number already: leave out scalarizer=, or give the spectrum as target= "
            f"({' or '.join(map(repr, spectra))})"
        )
