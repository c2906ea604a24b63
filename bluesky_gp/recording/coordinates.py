"""Coordinates of what is read from a stream: pixels, positions, energy or bias, with units, out of its metadata.

The catalog keeps the names of dimensions, and their values where its documents have them: in the grid of the start
document, and in the configuration of the detector.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bluesky_gp.grid import PixelGrid
from bluesky_gp.recording.stated_axis import goes_one_way, signal_axis

if TYPE_CHECKING:
    import xarray as xr


def with_coordinates(found: "xr.Dataset", stream: Mapping[str, Any], start: Mapping[str, Any]) -> "xr.Dataset":
    """Return what was read with coordinates, and each variable with its unit.

    Parameters
    ----------
    found : xarray.Dataset
    stream : Mapping
        Metadata of the stream: data keys, configuration.
    start : Mapping
        Start document of the run.
    """
    keys = stream.get("data_keys", {})
    for name in found.data_vars:
        if units := keys.get(name, {}).get("units"):
            found[name].attrs.setdefault("units", units)
    found = found.assign_coords(_of_grid(found, start))
    for name in [str(name) for name in found.data_vars if len(keys.get(name, {}).get("dims") or ()) == 1]:
        found = _with_axis(found, name, stream)
    return found


def _of_grid(found: "xr.Dataset", start: Mapping[str, Any]) -> dict[str, Any]:
    """Return pixels and positions, where a map of the whole grid is among what was read."""
    gp = start.get("gp")
    try:
        grid = PixelGrid.from_mapping(gp["grid"]) if isinstance(gp, Mapping) else None
    except (KeyError, TypeError, ValueError):  # anybody's metadata may have that name
        grid = None
    if grid is None or any(found.sizes.get(axis) != size for axis, size in zip(grid.axes, grid.shape, strict=True)):
        return {}
    return {name: coordinate for name, coordinate in grid.as_coordinates().items() if name not in found}


def _with_axis(found: "xr.Dataset", name: str, stream: Mapping[str, Any]) -> "xr.Dataset":
    """Give the only dimension of a spectrum the values that its detector states."""
    (dimension,) = stream["data_keys"][name]["dims"]
    axis, units = signal_axis(stream, name)
    if axis is None or dimension in found.coords or found[name].dims != ("time", dimension):
        return found
    if axis.shape != (found.sizes[dimension],):
        return found
    attributes = {"units": units} if units else {}
    if goes_one_way(axis):
        return found.assign_coords({dimension: (dimension, axis, attributes)})
    if "channel" in {*found.dims, *found.variables}:
        return found
    return found.rename_dims({dimension: "channel"}).assign_coords({dimension: ("channel", axis, attributes)})
