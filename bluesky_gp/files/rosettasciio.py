"""Spectra in the formats of microscopes' software and of HyperSpy, by rosettasciio.

It is licensed under the GPL and so no part of the default installation; imported when such a file is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.files.signals import LARGEST, Axis, Signal, chosen_image, split_units
from bluesky_gp.files.spectrum_image import SpectrumImage
from bluesky_gp.typing import Floats

_NOT_READ = ("Image", "numpy", "USID")  # pictures; bare arrays, without axes; read by `files_hdf5`
_SPECTRAL_UNITS = ("eV", "keV", "meV", "1/cm", "cm-1")


def read_rosettasciio(path: Path, name: str | None) -> SpectrumImage:
    """Return the spectrum image of a file, the one called `name` if there are several."""
    errors = []
    for module in _readers(path):
        try:
            signals = [_signal(s) for s in _read(module, path)]
        except Exception as error:  # a broken file ends in whatever its reader stumbles over
            errors.append(f"{type(error).__name__}: {error}")
        else:
            return chosen_image(path, signals, name)
    raise ValueError(f"file {path}: cannot be read as {path.suffix}: {'; '.join(errors)}")


def _readers(path: Path) -> list[str]:
    try:
        from rsciio import IO_PLUGINS
    except ImportError as error:
        raise ModuleNotFoundError(
            f"file {path}: {path.suffix or 'such'} files are read by rosettasciio: pip install 'bluesky_gp[hyperspy]'"
        ) from error
    plugins = [p for p in IO_PLUGINS if p["name"] not in _NOT_READ]
    suffix = path.suffix.lower().lstrip(".")
    readers = [str(p["api"]) for p in plugins if suffix in _suffixes(p)]
    if not readers:
        known = sorted({s for p in plugins for s in _suffixes(p)} | {"npz"})
        raise ValueError(f"file {path}: the suffix {path.suffix!r} is none of those that are read: {', '.join(known)}")
    return readers


def _suffixes(plugin: Mapping[str, Any]) -> set[str]:
    return {str(s).lower() for s in plugin["file_extensions"]}


def _read(module: str, path: Path) -> list[dict[str, Any]]:
    reader = import_module(module)
    if _checked_hdf5(path):
        return list(reader.file_reader(str(path)))  # lazy would leave the file open until the process ends
    try:
        return list(reader.file_reader(str(path), lazy=True))  # not in memory yet: the size is not known
    except NotImplementedError:
        return list(reader.file_reader(str(path)))


def _checked_hdf5(path: Path) -> bool:
    """Whether a file is HDF5; ValueError if it would fill the memory: compressed, a kilobyte can hold gigabytes."""
    import h5py

    if path.is_dir() or not h5py.is_hdf5(path):
        return False
    sizes: list[int] = []
    with h5py.File(path, "r") as file:
        file.visititems(lambda _, item: sizes.append(item.size * 8) if hasattr(item, "size") else None)
    if sum(sizes) > LARGEST:
        raise ValueError(f"its arrays would take {sum(sizes) / 2**30:.1f} GiB")
    return True


def _signal(signal: Mapping[str, Any]) -> Signal:
    data = signal["data"]
    metadata = signal.get("metadata", {})
    axes = sorted(enumerate(signal["axes"]), key=lambda item: item[1].get("index_in_array", item[0]))
    described = metadata.get("Signal", {})
    counted = str(described.get("signal_type", "")).startswith(("EELS", "EDS"))
    return Signal(
        name=str(metadata.get("General", {}).get("title", "")),
        axes=_marked([_axis(axis) for _, axis in axes]),
        load=lambda: _loaded(data),
        units=split_units(described.get("quantity", ""))[1] or ("counts" if counted else ""),
        real=np.issubdtype(data.dtype, np.number) and not np.iscomplexobj(data),
        metadata=metadata,
    )


def _loaded(data: Any) -> Any:
    return data.compute(scheduler="synchronous") if hasattr(data, "compute") else data


def _axis(axis: Mapping[str, Any]) -> Axis:
    return Axis(
        name=_text(axis.get("name")),
        units=_text(axis.get("units")),
        values=_values(axis),
        spectral=not axis.get("navigate", False),
    )


def _marked(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return axes of which one is spectral, where the marks are wrong but only one has a unit that only spectra have.

    In Gatan's spectrum images the energy may be marked as navigation, and both other axes as spectral (0.15).
    """
    of_spectra = [axis.units in _SPECTRAL_UNITS for axis in axes]
    if sum(of_spectra) != 1 or sum(axis.spectral for axis in axes) == 1:
        return tuple(axes)
    return tuple(replace(axis, spectral=spectral) for axis, spectral in zip(axes, of_spectra, strict=True))


def _text(value: object) -> str:
    """Return a name or a unit; HyperSpy says `<undefined>` or None for none."""
    return "" if value is None or str(value) in ("<undefined>", "None") else str(value).replace("µ", "u")


def _values(axis: Mapping[str, Any]) -> Floats:
    if "axis" in axis:
        return np.asarray(axis["axis"], dtype=np.float64)
    return float(axis["offset"]) + float(axis["scale"]) * np.arange(int(axis["size"]), dtype=np.float64)
