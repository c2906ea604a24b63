"""Samples: what a simulated detector sees at a pixel, and the true map by which a run is judged."""

import json
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from bluesky_gp.protocols import Floats, Scalarizer
from bluesky_gp.scalarizers import get_scalarizer

DATA_VARIABLE = "BLUESKY_GP_DATA"
"""Environment variable: the folder in which relative names of sample files are looked up."""


@runtime_checkable
class Sample(Protocol):
    """A map of spectra.

    Implemented by `SyntheticFerroelectric`, `SyntheticEELS`, `MeasuredSample` and by users; asked by
    `SimulatedSpectrometer` once an exposure, and by whoever scores a run.
    """

    shape: tuple[int, ...]
    axis: Floats  # (n_channels,)
    axis_name: str
    axis_units: str
    spectrum_units: str
    default_target: str  # name of the scalarizer that people would use first

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return what the `visit`-th exposure of the nearest pixel gives, shape ``(n_channels,)``.

        The noise depends on (seed, pixel, visit) alone, so that a run that is replayed sees the same spectra.
        """
        ...

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the noise-free map of a target, shape `shape`; NaN where the measurement always fails."""
        ...


class MeasuredSample:
    """Spectra measured pixel by pixel, given back as they were: every visit to a pixel gives the same spectrum.

    Parameters
    ----------
    path : str or path
        A ``.npz`` file with `spectra`, shape ``(n_rows, n_cols, n_channels)`` (one to three leading axes), and `axis`,
        shape ``(n_channels,)``. NaN is allowed. A relative name that is not in the working directory is looked up in
        the folder that the environment variable BLUESKY_GP_DATA names. An optional `meta`, a JSON string with
        `axis_units` and `spectra_units`, is read for the units.
    axis_units, spectrum_units : str, optional
        Units, if the file does not say or says it in too many words.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is not one; the message names file and key.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, axis_units: str | None = None, spectrum_units: str | None = None
    ) -> None:
        self.path = _find(Path(path))
        arrays = _load(self.path)
        self.spectra = _spectra(self.path, arrays)
        self.axis = _axis(self.path, arrays, self.spectra.shape[-1])
        self.shape = self.spectra.shape[:-1]
        meta = _meta(arrays)
        self.axis_units = _unit(meta.get("axis_units", "")) if axis_units is None else axis_units
        self.spectrum_units = _unit(meta.get("spectra_units", "")) if spectrum_units is None else spectrum_units
        self.axis_name = _AXIS_NAMES.get(self.axis_units, "channel")
        self.default_target = _TARGETS.get(self.axis_units, "centroid")
        self._arrays = arrays

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return the measured spectrum of the nearest pixel, shape ``(n_channels,)``."""
        return self.spectra[nearest_pixel(pixel, self.shape)].copy()

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the map that a scalarizer makes of all spectra, shape `shape`; NaN where it fails."""
        return scalarized_map(get_scalarizer(scalarizer), self.spectra, self.axis)

    def stored_truth(self, key: str = "target") -> Floats | None:
        """Return a true map that the file holds beside the spectra, NaN where it marks a pixel as not `valid`.

        For scoring only: no device and no scalarizer looks at it. None if the file has no such key.
        """
        if key not in self._arrays:
            return None
        target = _numbers(self.path, self._arrays, key, str(self.shape)).copy()
        valid = self._arrays.get("valid", np.ones(self.shape, dtype=bool))
        for name, array in ((key, target), ("valid", valid)):
            if array.shape != self.shape:
                raise ValueError(f"sample file {self.path}: {name!r} must have shape {self.shape}, got {array.shape}")
        if valid.dtype != bool:
            raise ValueError(f"sample file {self.path}: 'valid' must hold booleans, got {valid.dtype}")
        target[~valid] = np.nan
        return target

    def __repr__(self) -> str:
        return f"MeasuredSample({str(self.path)!r})"


def make_sample(value: "str | Mapping[str, Any] | Sample") -> Sample:
    """Return a sample from "ferroelectric", "eels", the path of a file, or a mapping ``{"kind": ..., **parameters}``.

    >>> make_sample({"kind": "ferroelectric", "shape": [8, 6], "seed": 1}).shape
    (8, 6)
    """
    from bluesky_gp.devices.synthetic import SyntheticEELS, SyntheticFerroelectric  # synthetic imports this file

    if isinstance(value, Sample):
        return value
    kinds: dict[Any, Any] = {"ferroelectric": SyntheticFerroelectric, "eels": SyntheticEELS, "file": MeasuredSample}
    if isinstance(value, Mapping):
        parameters = dict(value)
        kind = parameters.pop("kind", None)
        if kind not in kinds:
            raise ValueError(f"sample: 'kind' must be one of {', '.join(kinds)}, got {kind!r}")
        return kinds[kind](**parameters)
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"sample: expected a name, a path, a mapping with 'kind' or a sample, got {value!r}")
    return kinds[value]() if value in kinds and value != "file" else MeasuredSample(value)


def nearest_pixel(pixel: Sequence[float], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the pixel of a sample on which a fractional pixel lies; ValueError if that is beside the sample."""
    nearest = tuple(int(np.rint(p)) for p in pixel)
    if len(nearest) != len(shape) or not all(0 <= p < n for p, n in zip(nearest, shape, strict=True)):
        where = ", ".join(f"{p:.2f}" for p in pixel)
        raise ValueError(f"pixel ({where}) lies beside the sample, which has shape {shape}")
    return nearest


