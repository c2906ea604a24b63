"""Units: whether an axis counts in that of its grid, and what is measured in one; numbers as people write them."""

import logging
import math
from collections.abc import Mapping, Sequence
from functools import cache
from inspect import signature
from typing import Any

from bluesky_gp.grid import PixelGrid

logger = logging.getLogger("bluesky_gp")

NO_UNIT = ("", "px")  # pixels are no unit of a motor: a grid that is given none has steps of one pixel

AXIS_NAMES = {"V": "bias", "mV": "bias", "eV": "energy", "keV": "energy", "nm": "wavelength"}
"""Name of an axis of spectra by its unit."""


def quantity_of(name: str, units: str) -> str:
    """Return the name of an axis of spectra; of one that is only numbered, what its unit is a unit of.

    >>> quantity_of("channel", "eV"), quantity_of("two theta", "deg"), quantity_of("channel", "")
    ('energy', 'two theta', 'channel')
    """
    return AXIS_NAMES.get(units, name) if name == "channel" else name


def rounded(value: float, digits: int = 4) -> str:
    """Return a number as people write it: rounded to some digits, and without an exponent from 0.0001 to a million.

    >>> rounded(224.3, 2), rounded(44859.0), rounded(0.0012345, 2), rounded(2.24e9, 3), rounded(10.0)
    ('220', '44860', '0.0012', '2.24e+09', '10')
    """
    return f"{float(f'{value:.{digits}g}'):g}"


def check_unit(stage: str, grid: PixelGrid, axis: str, unit: str) -> None:
    """Raise ValueError if an axis counts in another unit than the grid; say so in the log if one names none.

    Parameters
    ----------
    stage : str
        Name of the stage.
    grid : PixelGrid
    axis : str
        Name of the axis, or of the variable that says the unit.
    unit : str
        Unit of the axis; "" if it says none.
    """
    unit, wanted = unit.strip(), grid.units.strip()
    if unit == wanted and unit:
        return
    if unit in NO_UNIT or wanted in NO_UNIT:
        logger.warning("%s: %s", stage, _taken(axis, unit, wanted))
    elif (factor := ratio(wanted, unit)) != 1.0:
        raise ValueError(
            f"{stage}: the grid is in {grid.units!r}, but {axis} says {unit!r}; {_advice(grid, unit, factor)}"
        )


def stated_unit(axis: Any, data_key: Mapping[str, Any]) -> str:
    """Return the unit that an axis states in its data key, or as ophyd's positioners do in `egu`; "" if in neither.

    An `egu` that is only the default of the constructor, as the "mm" of `ophyd.sim.SynAxis`, was stated by nobody.
    """
    egu = str(getattr(axis, "egu", None) or "")
    argument = signature(type(axis).__init__).parameters.get("egu")
    chosen = argument is None or argument.default != egu
    return str(data_key.get("units") or "") or (egu if chosen else "")


@cache
def ratio(one: str, other: str) -> float | None:
    """Return how many of `other` one of `one` is; None if they are not of one kind, or nobody knows them.

    >>> ratio("mm", "um"), ratio("microns", "µm"), ratio("deg", "mm")
    (1000.0, 1.0, None)
    """
    if one == other:
        return 1.0
    known = [(a, b) for a in _units(one) for b in _units(other) if a.dimensionality == b.dimensionality]
    if not known:
        return None
    factor = float((1 * known[0][0]).to(known[0][1]).magnitude)
    return 1.0 if math.isclose(factor, 1.0, rel_tol=1e-9) else float(f"{factor:.9g}")


@cache
def _registry() -> Any:
    from pint import UnitRegistry  # takes a quarter of a second, and is seldom needed

    return UnitRegistry()


def _units(text: str) -> Sequence[Any]:
    """Return what a spelling may mean, as it stands first; control systems like capitals (MM, DEG, Micron)."""
    found = []
    for spelling in dict.fromkeys((text, text.lower())):
        try:
            found.append(_registry().parse_units(spelling))
        except Exception:  # noqa: BLE001, S112 - of many kinds: undefined units, and what is no unit at all ("%/s)")
            continue
    return found


def _taken(axis: str, unit: str, wanted: str) -> str:
    if unit in NO_UNIT and wanted in NO_UNIT:
        return f"neither the grid nor {axis} names a unit: a step of 1 is taken to be 1 of what {axis} counts"
    if unit in NO_UNIT:
        return f"{axis} names no unit: it is taken to count in {wanted!r}, as the grid does"
    return f"the grid names no unit: its steps are taken to be in {unit!r}, as {axis} counts"


def _advice(grid: PixelGrid, unit: str, factor: float | None) -> str:
    if factor is None:
        return f"give the grid's step, origin and units in {unit!r}"
    step, origin = (tuple(float(f"{factor * v:.9g}") for v in values) for values in (grid.step, grid.origin))
    return f"the same grid there is PixelGrid({grid.shape}, step={step}, origin={origin}, units={unit!r})"
