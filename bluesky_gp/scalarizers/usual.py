"""The target that people would map first, by what a file says of its spectra."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bluesky_gp.scalarizers.core_loss import NetCounts
from bluesky_gp.scalarizers.loop_branches import check_sweep
from bluesky_gp.scalarizers.windows import channel_width
from bluesky_gp.typing import Floats

_CURRENTS = ("A", "S")  # amperes and siemens, with any prefix
_X_RAYS_FROM = 5000.0  # eV: the axis of no energy-loss spectrometer reaches that far
_LOWEST_LINE = 0.2  # keV: above the peak of the noise at 0, below the line of carbon
_EDGE_SHARE = 0.05  # of the counts in the window: what an edge has at least

Target = str | Mapping[str, Any]
"""A scalarizer by name, or as a mapping with its parameters."""


def usual_target(spectrum: Floats, axis: Floats, axis_units: str, spectrum_units: str, kind: str = "") -> Target:
    """Return a target that suits spectra like this one.

    Parameters
    ----------
    spectrum, axis : ndarray, shape (n_channels,)
        The mean of all spectra.
    axis_units, spectrum_units : str
    kind : str, optional
        Type of the signal, such as "EELS" or "EDS_TEM", where the file says it.

    >>> usual_target(np.ones(3), np.array([-1.0, 0.0, 1.0]), "V", "nA")
    'peak'
    """
    if axis_units in ("V", "mV"):
        return _of_sweep(axis, spectrum_units)
    if axis_units in ("eV", "keV"):
        factor = 1.0 if axis_units == "keV" else 1000.0
        if axis_units == "keV" or kind.startswith("EDS") or axis.max() > _X_RAYS_FROM:
            return _of_x_rays(axis, factor * _LOWEST_LINE)
        return _of_losses(spectrum, axis)
    return "centroid"


def _of_sweep(axis: Floats, spectrum_units: str) -> Target:
    """A loop's area; the peak of a current, of its derivative, and of a sweep in one direction."""
    try:
        check_sweep(axis)
    except ValueError:
        return "peak"
    return "peak" if spectrum_units[-1:] in _CURRENTS and len(spectrum_units) <= 2 else "loop_area"


def _of_x_rays(axis: Floats, lowest: float) -> Target:
    if not axis.min() < lowest < axis.max():
        return "area"
    return {"kind": "area", "window": [lowest, float(axis.max()) + channel_width(axis)]}


def _of_losses(spectrum: Floats, axis: Floats) -> Target:
    if axis.min() < 0 < axis.max():
        return "thickness"
    return "net_counts" if _may_have_edge(NetCounts(), spectrum, axis) else "area"


def _may_have_edge(scalarizer: NetCounts, spectrum: Floats, axis: Floats) -> bool:
    """Whether the axis has channels of both windows and, if it has all of them, an edge rises in its own."""
    try:
        net = scalarizer(spectrum, axis)
    except ValueError:  # its windows lie beside the axis
        return False
    inside = (axis >= scalarizer.edge[0]) & (axis < scalarizer.edge[1])
    whole = axis.min() <= scalarizer.background[0] and axis.max() >= scalarizer.edge[1]
    counts = float(spectrum[inside].sum()) * channel_width(axis)
    return bool(np.isfinite(net) and (not whole or net > _EDGE_SHARE * counts))
