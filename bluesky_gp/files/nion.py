"""Spectra in the files of Nion Swift: ``.ndata`` (a zip of an array and its description), and its HDF5 files."""

import json
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.arrays import header
from bluesky_gp.files.axes import Axis, marked, plain_text
from bluesky_gp.files.hdf5 import check_packed, is_real
from bluesky_gp.files.limits import LONGEST, check_size
from bluesky_gp.files.signals import Signal

_MOST_METADATA = 2**26  # bytes


def read_ndata(path: Path) -> list[Signal]:
    """Return the signal of a ``.ndata`` file, Swift's own or exported."""
    try:
        with zipfile.ZipFile(path) as archive:
            array, described = (archive.getinfo(name) for name in ("data.npy", "metadata.json"))
            if described.file_size > _MOST_METADATA:
                raise ValueError(f"{described.filename} has {described.file_size} bytes")
            with archive.open(array) as stream:
                shape, dtype = header(stream)
            check_size(array.filename, shape, array.compress_size, dtype.itemsize)
            properties = json.loads(archive.read(described))
            return [_signal(properties, shape, dtype, partial(_array, path))]
    except Exception as error:  # zip, header and JSON errors alike: it is not such a file
        raise ValueError(f"file {path}: cannot be read as a file of Nion Swift: {error}") from error


def is_nion(dataset: Any) -> bool:
    """Whether a data set was written by Nion Swift."""
    return "properties" in dataset.attrs and '"data_shape"' in plain_text(dataset.attrs["properties"])


def nion_signal(path: Path, dataset: Any) -> Signal:
    """Return the signal of a data set; `load` needs the file no more."""
    properties = json.loads(plain_text(dataset.attrs["properties"]))
    return _signal(properties, dataset.shape, dataset.dtype, partial(_dataset, path, dataset.name))


def _array(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive, archive.open("data.npy") as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _dataset(path: Path, name: str) -> Any:
    import h5py

    with h5py.File(path, "r") as file:
        check_packed(file[name])
        return file[name][()]


def _signal(properties: Mapping[str, Any], shape: tuple[int, ...], dtype: "np.dtype[Any]", load: Any) -> Signal:
    described = {**properties, **properties.get("data_source", {})}  # older versions keep a part of it there
    calibrations = described.get("dimensional_calibrations") or described.get("spatial_calibrations") or []
    if len(calibrations) != len(shape):
        calibrations = [{}] * len(shape)
    n_spectral = int(described.get("datum_dimension_count", 1))
    axes = [
        _axis(c, n, spectral=i >= len(shape) - n_spectral)
        for i, (c, n) in enumerate(zip(calibrations, shape, strict=True))
    ]
    return Signal(
        name=str(described.get("title") or ""),
        axes=marked(axes),
        load=load,
        units=plain_text((described.get("intensity_calibration") or {}).get("units", "")),
        real=is_real(dtype),
        metadata=dict(described.get("metadata") or {}),
    )


def _axis(calibration: Mapping[str, Any], size: int, *, spectral: bool) -> Axis:
    if size > LONGEST:
        raise ValueError(f"an axis has {size} points, more than {LONGEST}")
    offset, scale = float(calibration.get("offset") or 0.0), float(calibration.get("scale") or 1.0)
    return Axis(
        "", plain_text(calibration.get("units") or ""), offset + scale * np.arange(size, dtype=np.float64), spectral
    )
