"""Spectra in the formats of scanning probes' software, by SciFiReaders; imported when such a file is read."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.axes import Axis, plain_text
from bluesky_gp.files.hdf5 import is_real
from bluesky_gp.files.limits import LONGEST
from bluesky_gp.files.signals import Signal

SCIFIREADERS = {
    ".sxm": "NanonisSXMReader",
    ".ibw": "IgorIBWReader",
    ".spm": "BrukerAFMReader",
    ".gwy": "GwyddionReader",
    ".mdt": "MDTReader",
    ".axz": "AxzReader",
}
"""Name of the reader of each suffix."""

_LINES = ("y", "x", "channel")


def read_scifireaders(path: Path) -> list[Signal]:
    """Return the signals of a file."""
    try:
        import SciFiReaders
    except ImportError as error:
        raise ModuleNotFoundError(
            f"file {path}: {path.suffix} files are read by SciFiReaders ({error}): pip install 'bluesky_gp[probes]'"
        ) from error
    try:
        reader = getattr(SciFiReaders, SCIFIREADERS[path.suffix.lower()])(str(path))
        read = reader.read()
        return [_force_volume(reader, read)] if type(read) is np.ndarray else [_signal(d) for d in _listed(read)]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"file {path}: {path.suffix} files need one package more ({error}): pip install 'bluesky_gp[probes]'"
        ) from error
    except Exception as error:  # a broken file ends in whatever its reader stumbles over
        raise ValueError(f"file {path}: cannot be read as {path.suffix}: {type(error).__name__}: {error}") from error


def _listed(read: Any) -> list[Any]:
    """Return the data sets that were read; there is nothing of Gwyddion's volumes (0.12.7)."""
    found = read.values() if isinstance(read, Mapping) else read if isinstance(read, list | tuple) else [read]
    return [dataset for dataset in found if dataset is not None]


def _signal(dataset: Any) -> Signal:
    units = plain_text(dataset.units)
    return Signal(
        name=str(dataset.title if dataset.title != "generic" else dataset.name),
        axes=tuple(_axis(getattr(dataset, f"dim_{i}"), n) for i, n in enumerate(dataset.shape)),
        load=partial(np.asarray, dataset),
        units=units,
        real=is_real(dataset.dtype),
        metadata={**dict(dataset.original_metadata), **dict(dataset.metadata)},
    )


def _force_volume(reader: Any, curves: Any) -> Signal:
    """Return Bruker's force curves at the pixels of an image, which come as bare numbers, approach before retreat."""
    image = reader.meta_data["Ciao image list"]
    shape = (int(image["Number of lines"]), int(image["Samps/line"]), curves.shape[-1])
    axes = [
        Axis(name, "", np.arange(n, dtype=np.float64), name == "channel") for name, n in zip(_LINES, shape, strict=True)
    ]
    return Signal("Force", tuple(axes), load=partial(np.reshape, curves, shape), metadata=dict(image))


def _axis(dimension: Any, size: int) -> Axis:
    """Return a dimension as an axis, counted from 0 if its values are those of another.

    Positions that are the numbers of the pixels have no unit, whatever the reader says.
    """
    if size > LONGEST:
        raise ValueError(f"an axis has {size} points, more than {LONGEST}")
    spectral = "spectral" in str(dimension.dimension_type).lower()
    values = np.asarray(dimension.values, dtype=np.float64)
    counted = np.arange(size, dtype=np.float64)
    if values.shape != (size,):
        return Axis(plain_text(dimension.name), "", counted, spectral)
    units = "" if not spectral and np.array_equal(values, counted) else plain_text(dimension.units)
    return Axis(plain_text(dimension.name), units, values, spectral)
