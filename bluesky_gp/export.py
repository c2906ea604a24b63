"""A run as files that other programs open: maps as NetCDF or Zarr, spectra as HyperSpy's ``.hspy``.

xarray, zarr and rosettasciio are imported when a file is written.
"""

import json
import reprlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.run import RunRecord, Spectra
from bluesky_gp.typing import Floats

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SUFFIXES", "export", "to_dataset", "to_signal"]

_LARGEST = 2**31  # bytes of a spectrum image; NaN where nothing was measured


def export(record: RunRecord, path: Path | str, *, overwrite: bool = False) -> None:
    """Write a run; the suffix says how: ``.nc``, ``.zarr`` (maps and spectra) or ``.hspy`` (the spectrum image).

    Raises
    ------
    TypeError
        If the first argument is no `RunRecord`.
    ValueError
        If the suffix is another one, or the run has nothing to write.
    FileExistsError
        If there is such a file and it is not to be overwritten.
    ModuleNotFoundError
        If the file needs a package that is not installed; the message says how to.
    """
    if not isinstance(record, RunRecord):
        came = str(record) if isinstance(record, Path) else reprlib.repr(record)
        raise TypeError(f"export: expected a RunRecord, then a path, got {came} first")
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: the suffix says what to write, and must be one of {', '.join(SUFFIXES)}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already: give another name, or say that it is to be overwritten")
    new = path.with_name(f".{path.stem}.new{path.suffix}")
    try:
        SUFFIXES[path.suffix](record, new)
        _remove(path)
        new.rename(path)
    finally:
        _remove(new)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def to_dataset(record: RunRecord) -> "xr.Dataset":
    """Return the maps of a run, and its spectra by number of measurement, with coordinates and units.

    Variables over the grid: `measured` (NaN where no value is), `order` (of measurement, -1: none), `failed`, and
    `mean`, `std`, `acquisition` as of the last iteration. Over `measurement`: `pixel` and `spectrum`, those that the
    scalarizer rejected too. Of a run that resumes another the maps have the pixels of both, `measurement` its own.
    """
    import xarray as xr

    grid = record.grid
    maps = {**_measured_maps(record), **record.maps}
    variables = {
        name: (grid.axes, values, {"long_name": _LONG[name], **_units(record, name)}) for name, values in maps.items()
    }
    found = xr.Dataset({**variables, **_measurements(record)}, coords=_coordinates(record))
    return found.assign_attrs(_attributes(record))


_LONG = {
    "measured": "measured values",
    "order": "order of measurement",
    "failed": "pixels that failed",
    "mean": "posterior mean",
    "std": "posterior standard deviation",
    "acquisition": "acquisition function",
}


def _measured_maps(record: RunRecord) -> dict[str, Any]:
    shape = record.grid.shape
    maps = {
        "measured": np.full(shape, np.nan),
        "order": np.full(shape, -1, dtype=np.int32),
        "failed": np.zeros(shape, dtype=np.int8),
    }
    pixels, values = record.together.measured
    maps["measured"][tuple(pixels.T)] = values
    maps["order"][tuple(pixels.T)] = np.arange(len(pixels))
    maps["failed"][tuple(record.together.failed.T)] = 1
    return maps


def _units(record: RunRecord, name: str) -> dict[str, str]:
    return {"units": record.units} if record.units and name in ("measured", "mean", "std") else {}


def _measurements(record: RunRecord) -> dict[str, Any]:
    pixels = record.measured[0] if record.spectra is None else record.spectra.pixels
    found: dict[str, Any] = {"pixel": (("measurement", "axis"), pixels.astype(np.int32))}
    if record.spectra is not None:
        units = {"units": record.spectra.units} if record.spectra.units else {}
        found["spectrum"] = (("measurement", _signal_dimension(record.spectra)), record.spectra.values, units)
    return found


def _coordinates(record: RunRecord) -> dict[str, Any]:
    """Pixels and, in the grid's units, where the stage finds them."""
    coords: dict[str, Any] = dict(record.grid.as_coordinates())
    if record.spectra is not None:
        units = {"units": record.spectra.axis_units} if record.spectra.axis_units else {}
        coords[_signal_name(record.spectra)] = (_signal_dimension(record.spectra), record.spectra.axis, units)
    return coords


def _signal_name(spectra: Spectra) -> str:
    """Return the name of the coordinate of a spectrum: energy, bias, or channel_axis where the detector gives none."""
    return "channel_axis" if spectra.axis_name == "channel" else spectra.axis_name


def _signal_dimension(spectra: Spectra) -> str:
    """Return the dimension of a spectrum: its coordinate, unless that goes there and back, which is no index."""
    return _signal_name(spectra) if spectra.goes_one_way else "channel"


