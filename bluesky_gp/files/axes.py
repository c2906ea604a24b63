"""Axes of a signal: their names and units, which one is spectral, and the lattice that the others make."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bluesky_gp.typing import Floats

BIAS_UNITS = ("V", "mV")

_SPECTRAL_UNITS = ("eV", "keV", "meV", "1/cm", "cm-1")  # that positions never have


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a signal; `values` of shape ``(n,)``."""

    name: str
    units: str
    values: Floats
    spectral: bool


def marked(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return axes of which one is spectral, where the marks are wrong but only one can be that of a spectrum.

    In Gatan's spectrum images the energy, or the wavelength, may be marked as navigation, and both other axes as
    spectral (rosettasciio 0.15).
    """
    chosen = _by_units(axes)
    if chosen is None or sum(axis.spectral for axis in axes) == 1:
        return tuple(axes)
    return tuple(replace(axis, spectral=i == chosen) for i, axis in enumerate(axes))


def _by_units(axes: Sequence[Axis]) -> int | None:
    """Return the only axis whose unit or name is that of a spectrum, None if there is none or more."""
    for of_spectra in (_of_spectra, _of_light):
        found = [i for i, axis in enumerate(axes) if of_spectra(axis)]
        if found:
            return found[0] if len(found) == 1 else None
    others = [axis.units for axis in axes if axis.units != "nm"]  # positions of one unit, and an axis without a name
    lone = [i for i, axis in enumerate(axes) if axis.units == "nm" and not axis.name]
    return lone[0] if len(lone) == 1 and len(others) == len(axes) - 1 and len(set(others)) == 1 else None


def _of_spectra(axis: Axis) -> bool:
    return axis.units in _SPECTRAL_UNITS


def _of_light(axis: Axis) -> bool:
    return "wavelength" in axis.name.lower() or axis.name.lower() == "lambda"


def lattice(axes: Sequence[Axis]) -> tuple[tuple[float, ...], tuple[float, ...], str]:
    """Return step, origin and units of pixels; in pixels unless all axes are even and of one unit."""
    units = {axis.units for axis in axes}
    steps = [_even_step(axis.values) for axis in axes]
    if len(units) != 1 or "" in units or not all(steps):
        return (1.0,) * len(axes), (0.0,) * len(axes), "px"
    return tuple(steps), tuple(float(axis.values[0]) for axis in axes), units.pop()


def _even_step(values: Floats) -> float:
    """Return the distance of neighbours, 0 if they are not even; one pixel alone has a step of 1."""
    if len(values) == 1:
        return 1.0
    steps = np.diff(values)
    mean = float(steps.mean())
    return mean if np.isfinite(mean) and np.allclose(steps, mean, rtol=1e-3, atol=0.0) else 0.0


_BRACKETS = re.compile(r"^(.*?)\s*[(\[](.*?)[)\]]\s*$")


def split_units(text: object) -> tuple[str, str]:
    """Return quantity and unit of a text such as "Amplitude (V)".

    >>> split_units("Electrons (Counts)"), split_units("counts")
    (('Electrons', 'counts'), ('counts', ''))
    """
    found = _BRACKETS.match(str(text))
    if found is None:
        return str(text).strip(), ""
    unit = found.group(2).strip()
    return found.group(1), "counts" if unit.lower() == "counts" else unit


def plain_text(value: object) -> str:
    """Return a name or a unit; "" where a file says `None`, `<undefined>` or "generic"."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return "" if text in ("None", "<undefined>", "generic") else text.replace("µ", "u").replace("μ", "u")
