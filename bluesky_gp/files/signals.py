"""Signals with axes, as the readers of different formats find them, of which one is to be chosen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.axes import BIAS_UNITS, Axis, lattice
from bluesky_gp.files.limits import check_size
from bluesky_gp.files.spectrum_image import SpectrumImage
from bluesky_gp.typing import Floats
from bluesky_gp.units import AXIS_NAMES

_MOST_SLICES = 10_000  # of one signal; raw band excitation has one for each of its hundreds of frequencies
_LISTED = 12


@dataclass(frozen=True, eq=False)
class Signal:
    """A signal of a file, not yet in memory."""

    name: str
    axes: tuple[Axis, ...]  # in the order of the array
    load: Callable[[], Any]
    units: str = ""
    real: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rotation: float = 0.0  # of the lattice, in degrees
    arrays: Mapping[str, Any] = field(default_factory=dict)  # further ones of an .npz file

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def spectral(self) -> list[int]:
        """Axes that are spectral."""
        return [i for i, axis in enumerate(self.axes) if axis.spectral]

    @property
    def is_image(self) -> bool:
        """Whether there is a spectrum at each pixel."""
        return self.real and len(self.spectral) == 1 and 2 <= len(self.axes) <= 4 and 0 not in self.shape

    @property
    def is_map(self) -> bool:
        """Whether there is one number at each pixel."""
        several = 1 <= len(self.axes) <= 3 and 0 not in self.shape
        return self.real and several and (not self.spectral or (len(self.axes) == 2 and len(self.spectral) == 2))


class NoSpectraError(ValueError):
    """A file that was read and has no spectrum at each pixel; `signals` is what it has."""

    def __init__(self, message: str, path: Path, signals: Sequence[Signal]) -> None:
        super().__init__(message)
        self.path, self.signals = path, signals

    def plain_map(self) -> Floats | None:
        """Return the only map of numbers in the file, None if there is none or more."""
        maps = [signal for signal in self.signals if signal.is_map]
        return _loaded(self.path, maps[0]) if len(maps) == 1 else None


def chosen_image(path: Path, signals: Sequence[Signal], name: str | None) -> SpectrumImage:
    """Return the one signal of a file that has a spectrum at each pixel, or that of the name or number given.

    Raises
    ------
    ValueError
        If there is none, or more than one; the message lists what there is.
    """
    signals = [part for signal in signals for part in sliced(signal)]
    images = told_apart([signal for signal in signals if signal.is_image])
    found = images if name is None else _called(images, name)
    if len(found) == 1:
        return _image(path, found[0])
    if found:
        names = ", ".join(repr(s.name) for s in found[:_LISTED]) + (", ..." if len(found) > _LISTED else "")
        raise ValueError(
            f"file {path}: holds {len(found)} spectrum images, say which signal: {names} "
            f"(or its number, 1 to {len(found)}); {_listed(found)}"
        )
    missing = "no spectra inside" if name is None else f"no spectrum image is called {name!r}"
    raise NoSpectraError(
        f"file {path}: {missing}, expected real numbers over one to three navigation axes and one spectral axis; "
        f"it holds {_listed(told_apart(signals))}",
        path,
        signals if name is None else [s for s in told_apart(signals) if s.name == name],
    )


def told_apart(signals: Sequence[Signal]) -> list[Signal]:
    """Return signals with names of their own: the second of one name is ``NAME#2``.

    A file of three ranges of electron energy-loss spectra may call each of them "EELS".
    """
    seen: dict[str, int] = {}
    found = []
    for signal in signals:
        n = seen[signal.name] = seen.get(signal.name, 0) + 1
        found.append(signal if n == 1 else replace(signal, name=f"{signal.name}#{n}"))
    return found


def _called(images: Sequence[Signal], name: str) -> list[Signal]:
    """Return the image of a name, of a number (counted from 1), or of a last part of a path that only one has."""
    found = [s for s in images if s.name == name]
    if not found and name.isdecimal() and 1 <= int(name) <= len(images):
        found = [images[int(name) - 1]]
    return found or [s for s in images if s.name.endswith(f"/{name}") or s.name.startswith(f"{name}[")]


def sliced(signal: Signal) -> list[Signal]:
    """Return the parts of a signal whose spectra have a bias and further axes, each with one value of those.

    Band excitation measures a loop with and without field, several times: ``Amplitude[Field=0,Cycle=1]``,
    counted from 0.
    """
    bias = [i for i in signal.spectral if signal.axes[i].units in BIAS_UNITS]
    others = [i for i in signal.spectral if i not in bias]
    lengths = [len(signal.axes[i].values) for i in others]
    if len(bias) != 1 or not others or prod(lengths) > _MOST_SLICES:
        return [signal]
    return [_slice(signal, dict(zip(others, where, strict=True))) for where in product(*map(range, lengths))]


def _slice(signal: Signal, where: Mapping[int, int]) -> Signal:
    index = tuple(where.get(i, slice(None)) for i in range(len(signal.axes)))
    words = ",".join(f"{signal.axes[i].name}={n}" for i, n in where.items())
    return replace(
        signal,
        name=f"{signal.name}[{words}]",
        axes=tuple(axis for i, axis in enumerate(signal.axes) if i not in where),
        load=lambda: np.reshape(signal.load(), signal.shape)[index],
    )


def _listed(signals: Sequence[Signal]) -> str:
    return "; ".join(_described(s) for s in signals[:5]) + ("; ..." if len(signals) > 5 else "") or "nothing"


def _described(signal: Signal) -> str:
    axes = " x ".join(f"{len(axis.values)} {axis.name}{' (spectral)' if axis.spectral else ''}" for axis in signal.axes)
    ends = [_range(signal.axes[i]) for i in signal.spectral if len(signal.axes[i].values)]
    return f"{signal.name!r}: {', '.join([axes or 'one number', *ends])}{'' if signal.real else ', complex'}"


def _range(axis: Axis) -> str:
    return f"{axis.values.min():g} to {axis.values.max():g} {axis.units}".strip()


def _image(path: Path, signal: Signal) -> SpectrumImage:
    try:
        check_size(repr(signal.name), signal.shape)
    except ValueError as error:
        raise ValueError(f"file {path}: {error}") from None
    (place,) = signal.spectral
    spectral = signal.axes[place]
    navigation = [axis for i, axis in enumerate(signal.axes) if i != place]
    if not np.isfinite(spectral.values).all():
        raise ValueError(f"file {path}: the axis {spectral.name!r} must be finite numbers")
    step, origin, units = lattice(navigation)
    return SpectrumImage(
        np.ascontiguousarray(np.moveaxis(_loaded(path, signal), place, -1)),
        spectral.values,
        axis_name=AXIS_NAMES.get(spectral.units) or spectral.name or "channel",
        axis_units=spectral.units,
        spectrum_units=signal.units,
        step=step,
        origin=origin,
        rotation=signal.rotation,
        units=units,
        metadata=signal.metadata,
        arrays=signal.arrays,
        path=path,
    )


def _loaded(path: Path, signal: Signal) -> Floats:
    try:
        return np.asarray(signal.load(), dtype=np.float64).reshape(signal.shape)
    except Exception as error:  # a broken file ends in whatever its reader stumbles over
        raise ValueError(f"file {path}: {signal.name!r} cannot be read: {error}") from error
