"""A run as a dataset of xarray: maps and spectra with coordinates and units."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.run import RunRecord, Spectra, check_record

if TYPE_CHECKING:
    import xarray as xr

ROWS = "measurement"
"""The dimension of the spectra."""


def to_dataset(record: RunRecord) -> "xr.Dataset":
    """Return the maps of a run, and its spectra by number of measurement, with coordinates and units.

    Variables over the grid: `measured` (NaN where no value is), `order` (of measurement, -1: none), `failed`, and
    `mean`, `std`, `acquisition` as of the last iteration. Over `measurement`: `pixel` and `spectrum`, those that the
    scalarizer rejected too. Of a run that resumes another the maps have the pixels of both, `measurement` its own
    unless they were `joined`.
    """
    import xarray as xr

    check_record("to_dataset", record, RunRecord)
    grid = record.grid
    maps = {**_measured_maps(record), **record.maps}
    variables = {
        name: (grid.axes, values, {"long_name": _LONG[name], **_units(record, name)}) for name, values in maps.items()
    }
    found = xr.Dataset({**variables, **_measurements(record)}, coords=_coordinates(record))
    return found.assign_attrs(attributes(record))


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
    found: dict[str, Any] = {"pixel": ((ROWS, "axis"), pixels.astype(np.int32))}
    if record.spectra is not None:
        units = {"units": record.spectra.units} if record.spectra.units else {}
        found["spectrum"] = ((ROWS, _signal_dimension(record.spectra)), record.spectra.values, units)
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


def left_out(record: RunRecord) -> str:
    """Return which spectra of a run are not in its record, and why; empty: all are."""
    return "; ".join(part for part in (record.missing_spectra, record.spectra_elsewhere) if part)


def attributes(record: RunRecord) -> dict[str, Any]:
    """Return what a file says of a run: its uid, target, plan, time and end, and all of its start document."""
    start = record.start
    return {
        "title": f"{record.target}, run {start['uid'][:8]}",
        "uid": start["uid"],
        "target": record.target,
        "plan_name": start.get("plan_name", ""),
        "time": datetime.fromtimestamp(start["time"], UTC).isoformat(),
        **({"missing_spectra": missing} if (missing := left_out(record)) else {}),
        "exit_status": record.stop.get("exit_status", "unfinished"),
        "start": json.dumps(start, default=_plain),
    }


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
