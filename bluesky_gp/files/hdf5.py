"""Spectra in the HDF5 files of scanning probes: USID (pyUSID) and NSID (sidpy).

Read with h5py alone: both forms say in the file what the axes are, and pyUSID installs 27 packages (2026-11) and
refuses or renumbers axes with uneven steps, which every bias sweep has.

- NSID: an n-dimensional dataset with HDF5 dimension scales, each with `units` and a `dimension_type`
  (https://pycroscopy.github.io/pyNSID).
- USID: a table of positions times spectral steps, and two tables a side that say where each row and column lies
  (https://pycroscopy.github.io/USID/usid_model.html).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.files.signals import LARGEST, Axis, Signal, chosen_image, split_units
from bluesky_gp.files.spectrum_image import SpectrumImage
from bluesky_gp.typing import Floats

_ANCILLARY = ("Position_Indices", "Position_Values", "Spectroscopic_Indices", "Spectroscopic_Values")


def read_hdf5(path: Path, name: str | None) -> SpectrumImage | None:
    """Return the spectrum image of a USID or NSID file, None if it is neither."""
    try:
        import h5py
    except ImportError as error:
        raise ModuleNotFoundError(
            f"file {path}: {path.suffix} files are read by h5py: pip install 'bluesky_gp[hyperspy]'"
        ) from error
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"file {path}: cannot be read as HDF5: {error}") from error
    with file:
        try:
            signals = _signals(file)
        except Exception as error:  # whatever h5py stumbles over in a broken file
            raise ValueError(f"file {path}: cannot be read as USID or NSID: {error}") from error
        return chosen_image(path, signals, name) if signals else None


def _signals(file: Any) -> list[Signal]:
    datasets: list[Any] = []
    file.visititems(lambda _, item: datasets.append(item) if hasattr(item, "dtype") else None)
    usid = [d for d in datasets if all(name in d.attrs for name in _ANCILLARY)]
    nsid = [d for d in datasets if "main_data_name" in d.attrs and "DIMENSION_LIST" in d.attrs]
    return [s for d in usid for s in _usid(file, d)] + [_nsid(d) for d in nsid]


def _nsid(dataset: Any) -> Signal:
    return Signal(
        name=dataset.name.strip("/"),
        axes=tuple(_scale(dimension[0]) for dimension in dataset.dims),
        load=lambda: dataset[()],
        units=_text(dataset.attrs.get("units", "")),
        real=_is_real(dataset.dtype),
        metadata=_metadata(dataset),
    )


def _scale(scale: Any) -> Axis:
    kind = _text(scale.attrs.get("dimension_type", ""))
    return Axis(
        name=_text(scale.attrs.get("quantity", scale.attrs.get("name", ""))),
        units=_text(scale.attrs.get("units", "")),
        values=np.asarray(scale[()], dtype=np.float64),
        spectral="SPECTRAL" in kind,
    )


def _usid(file: Any, dataset: Any) -> list[Signal]:
    """Return one signal, or one for each field of a compound."""
    positions = _Side(*(file[dataset.attrs[name]] for name in _ANCILLARY[:2]))
    steps = _Side(*(file[dataset.attrs[name]] for name in _ANCILLARY[2:]), transposed=True)
    axes = (*positions.axes(spectral=False), *steps.axes(spectral=True))
    name = dataset.name.strip("/")
    _check_size(dataset)
    signal = partial(Signal, axes=axes, metadata=_metadata(dataset))
    place = partial(_placed, positions=positions, steps=steps)
    if dataset.dtype.names is None:
        units = _text(dataset.attrs.get("units", ""))
        load: Callable[[], Any] = lambda: place(dataset[()])  # noqa: E731
        return [signal(name, load=load, units=units, real=_is_real(dataset.dtype))]
    return [
        signal(
            f"{name}/{split_units(field)[0]}",
            load=partial(lambda field: place(dataset[field]), field),
            units=split_units(field)[1],
            real=_is_real(dataset.dtype[field]),
        )
        for field in dataset.dtype.names
    ]


class _Side:
    """Positions of the rows (or columns) of a USID table: one axis a dimension, the slowest first.

    Dimensions of one value are left out. `places` has shape ``(n_dimensions, n)``.
    """

    def __init__(self, indices: Any, values: Any, *, transposed: bool = False) -> None:
        _check_size(indices)
        _check_size(values)
        every, where = (np.asarray(table[()]) if transposed else np.asarray(table[()]).T for table in (indices, values))
        changes = np.count_nonzero(np.diff(every, axis=1), axis=1)
        order = [i for i in np.argsort(changes, kind="stable") if every[i].max() > 0]
        self.places: npt.NDArray[np.intp] = every[order].astype(np.intp)
        self.labels = [_text(label) for label in np.asarray(indices.attrs["labels"])[order]]
        self.units = [_text(unit) for unit in np.asarray(indices.attrs["units"])[order]]
        self.values = [_by_place(p, v) for p, v in zip(self.places, where[order], strict=True)]

    def axes(self, *, spectral: bool) -> list[Axis]:
        return [
            Axis(label, unit, values, spectral)
            for label, unit, values in zip(self.labels, self.units, self.values, strict=True)
        ]


def _check_size(table: Any) -> None:
    if 8 * table.size > LARGEST:
        raise ValueError(f"{table.name} would take {8 * table.size / 2**30:.1f} GiB")


def _by_place(places: npt.NDArray[np.intp], values: Any) -> Floats:
    found = np.full(int(places.max()) + 1, np.nan)
    found[places] = values
    return found


def _placed(table: Any, positions: _Side, steps: _Side) -> Floats:
    """Return the table as a lattice; NaN where it has no row, for a map that was not finished."""
    shape = [len(v) for v in (*positions.values, *steps.values)]
    lattice = np.full(shape, np.nan)
    lattice[(*positions.places[:, :, np.newaxis], *steps.places[:, np.newaxis, :])] = table
    return lattice


def _is_real(dtype: "np.dtype[Any]") -> bool:
    return bool(np.issubdtype(dtype, np.number) and not np.issubdtype(dtype, np.complexfloating))


def _text(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return "" if text == "generic" else text.replace("µ", "u")


def _metadata(dataset: Any) -> dict[str, Any]:
    plain = {key: value for key, value in dataset.attrs.items() if isinstance(value, str | int | float | np.generic)}
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in plain.items()}