def scalarized_map(scalarizer: Scalarizer, spectra: Floats, axis: Floats) -> Floats:
    """Apply a scalarizer to spectra of shape ``(..., n_channels)``; NaN where it raises or a spectrum is not finite."""

    def value(spectrum: Floats) -> float:
        try:
            return float(scalarizer(spectrum, axis)) if np.isfinite(spectrum).all() else np.nan
        except (ArithmeticError, ValueError):
            return np.nan

    return np.array([value(s) for s in spectra.reshape(-1, len(axis))]).reshape(spectra.shape[:-1])


def _find(path: Path) -> Path:
    folder = os.environ.get(DATA_VARIABLE)
    candidates = [path] if path.is_absolute() or not folder else [path, Path(folder).expanduser() / path]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    hint = "" if folder else f" (relative names are also looked up in the folder named by {DATA_VARIABLE})"
    raise FileNotFoundError(f"sample file: there is no {looked}{hint}")


def _load(path: Path) -> dict[str, Any]:
    try:
        # np.load leaves a broken file open; a bare .npy gives an array, which is no context manager
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            _check_size(file.zip)
            return {key: file[key] for key in file.files}
    except Exception as error:  # zip, pickle, header and attribute errors alike: it is not such a file
        raise ValueError(
            f"sample file {path}: expected a .npz with the arrays 'spectra' and 'axis' (no pickled objects), "
            f"got a file that cannot be read as one: {error}"
        ) from error


_LARGEST = 2**33  # bytes of all arrays of a file, as float64


def _check_size(archive: zipfile.ZipFile) -> None:
    """Raise before anything is unpacked, if that would fill the memory: a kilobyte of a zip can say a gigabyte."""
    size = 0
    for member in archive.infolist():
        size += max(member.file_size, _size(archive, member) if member.filename.endswith(".npy") else 0)
        if size > _LARGEST:
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
    spectra = _numbers(path, arrays, "spectra", "(n_rows, n_cols, n_channels)")
    if not 2 <= spectra.ndim <= 4 or 0 in spectra.shape:
        raise ValueError(
            f"sample file {path}: 'spectra' must have shape (n_rows, n_cols, n_channels), got {spectra.shape}"
        )
    return spectra


def _axis(path: Path, arrays: Mapping[str, Any], n_channels: int) -> Floats:
    axis = _numbers(path, arrays, "axis", "(n_channels,)")
    if axis.shape != (n_channels,) or not np.isfinite(axis).all():
        raise ValueError(
            f"sample file {path}: 'axis' must be {n_channels} finite numbers, one a channel of 'spectra', "
            f"got shape {axis.shape}"
        )
    return axis


def _numbers(path: Path, arrays: Mapping[str, Any], key: str, shape: str) -> Floats:
    if key not in arrays:
        raise ValueError(f"sample file {path}: no key {key!r}, expected an array of shape {shape}; it has {[*arrays]}")
    if not np.issubdtype(arrays[key].dtype, np.number) or np.iscomplexobj(arrays[key]):
        raise ValueError(f"sample file {path}: {key!r} must hold real numbers, got {arrays[key].dtype}")
    return np.asarray(arrays[key], dtype=np.float64)


def _meta(arrays: Mapping[str, Any]) -> dict[str, Any]:
    try:
        meta = json.loads(str(arrays["meta"]))
    except (KeyError, ValueError, RecursionError):
        return {}
    return meta if isinstance(meta, dict) else {}


_AXIS_NAMES = {"V": "bias", "eV": "energy", "keV": "energy", "nm": "wavelength"}
_TARGETS = {"V": "loop_area", "eV": "net_counts"}
_UNIT = re.compile(r"(?<![\w.])(counts|a\.u\.|keV|eV|mV|V|pm|nm)(?![\w.])")


def _unit(sentence: object) -> str:
    """Return the unit in a sentence such as "eV, 350 + 0.5 n", "" if there is none."""
    found = _UNIT.search(str(sentence))
    return found.group(1) if found else ""
