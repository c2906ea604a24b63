"""The spectrum image of a run as HyperSpy has it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.export.dataset import attributes
from bluesky_gp.grid import PixelGrid
from bluesky_gp.run import RunRecord, Spectra, check_record
from bluesky_gp.typing import Floats
from bluesky_gp.units import quantity_of

_LARGEST = 2**31  # bytes of a spectrum image; NaN where nothing was measured


def to_signal(record: RunRecord) -> dict[str, Any]:
    """Return the spectrum image as rosettasciio's dictionary of a signal; NaN where nothing was measured.

    Raises
    ------
    ValueError
        If the run recorded no spectra, or the image is too large.
    """
    check_record("to_signal", record, RunRecord)
    spectra, grid = record.spectra, record.grid
    if spectra is None:
        why = f" ({record.missing_spectra})" if record.missing_spectra else ""
        raise ValueError(f"run {record.start['uid'][:8]} recorded no spectra{why}: export its maps, to .nc or .zarr")
    steps = zip(grid.axes, grid.shape, grid.step, grid.origin, strict=True)
    axes = [_axis(name, grid.units, n, step, origin, navigate=True) for name, n, step, origin in steps]
    return {
        "data": _filled(spectra, grid),
        "axes": [*axes, _signal_axis(spectra)],
        "metadata": {
            "General": {"title": attributes(record)["title"]},
            "Signal": {"quantity": f"spectrum ({spectra.units})" if spectra.units else "", "signal_type": ""},
        },
        "original_metadata": {
            **attributes(record),
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
    name = quantity_of(spectra.axis_name, spectra.axis_units)
    if len(axis) > 1 and steps[0] and np.allclose(steps, steps[0], rtol=1e-6, atol=0.0):
        return _axis(name, spectra.axis_units, len(axis), _even(axis), float(axis[0]), navigate=False)
    if len(axis) > 1 and np.all(steps > 0):
        return {**_axis(name, spectra.axis_units, len(axis), 1.0, 0.0, navigate=False), **_values(axis)}
    return _axis("channel", "", len(axis), 1.0, 0.0, navigate=False)


def _even(axis: Floats) -> float:
    return float((axis[-1] - axis[0]) / (len(axis) - 1))


def _values(axis: Floats) -> dict[str, Any]:
    return {"_type": "DataAxis", "axis": axis}