def _attributes(record: RunRecord) -> dict[str, Any]:
    start = record.start
    return {
        "title": f"{record.target}, run {start['uid'][:8]}",
        "uid": start["uid"],
        "target": record.target,
        "plan_name": start.get("plan_name", ""),
        "time": datetime.fromtimestamp(start["time"], UTC).isoformat(),
        "exit_status": record.stop.get("exit_status", "unfinished"),
        "start": json.dumps(start, default=_plain),
    }


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def to_signal(record: RunRecord) -> dict[str, Any]:
    """Return the spectrum image as rosettasciio's dictionary of a signal; NaN where nothing was measured.

    Raises
    ------
    ValueError
        If the run recorded no spectra, or the image is too large.
    """
    spectra, grid = record.spectra, record.grid
    if spectra is None:
        raise ValueError(f"run {record.start['uid'][:8]} recorded no spectra: export its maps, to .nc or .zarr")
    steps = zip(grid.axes, grid.shape, grid.step, grid.origin, strict=True)
    axes = [_axis(name, grid.units, n, step, origin, navigate=True) for name, n, step, origin in steps]
    return {
        "data": _filled(spectra, grid),
        "axes": [*axes, _signal_axis(spectra)],
        "metadata": {
            "General": {"title": _attributes(record)["title"]},
            "Signal": {"quantity": f"spectrum ({spectra.units})" if spectra.units else "", "signal_type": ""},
        },
        "original_metadata": {
            **_attributes(record),
            "rotation": grid.rotation,
            "channel_axis": spectra.axis,
            "channel_units": spectra.axis_units,
        },
        "attributes": {"_lazy": False, "ragged": False},
        "learning_results": {},
        "models": {},
        "tmp_parameters": {},
        "package_info": {"package": "", "package_version": ""},
    }


def _filled(spectra: Spectra, grid: PixelGrid) -> npt.NDArray[Any]:
    """The spectrum image as an array, shape ``(*grid.shape, n_channels)``."""
    kind = np.result_type(spectra.values, np.float64)  # complex where a lock-in or an impedance was measured
    size = kind.itemsize * grid.size * len(spectra.axis)
    if size > _LARGEST:
        raise ValueError(f"the spectrum image would take {size / 2**30:.1f} GiB: export to .zarr, which has no gaps")
    data = np.full((*grid.shape, len(spectra.axis)), np.nan, dtype=kind)
    data[tuple(spectra.pixels.T)] = spectra.values
    return data


def _axis(name: str, units: str, size: int, scale: float, offset: float, *, navigate: bool) -> dict[str, Any]:
    return {
        "_type": "UniformDataAxis",
        "name": name,
        "units": units,
        "size": size,
        "scale": scale,
        "offset": offset,
        "navigate": navigate,
        "is_binned": False,
    }


def _signal_axis(spectra: Spectra) -> dict[str, Any]:
    """Even steps, else increasing values; a sweep there and back is numbered, for HyperSpy takes no such axis."""
    axis, steps = spectra.axis, np.diff(spectra.axis)
    if len(axis) > 1 and steps[0] and np.allclose(steps, steps[0], rtol=1e-6, atol=0.0):
        return _axis("channel", spectra.axis_units, len(axis), _even(axis), float(axis[0]), navigate=False)
    if len(axis) > 1 and np.all(steps > 0):
        return {**_axis("channel", spectra.axis_units, len(axis), 1.0, 0.0, navigate=False), **_values(axis)}
    return _axis("channel", "", len(axis), 1.0, 0.0, navigate=False)


def _even(axis: Floats) -> float:
    return float((axis[-1] - axis[0]) / (len(axis) - 1))


def _values(axis: Floats) -> dict[str, Any]:
    return {"_type": "DataAxis", "axis": axis}


def _netcdf(record: RunRecord, path: Path) -> None:
    # NetCDF 3 by scipy: nothing more to install, and every program opens it.
    _in_parts(to_dataset(record)).to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")


def _in_parts(found: "xr.Dataset") -> "xr.Dataset":
    """Give complex variables as two, ``NAME_real`` and ``NAME_imag``: NetCDF has no complex numbers."""
    names = [str(name) for name, variable in found.items() if np.iscomplexobj(variable)]
    parts = {f"{name}_real": found[name].real for name in names} | {f"{name}_imag": found[name].imag for name in names}
    return found.drop_vars(names).assign(parts)


def _zarr(record: RunRecord, path: Path) -> None:
    to_dataset(record).to_zarr(path, consolidated=False)


def _hspy(record: RunRecord, path: Path) -> None:
    try:
        from rsciio.hspy import file_writer
    except ImportError as error:
        raise ModuleNotFoundError(
            "Files for HyperSpy are written by rosettasciio: pip install 'bluesky_gp[hyperspy]'"
        ) from error
    file_writer(str(path), to_signal(record), show_progressbar=False)


SUFFIXES: dict[str, Callable[[RunRecord, Path], None]] = {".nc": _netcdf, ".zarr": _zarr, ".hspy": _hspy}
"""The writer of each kind of file."""
