"""Spectra of scanning probes in the form of NSID (sidpy), read with h5py alone.

An n-dimensional data set with HDF5 dimension scales, each with `units` and a `dimension_type`
(https://pycroscopy.github.io/pyNSID).
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.axes import Axis, plain_text
from bluesky_gp.files.hdf5 import check_packed, is_real, metadata
from bluesky_gp.files.limits import check_axis
from bluesky_gp.files.signals import Signal
from bluesky_gp.typing import Floats


def is_nsid(dataset: Any) -> bool:
    """Whether a data set is the main one of an NSID group."""
    return "main_data_name" in dataset.attrs and "DIMENSION_LIST" in dataset.attrs


def nsid_signal(path: Path, dataset: Any) -> Signal:
    """Return the signal of a main data set; `load` needs the file no more."""
    scales = [dimension[0] for dimension in dataset.dims]
    return Signal(
        name=dataset.name.strip("/"),
        axes=tuple(_axis(scale, n) for scale, n in zip(scales, dataset.shape, strict=True)),
        load=partial(_loaded, path, dataset.name),
        units=plain_text(dataset.attrs.get("units", "")),
        real=is_real(dataset.dtype),
        metadata=metadata(dataset),
    )


def _axis(scale: Any, size: int) -> Axis:
    check_axis(repr(scale.name), scale.size, size)
    kind = plain_text(scale.attrs.get("dimension_type", ""))
    return Axis(
        name=plain_text(scale.attrs.get("quantity", scale.attrs.get("name", ""))),
        units=plain_text(scale.attrs.get("units", "")),
        values=np.asarray(scale[()], dtype=np.float64),
        spectral="SPECTRAL" in kind,
    )


def _loaded(path: Path, name: str) -> Floats:
    import h5py

    with h5py.File(path, "r") as file:
        check_packed(file[name])
        return np.asarray(file[name][()])
