"""Spectra in the formats of microscopes' software and of HyperSpy, by rosettasciio.

It is licensed under the GPL and so no part of the default installation; imported when such a file is read.
"""

import json
import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.axes import Axis, marked, plain_text, split_units
from bluesky_gp.files.hdf5 import check_all_packed, opened
from bluesky_gp.files.limits import LARGEST, check_axis
from bluesky_gp.files.signals import Signal
from bluesky_gp.typing import Floats

_NOT_READ = ("Image", "numpy", "USID")  # pictures; bare arrays, without axes; read by `usid`


def read_rosettasciio(path: Path) -> list[Signal] | None:
    """Return the signals of a file, None if no reader knows its suffix."""
    modules = _readers(path)
    errors = []
    for module in modules:
        try:
            return [_signal(s) for s in _read(module, path)]
        except Exception as error:  # a broken file ends in whatever its reader stumbles over
            errors.append(f"{type(error).__name__}: {error}")
    if not modules:
        return None
    raise ValueError(f"file {path}: cannot be read as {path.suffix}: {'; '.join(errors)}")


def known_suffixes() -> set[str]:
    """Return the suffixes that rosettasciio reads, without their dots."""
    return {suffix for plugin in _plugins() for suffix in _suffixes(plugin)}


def _readers(path: Path) -> list[str]:
    try:
        plugins = _plugins()
    except ImportError as error:
        raise ModuleNotFoundError(
            f"file {path}: {path.suffix or 'such'} files are read by rosettasciio: pip install 'bluesky_gp[hyperspy]'"
        ) from error
    suffix = path.suffix.lower().lstrip(".")
    return [str(p["api"]) for p in plugins if suffix in _suffixes(p)]


def _plugins() -> list[Mapping[str, Any]]:
    from rsciio import IO_PLUGINS

    return [p for p in IO_PLUGINS if p["name"] not in _NOT_READ]


def _suffixes(plugin: Mapping[str, Any]) -> set[str]:
    return {str(s).lower() for s in plugin["file_extensions"]}


def _read(module: str, path: Path) -> list[dict[str, Any]]:
    reader = import_module(module)
    if _checked(path):
        return list(reader.file_reader(str(path)))  # lazy would leave the file open until the process ends
    try:
        return list(reader.file_reader(str(path), lazy=True))  # not in memory yet: the size is not known
    except Exception:  # readers that cannot be lazy raise NotImplementedError, TypeError or what their library says
        return list(reader.file_reader(str(path)))


def _checked(path: Path) -> bool:
    """Whether a file is HDF5 or a zip; ValueError if packed kilobytes of it would fill the memory."""
    import h5py

    if path.is_dir():
        return False
    if h5py.is_hdf5(path):
        with opened(path) as file:
            check_all_packed(file)
    elif zipfile.is_zipfile(path):
        _check_zip(path)
    else:
        return False
    return True


def _check_zip(path: Path) -> None:
    """Raise ValueError if the arrays of a zip store would fill the memory, by what they say of themselves."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        sizes = [member.file_size for member in members]
        described = [m for m in members if m.filename.endswith((".zarray", "zarr.json")) and m.file_size < 2**20]
        sizes += [8 * int(np.prod(json.loads(archive.read(m)).get("shape", [0]), dtype=float)) for m in described]
    if sum(sizes) > LARGEST:
        raise ValueError(f"its arrays would take {sum(sizes) / 2**30:.1f} GiB")


def _signal(signal: Mapping[str, Any]) -> Signal:
    data = signal["data"]
    metadata = signal.get("metadata", {})
    original = signal.get("original_metadata", {})
    axes = sorted(enumerate(signal["axes"]), key=lambda item: item[1].get("index_in_array", item[0]))
    described = metadata.get("Signal", {})
    counted = str(described.get("signal_type", "")).startswith(("EELS", "EDS"))
    return Signal(
        name=str(metadata.get("General", {}).get("title", "")),
        axes=marked([_axis(axis, size, original) for (_, axis), size in zip(axes, data.shape, strict=True)]),
        load=lambda: _loaded(data),
        units=split_units(described.get("quantity", ""))[1] or ("counts" if counted else ""),
        real=np.issubdtype(data.dtype, np.number) and not np.iscomplexobj(data),
        metadata=metadata,
        rotation=_rotation(original, len(axes)),
    )


def _rotation(original: Mapping[str, Any], n_axes: int) -> float:
    """Return the rotation of the lattice, which only our own export says."""
    return float(original.get("rotation", 0.0)) if "channel_axis" in original and n_axes == 3 else 0.0


def _loaded(data: Any) -> Any:
    return data.compute(scheduler="synchronous") if hasattr(data, "compute") else data


def _axis(axis: Mapping[str, Any], size: int, original: Mapping[str, Any]) -> Axis:
    name, spectral = plain_text(axis.get("name")), not axis.get("navigate", False)
    exported = np.asarray(original.get("channel_axis", ()))  # HyperSpy's own axes do not go there and back
    if spectral and name == "channel" and exported.shape == (size,):
        units = plain_text(axis.get("units")) or plain_text(original.get("channel_units", ""))
        return Axis(name, units, exported.astype(np.float64), spectral)
    return Axis(name, plain_text(axis.get("units")), _values(axis, size), spectral)


def _values(axis: Mapping[str, Any], size: int) -> Floats:
    """Return the values of an axis; one without offset and scale is counted from 0."""
    name = f"the axis {plain_text(axis.get('name'))!r}"
    if "axis" in axis:
        check_axis(name, len(axis["axis"]), size)
        return np.asarray(axis["axis"], dtype=np.float64)
    check_axis(name, int(axis.get("size", size)), size)
    return float(axis.get("offset", 0.0)) + float(axis.get("scale", 1.0)) * np.arange(size, dtype=np.float64)
