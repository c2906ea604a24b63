"""Habits that all figures share: shape and axes of maps, limits of colours, the best pixel, loops, labels, legends.

>>> aspect((50, 50)), aspect((49, 6))
('equal', 'auto')
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats
from bluesky_gp.units import NO_UNIT, quantity_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Callable[[npt.ArrayLike], Floats]

BEST: dict[str, Any] = {
    "marker": "o",
    "markersize": 10,
    "markerfacecolor": "none",
    "markeredgecolor": "red",
    "markeredgewidth": 1.5,
}
"""Style of the circle around the best pixel."""


def aspect(shape: tuple[int, ...], step: tuple[float, ...] = (1.0, 1.0)) -> Literal["equal", "auto"] | float:
    """Return the aspect at which a map looks as the sample does, "auto" if it is so slim that nothing could be seen."""
    ratio = abs(step[0] / step[1])  # of the sides of a pixel
    if not 0.25 < ratio * shape[0] / shape[1] < 4.0:
        return "auto"
    return "equal" if ratio == 1.0 else ratio


def color_limits(values: Floats, cut: float = 0.002) -> tuple[float, float]:
    """Return quantiles of a map, NaN left out: a few outliers must not take all the colours.

    A map of one value gets limits around it, one without any 0 and 1.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.quantile(finite, [cut, 1.0 - cut])
    margin = 0.0 if high > low else 0.05 * abs(low) or 0.5
    return float(low - margin), float(high + margin)


def is_sweep(axis: Floats) -> bool:
    """Whether an axis goes there and back, as the bias of a hysteresis loop does."""
    steps = np.diff(axis)
    return bool(np.any(steps > 0) and np.any(steps < 0))


def drawn_order(axis: Floats) -> npt.NDArray[np.intp]:
    """Return the channels in the order in which a line joins them; of a sweep the first once more, at the end."""
    channels = np.arange(len(axis))
    return np.append(channels, 0) if is_sweep(axis) else channels


def with_units(name: str, units: str) -> str:
    """Return the label of an axis or a colour bar."""
    return f"{name} ({units})" if units else name


def spectrum_labels(axis_name: str, axis_units: str, name: str, units: str) -> dict[str, str]:
    """Return the labels of both axes of a spectrum, as ``Axes.set`` takes them."""
    return {"xlabel": with_units(quantity_of(axis_name, axis_units), axis_units), "ylabel": with_units(name, units)}


def axis_labels(grid: PixelGrid) -> list[str]:
    """Return the names of the axes of a grid, which count pixels, and how far apart those lie if it has a unit.

    >>> axis_labels(PixelGrid((4, 6), step=(20.0, -30.0), units="nm"))
    ['row (20 nm each)', 'col (30 nm each)']
    """
    if grid.units in NO_UNIT:
        return list(grid.axes)
    return [f"{name} ({abs(step):.4g} {grid.units} each)" for name, step in zip(grid.axes, grid.step, strict=True)]


def add_positions(panel: "Axes", grid: PixelGrid) -> None:
    """Say opposite the pixels of a map over two axes where they lie, if the grid has a unit.

    Of a rotated grid, along whose axes no axis of the stage lies, these are distances from pixel (0, 0). They take half
    as long again to draw as the rest: pictures that are drawn again and again have `axis_labels` only.
    """
    if grid.units in NO_UNIT:
        return
    starts = (0.0, 0.0) if grid.rotation else grid.origin
    y, x = (_there_and_back(start, step) for start, step in zip(starts, grid.step, strict=True))
    right, top = panel.secondary_yaxis("right", functions=y), panel.secondary_xaxis("top", functions=x)
    for side in (right, top):
        side.tick_params(labelsize="x-small", colors="0.35", length=2.0)
    top.set_xlabel(grid.units, fontsize="x-small", color="0.35")


def _there_and_back(start: float, step: float) -> tuple[Scale, Scale]:
    """Return positions of pixels, and pixels of positions, along an axis."""
    return lambda pixels: start + step * np.asarray(pixels), lambda places: (np.asarray(places) - start) / step


def legend_above(panel: "Axes", ncols: int = 1) -> None:
    """Put the legend of a panel between its title and its frame, where it hides nothing."""
    n_labels = len(panel.get_legend_handles_labels()[0])
    style: dict[str, Any] = {"fontsize": "small", "frameon": False, "borderaxespad": 0.3, "borderpad": 0.0}
    style |= {"handlelength": 1.5, "columnspacing": 1.0}
    panel.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=ncols, **style)
    panel.set_title(panel.get_title(), pad=6.0 + 15.0 * -(-n_labels // ncols))  # points, a row of a small legend each
