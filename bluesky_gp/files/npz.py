"""Spectra in a ``.npz`` file: numpy's own format, nothing to install."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.arrays import read_arrays
from bluesky_gp.files.axes import Axis
from bluesky_gp.files.signals import Signal
from bluesky_gp.files.spectrum_image import numbers
from bluesky_gp.typing import Floats


def read_npz(path: Path) -> list[Signal]:
    """Return the spectra that a file holds.

    `spectra`, shape ``(n_rows, n_cols, n_channels)`` (one to three leading axes), and `axis`, shape ``(n_channels,)``;
    optionally `meta`, a JSON string in which `axis_units` and `spectra_units` are read for the units.
    """
    arrays = _load(path)
    spectra = _spectra(path, arrays)
    meta = _meta(arrays)
    positions = [Axis("", "", np.arange(n, dtype=np.float64), spectral=False) for n in spectra.shape[:-1]]
    channels = Axis("", _unit(meta.get("axis_units", "")), _axis(path, arrays, spectra.shape[-1]), spectral=True)
    return [
        Signal(
            "spectra",
            (*positions, channels),
            load=lambda: spectra,
            units=_unit(meta.get("spectra_units", "")),
            metadata=meta,
            arrays={key: array for key, array in arrays.items() if key not in ("spectra", "axis", "meta")},
        )
    ]


def _load(path: Path) -> dict[str, Any]:
    try:
        return read_arrays(path)
    except Exception as error:  # zip, pickle, header and attribute errors alike: it is not such a file
        raise ValueError(
            f"file {path}: expected a .npz with the arrays 'spectra' and 'axis' (no pickled objects), "
            f"got a file that cannot be read as one: {error}"
        ) from error


def _spectra(path: Path, arrays: Mapping[str, Any]) -> Floats:
    spectra = numbers(path, arrays, "spectra", "(n_rows, n_cols, n_channels)")
    if not 2 <= spectra.ndim <= 4 or 0 in spectra.shape:
        raise ValueError(f"file {path}: 'spectra' must have shape (n_rows, n_cols, n_channels), got {spectra.shape}")
    return spectra


def _axis(path: Path, arrays: Mapping[str, Any], n_channels: int) -> Floats:
    axis = numbers(path, arrays, "axis", "(n_channels,)")
    if axis.shape != (n_channels,) or not np.isfinite(axis).all():
        raise ValueError(
            f"file {path}: 'axis' must be {n_channels} finite numbers, one a channel of 'spectra', "
            f"got shape {axis.shape}"
        )
    return axis


def _meta(arrays: Mapping[str, Any]) -> dict[str, Any]:
    try:
        meta = json.loads(str(arrays["meta"]))
    except (KeyError, ValueError, RecursionError):
        return {}
    return meta if isinstance(meta, dict) else {}


_UNIT = re.compile(r"(?<![\w.])(counts|a\.u\.|keV|eV|mV|V|pm|nm)(?![\w.])")


def _unit(sentence: object) -> str:
    """Return the unit in a sentence such as "eV, 350 + 0.5 n", "" if there is none."""
    found = _UNIT.search(str(sentence))
    return found.group(1) if found else ""
