"""Spectra in Igor's binary waves: those of probes' software by SciFiReaders, a plain wave with its scales by igor2."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.axes import BIAS_UNITS, Axis, marked, plain_text
from bluesky_gp.files.hdf5 import is_real
from bluesky_gp.files.limits import LONGEST
from bluesky_gp.files.scifireaders import read_scifireaders
from bluesky_gp.files.signals import Signal


def read_ibw(path: Path) -> list[Signal]:
    """Return the signals of a file.

    SciFiReaders knows what Asylum's and Omicron's software mean by notes and labels; it takes no wave without them.
    """
    try:
        return read_scifireaders(path)
    except (ValueError, ModuleNotFoundError) as error:
        wave = _plain_wave(path)
        if wave is None:
            raise
        if not np.issubdtype(wave["wData"].dtype, np.number):
            raise ValueError(f"file {path}: a wave of {wave['wData'].dtype}, expected numbers") from error
        return [_signal(wave)]


def _plain_wave(path: Path) -> Mapping[str, Any] | None:
    """Return a wave whose entries have no labels, and so no meaning that only its maker knows; None if it is none."""
    try:
        from igor2 import binarywave

        wave: Mapping[str, Any] = binarywave.load(str(path))["wave"]
    except Exception:  # a broken file, or igor2 is not installed: the first error says so
        return None
    return None if any(wave.get("labels") or ()) else wave


def _signal(wave: Mapping[str, Any]) -> Signal:
    header, numbers = wave["wave_header"], wave["wData"]
    return Signal(
        name=plain_text(header["bname"]),
        axes=_with_spectral([_axis(header, i, n) for i, n in enumerate(numbers.shape)]),
        load=partial(np.asarray, numbers),
        units=_letters(header["dataUnits"]),
        real=is_real(numbers.dtype),
        metadata={"note": plain_text(wave.get("note", b""))},
    )


def _with_spectral(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return axes of which one is spectral: by its unit, or else the last, as a wave says of none what it is."""
    found = marked(axes)
    if any(axis.spectral for axis in found):
        return found
    of_bias = [i for i, axis in enumerate(axes) if axis.units in BIAS_UNITS]
    chosen = of_bias[0] if len(of_bias) == 1 else len(axes) - 1
    return tuple(replace(axis, spectral=i == chosen) for i, axis in enumerate(axes))


def _axis(header: Mapping[str, Any], number: int, size: int) -> Axis:
    if size > LONGEST:
        raise ValueError(f"an axis has {size} points, more than {LONGEST}")
    if "hsA" in header:  # before Igor 3, waves had one dimension
        step, start, units = header["hsA"], header["hsB"], header["xUnits"]
    else:
        step, start, units = (header[key][number] for key in ("sfA", "sfB", "dimUnits"))
    values = float(start) + float(step) * np.arange(size, dtype=np.float64)
    return Axis("", _letters(units), values, spectral=False)


def _letters(letters: Any) -> str:
    """Return a unit, which is an array of letters."""
    return plain_text(b"".join(np.ravel(letters).tolist()))
