"""Signals with axes, as the readers of different formats find them, of which one is to be chosen."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.spectrum_image import SpectrumImage
from bluesky_gp.typing import Floats

LARGEST = 2**33  # bytes of a file's spectra, as float64

AXIS_NAMES = {"V": "bias", "mV": "bias", "eV": "energy", "keV": "energy", "nm": "wavelength"}


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a signal; `values` of shape ``(n,)``."""

    name: str
    units: str
    values: Floats
    spectral: bool


@dataclass(frozen=True, eq=False)
class Signal:
    """A signal of a file, not yet in memory."""

    name: str
    axes: tuple[Axis, ...]  # in the order of the array
    load: Callable[[], Any]
    units: str = ""
    real: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def spectral(self) -> list[int]:
        """Axes that are spectral."""
        return [i for i, axis in enumerate(self.axes) if axis.spectral]


def chosen_image(path: Path, signals: Sequence[Signal], name: str | None) -> SpectrumImage:
    """Return the one signal of a file that has a spectrum at each pixel, or that of the name given.

    Raises
    ------
    ValueError
        If there is none, or more than one; the message lists what there is.
    """
    named = [s for s in signals if name is None or s.name == name]
    found = [s for s in named if _is_image(s)]
    if len(found) == 1:
        return _image(path, found[0])
    if found:
        names = ", ".join(repr(s.name) for s in found)
        raise ValueError(f"file {path}: holds {len(found)} spectrum images, say which signal: {names}")
    what = "; ".join(_described(s) for s in signals[:5]) + ("; ..." if len(signals) > 5 else "") or "nothing"
    missing = "no spectra inside" if name is None else f"no spectrum image is called {name!r}"
    raise ValueError(
        f"file {path}: {missing}, expected real numbers over one to three navigation axes and one spectral axis; "
        f"it holds {what}"
    )


def _is_image(signal: Signal) -> bool:
    return signal.real and len(signal.spectral) == 1 and 2 <= len(signal.axes) <= 4 and 0 not in signal.shape


def _described(signal: Signal) -> str:
    axes = " x ".join(
        f"{len(axis.values)} {axis.name}{' (spectral)' if i in signal.spectral else ''}"
        for i, axis in enumerate(signal.axes)
    )
    return f"{signal.name!r}: {axes or 'one number'}{'' if signal.real else ', complex'}"


def _image(path: Path, signal: Signal) -> SpectrumImage:
    size = 8 * prod(signal.shape)
    if size > LARGEST:
        raise ValueError(f"file {path}: {signal.name!r} would take {size / 2**30:.1f} GiB")
    (place,) = signal.spectral
    spectral = signal.axes[place]
    navigation = [axis for i, axis in enumerate(signal.axes) if i != place]
    if not np.isfinite(spectral.values).all():
        raise ValueError(f"file {path}: the axis {spectral.name!r} must be finite numbers")
    step, origin, units = _lattice(navigation)
    return SpectrumImage(
        np.ascontiguousarray(np.moveaxis(_loaded(path, signal), place, -1)),
        spectral.values,
        axis_name=AXIS_NAMES.get(spectral.units) or spectral.name or "channel",
        axis_units=spectral.units,
        spectrum_units=signal.units,
        step=step,
        origin=origin,
        units=units,
        metadata=signal.metadata,
        path=path,
    )


def _loaded(path: Path, signal: Signal) -> Floats:
    try:
        return np.asarray(signal.load(), dtype=np.float64).reshape(signal.shape)
    except Exception as error:  # a broken file ends in whatever its reader stumbles over
        raise ValueError(f"file {path}: {signal.name!r} cannot be read: {error}") from error


def _lattice(axes: Sequence[Axis]) -> tuple[tuple[float, ...], tuple[float, ...], str]:
    """Return step, origin and units of the pixels, in pixels unless all axes are even and of one unit."""
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
