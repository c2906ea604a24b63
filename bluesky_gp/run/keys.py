"""Keys of a run's events: where a pixel is, its target, its auxiliary quantities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any, Literal, Self

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import AnyOptimizer, Scalarizer
from bluesky_gp.scalarizers import as_number
from bluesky_gp.typing import Floats

PIXELS = "primary"
"""The stream in which pixels are measured, whatever other streams carry."""


EVENT_TIME = "time"
"""Key of an auxiliary quantity that is no reading but the timestamp of the target, in seconds since 1970."""


@dataclass(frozen=True)
class Axes:
    """The keys of an event that say where its pixel is.

    Parameters
    ----------
    keys : tuple of str
        One for each axis of the grid.
    space : {"pixel", "stage"}
        Whether the values are rows and columns, or positions of the stage in the grid's units.
    """

    keys: tuple[str, ...]
    space: Literal["pixel", "stage"] = "pixel"

    @classmethod
    def of(cls, value: "Axes | Mapping[str, Any] | Iterable[str]") -> "Axes":
        """Read axes from the start document, or from a list of keys (rows and columns)."""
        if isinstance(value, Axes):
            return value
        if isinstance(value, Mapping):
            return cls(tuple(value["keys"]), value.get("space", "pixel"))
        return cls(tuple(value))

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for the start document."""
        return {"keys": list(self.keys), "space": self.space}

    def fraction(self, data: Mapping[str, Any], grid: PixelGrid) -> Floats:
        """Return where the stage was, shape ``(ndim,)``, in pixels, fractions included."""
        position = np.array([_coordinate(data[key]) for key in self.keys])
        return position if self.space == "pixel" else grid.fraction(position)

    def pixel(self, data: Mapping[str, Any], grid: PixelGrid) -> tuple[int, ...] | None:
        """Return the pixel nearest to where the stage was; None outside the grid."""
        fraction = self.fraction(data, grid)
        if not np.all((fraction > -0.5) & (fraction < np.subtract(grid.shape, 0.5))):
            return None
        return tuple(int(p) for p in np.rint(fraction))


def _coordinate(raw: Any) -> float:
    """Return a position; NaN, which is in no pixel, if it is none: what JSON has for NaN, a text."""
    try:
        return as_number(raw)
    except (TypeError, ValueError):
        return nan


@dataclass(frozen=True)
class PixelKeys:
    """The keys of an event that say what was measured at its pixel, and the scalarizer where the detector has none."""

    name: str  # of the agent
    target: str
    grid: PixelGrid
    axes: Axes
    scalarizer: Scalarizer | None = None
    others: Mapping[str, str] = field(default_factory=dict)  # event keys of auxiliary quantities, by their names
    monitor: str = ""  # event key of what the target is divided by

    @classmethod
    def of(
        cls, gp: Mapping[str, Any], scalarizer: Scalarizer | None = None, others: Mapping[str, str] | None = None
    ) -> Self:
        """Read the keys of a steered run from what its start document says under ``gp``.

        Parameters
        ----------
        gp : Mapping
        scalarizer : Scalarizer, optional
            That makes the target of a spectrum.
        others : mapping, optional
            Default: those that the run's agent heard.
        """
        grid, heard = PixelGrid.from_mapping(gp["grid"]), gp.get("other_keys", {}) if others is None else others
        return cls(gp["agent"], gp["target"], grid, Axes.of(gp["axes"]), scalarizer, heard, gp.get("monitor", ""))


def units_of(described: Mapping[str, Any], target: str, monitor: str = "") -> str:
    """Return the unit of a target where events are described so, that of a monitor divided out as well."""
    units = str(described[target].get("units") or "")
    by = str(described.get(monitor, {}).get("units") or "")
    return f"{units or 1}/{by}" if by else units


def other_keys(target: str, optimizer: AnyOptimizer, given: Mapping[str, str]) -> dict[str, str]:
    """Return the event key of each auxiliary quantity that an optimizer learns, as given or named as the target is.

    When a pixel was measured, if it asks for that, is the timestamp of its target unless a key is given.

    Raises
    ------
    ValueError
        If a key is not given and cannot be told, or is given for something that the optimizer does not learn.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"GPAgent: others must be a mapping such as {{'imprint': 'det_imprint'}}, got {given!r:.80}")
    names = optimizer.others
    prefix = target.removesuffix(optimizer.target) if target.endswith(optimizer.target) else None
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given and prefix is None and name != EVENT_TIME]
    if unknown:
        raise ValueError(f"GPAgent: others names {unknown}; give PixelOptimizer(..., others={[*names, *unknown]}) too")
    if missing:
        raise ValueError(f"GPAgent: which event keys are {missing}? Give others={{{missing[0]!r}: ...}}")
    return {name: given.get(name, name if name == EVENT_TIME else f"{prefix}{name}") for name in names}
