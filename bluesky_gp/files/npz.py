"""Spectra in a ``.npz`` file: numpy's own format, nothing to install."""

import json
import re
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.signals import AXIS_NAMES, LARGEST
from bluesky_gp.files.spectrum_image import SpectrumImage, numbers
from bluesky_gp.typing import Floats


def read_npz(path: Path) -> SpectrumImage:
    """Return what a file holds.

    `spectra`, shape ``(n_rows, n_cols, n_channels)`` (one to three leading axes), and `axis`, shape ``(n_channels,)``;
    optionally `meta`, a JSON string in which `axis_units` and `spectra_units` are read for the units.
    """
    arrays = _load(path)
    spectra = _spectra(path, arrays)
    meta = _meta(arrays)
    axis_units = _unit(meta.get("axis_units", ""))
    return SpectrumImage(
        spectra,
        _axis(path, arrays, spectra.shape[-1]),
        axis_name=AXIS_NAMES.get(axis_units, "channel"),
        axis_units=axis_units,
        spectrum_units=_unit(meta.get("spectra_units", "")),
        metadata=meta,
        path=path,
        arrays={key: array for key, array in arrays.items() if key not in ("spectra", "axis", "meta")},
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        # np.load leaves a broken file open; a bare .npy gives an array, which is no context manager
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            _check_size(file.zip)
            return {key: file[key] for key in file.files}
    except Exception as error:  # zip, pickle, header and attribute errors alike: it is not such a file
        raise ValueError(
            f"file {path}: expected a .npz with the arrays 'spectra' and 'axis' (no pickled objects), "
            f"got a file that cannot be read as one: {error}"
        ) from error


def _check_size(archive: zipfile.ZipFile) -> None:
    """Raise before anything is unpacked, if that would fill the memory: a kilobyte of a zip can say a gigabyte."""
    size = 0
    for member in archive.infolist():
        size += max(member.file_size, _size(archive, member) if member.filename.endswith(".npy") else 0)
        if size > LARGEST:
            raise ValueError(f"{member.filename} would take {size / 2**30:.1f} GiB")


def _size(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    with archive.open(member) as stream:
        shape, _, dtype = _header(stream)
    return prod(shape) * max(dtype.itemsize, 8)


def _header(stream: Any) -> tuple[tuple[int, ...], bool, "np.dtype[Any]"]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    return shape, fortran, dtype


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
