"""The map that a scalarizer makes of measured spectra: what it is, in numbers and as a figure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.panels import BEST, aspect, color_limits, drawn_order, is_sweep, with_units
from bluesky_gp.typing import Floats
from bluesky_gp.units import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class TargetMap:
    """A target at every pixel, and where it came from.

    Parameters
    ----------
    values : ndarray, shape grid.shape
        NaN where the target failed.
    grid : PixelGrid
    source, target, units : str
        The file, and what was made of it.
    scalarizer : mapping
        As plain data, which `get_scalarizer` takes.
    reasons : mapping of str to int
        Why pixels failed, and how many.
    axis : ndarray, shape (n_channels,)
    axis_label, spectrum_label : str
        Of the spectra.
    maximize : bool
        False: the smallest value is the best.
    """

    values: Floats = field(repr=False)
    grid: PixelGrid
    source: str
    target: str
    units: str
    scalarizer: Mapping[str, Any]
    reasons: Mapping[str, int]
    axis: Floats = field(repr=False)
    axis_label: str
    spectrum_label: str
    maximize: bool = True

    @cached_property
    def _order(self) -> Any:
        """Flat indices of the pixels that have a value, the best first."""
        flat = self.values.ravel() * (-1.0 if self.maximize else 1.0)
        return np.argsort(flat, kind="stable")[: int(np.isfinite(flat).sum())]

    @property
    def n_failed(self) -> int:
        """Number of pixels without a value."""
        return int(self.values.size - len(self._order))

    def pixel_at(self, share: float) -> tuple[int, ...]:
        """Return the pixel behind which a share of the ranking lies: 0 the best, 0.5 the median, 1 the worst.

        Raises
        ------
        ValueError
            If no pixel has a value.
        """
        if not len(self._order):
            reasons = "; ".join(list(self.reasons)[:3])
            raise ValueError(f"{self.source}: target {self.target!r} fails at every pixel, {reasons}")
        place = round(share * (len(self._order) - 1))
        return tuple(int(i) for i in self.grid.unravel(self._order[place]))

    def to_dict(self) -> dict[str, Any]:
        """Return what a table shows, as plain data."""
        best = self.pixel_at(0.0)
        return {
            "source": self.source,
            "shape": [*self.grid.shape, len(self.axis)],
            "axis": [float(self.axis.min()), float(self.axis.max())],
            "axis_label": self.axis_label,
            "spectrum_label": self.spectrum_label,
            "target": self.target,
            "scalarizer": dict(self.scalarizer),
            "units": self.units,
            "min": float(np.nanmin(self.values)),
            "median": float(np.nanmedian(self.values)),
            "max": float(np.nanmax(self.values)),
            "n_pixels": self.values.size,
            "n_failed": self.n_failed,
            "reasons": dict(self.reasons),
            "best_pixel": [*best],
            "best_value": float(self.values[best]),
            "best_position": self.grid.position(best).tolist(),
            "position_units": self.grid.units,
        }


def target_figure(found: TargetMap, spectra: Mapping[tuple[int, ...], Floats]) -> "Figure":
    """Draw the map, failed pixels in grey and the best in a circle, beside the spectra of some pixels.

    Parameters
    ----------
    found : TargetMap
        Of three axes the layer of the best pixel is drawn.
    spectra : mapping
        Pixels to spectra of shape ``(n_channels,)``; the windows of the scalarizer are shaded.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    label = with_units(found.target, found.units)
    if found.grid.ndim == 1:
        _line(left, found, label)
    else:
        _image(left, found, label)
    _spectra(right, found, spectra)
    return figure


def _line(panel: "Axes", found: TargetMap, label: str) -> None:
    best = found.pixel_at(0.0)
    panel.plot(found.values, ".-", linewidth=1)
    panel.plot(best[0], found.values[best], **BEST)
    panel.set(xlabel=found.grid.axes[0], ylabel=label, title=_title(found))


def _image(panel: "Axes", found: TargetMap, label: str) -> None:
    best = found.pixel_at(0.0)
    layer = found.values if found.grid.ndim == 2 else found.values[..., best[2]]
    low, high = color_limits(found.values, 0.01)
    image = panel.imshow(layer, vmin=low, vmax=high, aspect=aspect(layer.shape), interpolation="nearest")
    panel.set_facecolor("0.8")
    panel.figure.colorbar(image, ax=panel, label=label, extend="both")
    panel.plot(best[1], best[0], **BEST)
    where = "" if found.grid.ndim == 2 else f", {found.grid.axes[2]} {best[2]}"
    panel.set(xlabel=found.grid.axes[1], ylabel=found.grid.axes[0], title=_title(found) + where)


def _title(found: TargetMap) -> str:
    failed = f", {found.n_failed} failed (grey)" if found.n_failed else ""
    return f"{found.values.size} pixels{failed}"


def _spectra(panel: "Axes", found: TargetMap, spectra: Mapping[tuple[int, ...], Floats]) -> None:
    index = drawn_order(found.axis)
    for color, (pixel, spectrum) in zip(("tab:red", "tab:blue", "0.5"), spectra.items(), strict=False):
        value = rounded(found.values[pixel])
        panel.plot(found.axis[index], spectrum[index], color=color, linewidth=1, label=f"pixel {pixel}: {value}")
    if is_sweep(found.axis):
        panel.set_ylim(*_without_spikes(np.array(list(spectra.values()))))
    else:
        _windows(panel, found)
    panel.set(xlabel=found.axis_label, ylabel=found.spectrum_label, title="best, median and worst pixel")
    panel.legend(fontsize="small")


def _without_spikes(loops: Floats) -> tuple[float, float]:
    """Return limits in which loops can be seen: failed fits are up to 2000 times as high."""
    low, high = np.nanquantile(loops, [0.04, 0.96])
    margin = 0.25 * (high - low)
    return float(low - margin), float(high + margin)


def _windows(panel: "Axes", found: TargetMap) -> None:
    low, high = float(found.axis.min()), float(found.axis.max())
    windows = {
        key: value
        for key, value in found.scalarizer.items()
        if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value)
    }
    for i, (name, (start, end)) in enumerate(windows.items()):
        if start < high and end > low:
            panel.axvspan(max(start, low), min(end, high), color=f"C{i}", alpha=0.15, label=name)
