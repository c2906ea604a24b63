"""Spectra of scanning probes in the form of USID (pyUSID), read with h5py alone.

A table of positions times spectral steps, and two tables a side that say where each row and column lies
(https://pycroscopy.github.io/USID/usid_model.html). pyUSID installs 27 packages (2026-11) and refuses or renumbers axes
with uneven steps, which every bias sweep has.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bluesky_gp.files.axes import Axis, plain_text, split_units
from bluesky_gp.files.hdf5 import check_packed, is_real, metadata
from bluesky_gp.files.limits import LONGEST, check_size
from bluesky_gp.files.positions import Placed, by_step, on_lattice
from bluesky_gp.files.signals import Signal
from bluesky_gp.typing import Floats

_ANCILLARY = ("Position_Indices", "Position_Values", "Spectroscopic_Indices", "Spectroscopic_Values")


def is_usid(dataset: Any) -> bool:
    """Whether a data set is the main one of a USID group."""
    return all(name in dataset.attrs for name in _ANCILLARY)


def usid_signals(path: Path, dataset: Any) -> list[Signal]:
    """Return one signal of a main data set, or one for each field of a compound; `load` needs the file no more."""
    check_size(repr(dataset.name.strip("/")), dataset.shape)
    rows, columns = (_side(dataset, side) for side in ("Position", "Spectroscopic"))
    try:
        positions, steps = on_lattice(rows.indices, rows.values), by_step(columns.indices, columns.values)
    except ValueError as error:
        raise ValueError(f"{dataset.name.strip('/')!r}: {error}") from error
    axes = (*_axes(rows, positions, spectral=False), *_axes(columns, steps, spectral=True))
    signal = partial(Signal, axes=axes, metadata=metadata(dataset))
    load = partial(_loaded, path, dataset.name, positions, steps)
    name = dataset.name.strip("/")
    if dataset.dtype.names is None:
        units = plain_text(dataset.attrs.get("units", ""))
        return [signal(name, load=partial(load, None), units=units, real=is_real(dataset.dtype))]
    return [_field(name, field, dataset.dtype[field], signal, load) for field in dataset.dtype.names]


def _field(
    name: str, field: str, dtype: "np.dtype[Any]", signal: Callable[..., Signal], load: Callable[[str], Floats]
) -> Signal:
    quantity, units = split_units(field)
    return signal(f"{name}/{quantity}", load=partial(load, field), units=units, real=is_real(dtype))


class _Side(NamedTuple):
    """Rows (or columns) of a table: labels and units of its dimensions, the slowest first, indices and values."""

    labels: list[str]
    units: list[str]
    indices: npt.NDArray[np.int64]
    values: Floats


def _side(dataset: Any, side: str) -> _Side:
    """Return one side of a table; dimensions of one value are left out."""
    tables = [dataset.file[dataset.attrs[f"{side}_{kind}"]] for kind in ("Indices", "Values")]
    n = dataset.shape[0 if side == "Position" else 1]
    for table in tables:
        _check_table(table, n, side)
    indices, values = (np.asarray(t[()] if side == "Spectroscopic" else t[()].T, dtype=float) for t in tables)
    if not (np.isfinite(indices).all() and np.abs(indices).max(initial=0.0) < 2**53):
        raise ValueError(f"{tables[0].name!r} must hold indices")
    changes = np.count_nonzero(np.diff(indices, axis=1), axis=1)
    # the first dimension is the fastest where the indices do not tell
    order = sorted((i for i in range(len(indices)) if np.ptp(indices[i]) > 0), key=lambda i: (changes[i], -i))
    labels, units = ([plain_text(text) for text in np.asarray(tables[0].attrs[key])] for key in ("labels", "units"))
    return _Side([labels[i] for i in order], [units[i] for i in order], indices[order].astype(np.int64), values[order])


def _check_table(table: Any, n: int, side: str) -> None:
    shape = table.shape if side == "Spectroscopic" else table.shape[::-1]
    if len(shape) != 2 or shape[1] != n or shape[0] > 16 or n > LONGEST:
        raise ValueError(f"{table.name!r} of shape {table.shape} does not fit {n} {side.lower()}s")
    check_packed(table)


def _axes(side: _Side, placed: Placed, *, spectral: bool) -> list[Axis]:
    return [
        Axis(label, unit, values, spectral)
        for label, unit, values in zip(side.labels, side.units, placed.values, strict=True)
    ]


def _loaded(path: Path, name: str, positions: Placed, steps: Placed, field: str | None) -> Floats:
    """Return a table as a lattice; NaN where it has no row, for a map that was not finished."""
    import h5py

    with h5py.File(path, "r") as file:
        dataset = file[name]
        check_packed(dataset)
        table = dataset[()] if field is None else dataset[field]
    shape = (*positions.shape, *steps.shape)
    check_size(repr(name), shape)
    lattice = np.full(shape, np.nan)
    lattice[(*positions.places[:, :, np.newaxis], *steps.places[:, np.newaxis, :])] = table
    return lattice
