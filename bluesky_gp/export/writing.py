"""A run written to a file; xarray, zarr and rosettasciio are imported when one is."""

import reprlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from os import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from bluesky_gp.export.dataset import ROWS, to_dataset
from bluesky_gp.export.hyperspy_signal import to_signal
from bluesky_gp.run import RunRecord, blocks

if TYPE_CHECKING:
    import xarray as xr

_FORMAT: Final = "NETCDF3_64BIT"
_NUMBER_OF_RECORDS = 4  # where it stands in a NetCDF 3 file, after the four bytes that say what it is

Progress = Callable[[int, int], None]
"""Hears how many spectra of how many have been written."""


def export(record: RunRecord, path: Path | str, *, overwrite: bool = False, progress: Progress | None = None) -> None:
    """Write a run; the suffix says how: ``.nc``, ``.zarr`` (maps and spectra) or ``.hspy`` (the spectrum image).

    The spectra of a long run go to ``.nc`` and ``.zarr`` in parts, so that they need not fit into memory.

    Parameters
    ----------
    record : RunRecord
    path : path or str
    overwrite : bool
        Whether to replace a file that there is.
    progress : callable, optional
        Hears how many spectra of how many have been written.

    Raises
    ------
    TypeError
        If the first argument is no `RunRecord`.
    ValueError
        If the suffix is another one, or the run has nothing to write.
    FileExistsError, FileNotFoundError
        If there is such a file and it is not to be overwritten; if there is no such folder.
    ModuleNotFoundError
        If the file needs a package that is not installed; the message says how to.
    """
    if not isinstance(record, RunRecord):
        came = str(record) if isinstance(record, Path) else f"{reprlib.repr(record):.80}"
        raise TypeError(f"export: expected a RunRecord, then a path, got {came} first")
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: the suffix says what to write, and must be one of {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already: give another name, or say that it is to be overwritten")
    new = path.with_name(f".{path.stem}.new{path.suffix}")
    try:
        SUFFIXES[path.suffix](record, new, progress or (lambda done, of: None))
        _remove(path)
        new.rename(path)
    finally:
        _remove(new)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _parts(record: RunRecord, progress: Progress) -> Iterator[RunRecord]:
    """Yield the run with one part of its spectra after another: all at once, unless there are very many."""
    spectra = record.spectra
    if spectra is None:
        yield record
        return
    for rows, values in blocks(spectra.values):
        yield replace(record, spectra=replace(spectra, pixels=spectra.pixels[rows], values=values))
        progress(rows.stop, len(spectra.values))


def _netcdf(record: RunRecord, path: Path, progress: Progress) -> None:
    # NetCDF 3 by scipy: nothing more to install, and every program opens it.
    parts = (_split(to_dataset(part)) for part in _parts(record, progress))
    first, whole = next(parts), _n_spectra(record)
    if first.sizes.get(ROWS, 0) == whole:
        first.to_netcdf(path, engine="scipy", format=_FORMAT)
        next(parts, None)
        return
    # One row says how long a row is; scipy would hold all of them, so that the others are put behind it here.
    first.isel({ROWS: slice(1)}).to_netcdf(path, engine="scipy", format=_FORMAT, unlimited_dims=[ROWS])
    names = _along_rows(path)
    with path.open("r+b") as file:
        file.seek(0, SEEK_END)
        for part in chain([first.isel({ROWS: slice(1, None)})], parts):
            file.write(_records([part[name].values for name in names]))
        file.seek(_NUMBER_OF_RECORDS)
        file.write(whole.to_bytes(4, "big"))


def _n_spectra(record: RunRecord) -> int:
    return len(record.measured[0]) if record.spectra is None else len(record.spectra.pixels)


def _along_rows(path: Path) -> list[str]:
    """Return the variables of a NetCDF file that grow with its measurements, in the order in which it has them."""
    from scipy.io import netcdf_file

    with netcdf_file(path, mmap=False) as file:
        return [str(name) for name, variable in file.variables.items() if variable.isrec]


def _records(columns: list[npt.NDArray[Any]]) -> bytes:
    """Return rows as NetCDF 3 has them: number after number of each variable, then the next row, big-endian."""
    kinds = [(str(i), c.dtype.newbyteorder(">"), c.shape[1:]) for i, c in enumerate(columns)]
    rows = np.empty(len(columns[0]), dtype=kinds)
    for i, column in enumerate(columns):
        rows[str(i)] = column
    return rows.tobytes()


def _split(found: "xr.Dataset") -> "xr.Dataset":
    """Give complex variables as two, ``NAME_real`` and ``NAME_imag``: NetCDF has no complex numbers."""
    names = [str(name) for name, variable in found.items() if np.iscomplexobj(variable)]
    parts = {f"{name}_real": found[name].real for name in names} | {f"{name}_imag": found[name].imag for name in names}
    return found.drop_vars(names).assign(parts)


def _zarr(record: RunRecord, path: Path, progress: Progress) -> None:
    parts = (to_dataset(part) for part in _parts(record, progress))
    first = next(parts)
    chunks = {"spectrum": {"chunks": first["spectrum"].shape}} if first.sizes[ROWS] < _n_spectra(record) else {}
    # Format 3 has no consolidated metadata yet: zarr warns who writes them, xarray who opens a store without them.
    first.to_zarr(path, consolidated=True, zarr_format=2, encoding=chunks)
    for part in parts:
        once = [name for name, variable in part.variables.items() if ROWS not in variable.dims]
        part.drop_vars(once).to_zarr(path, consolidated=True, append_dim=ROWS)


def _hspy(record: RunRecord, path: Path, progress: Progress) -> None:
    try:
        from rsciio.hspy import file_writer
    except ImportError as error:
        raise ModuleNotFoundError(
            "Files for HyperSpy are written by rosettasciio: pip install 'bluesky_gp[hyperspy]'"
        ) from error
    file_writer(str(path), to_signal(record), show_progressbar=False)


SUFFIXES: dict[str, Callable[[RunRecord, Path, Progress], None]] = {".nc": _netcdf, ".zarr": _zarr, ".hspy": _hspy}
"""The writer of each kind of file."""
