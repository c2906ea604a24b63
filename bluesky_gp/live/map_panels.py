"""Panels of a run over two or three axes: its pixels in order, and its maps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.live.sheet import Sheet
from bluesky_gp.live.so_far import RunSoFar
from bluesky_gp.panels import BEST, aspect, axis_labels, color_limits, with_units
from bluesky_gp.typing import Indices

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MASKED = "0.8"  # grey
POINTS = 200.0  # of the side of a panel, about


def draw_maps(run: RunSoFar, panels: "Sequence[Axes]") -> None:
    """Draw order, mean, standard deviation and acquisition into four panels."""
    unit = with_units(run.target, run.units)
    _order(panels[0], run)
    _map(panels[1], run, "mean", "posterior mean", unit, cmap="viridis")
    _map(panels[2], run, "std", "standard deviation", unit, cmap="magma")
    _map(panels[3], run, "acquisition", "acquisition", run.scores, cmap="cividis")


def _order(panel: "Axes", run: RunSoFar) -> None:
    from matplotlib.ticker import MaxNLocator

    size = _marker_size(run)
    _frame(panel, run)
    places, shown = _sheet(run).places(run.pixels)
    points = panel.scatter(
        places[:, 1], places[:, 0], c=np.flatnonzero(shown) + 1, s=size, marker="s", cmap="plasma", linewidths=0
    )
    if len(places):
        bar = panel.figure.colorbar(points, ax=panel, label="order of measurement", shrink=0.85)
        bar.locator = MaxNLocator(5, integer=True)
    _marks(panel, run, run.failed, marker="x", color="black", s=max(size, 12.0), linewidths=1)
    next_ = {"facecolors": "none", "edgecolors": "tab:green", "marker": "s"}
    _marks(panel, run, run.proposed, s=max(size, 14.0), linewidths=1, **next_)
    marked = {"failed (x)": len(run.failed), "next (□)": len(run.proposed)}  # a legend would lie over pixels
    title = [f"{len(run.pixels)} of {int(run.grid.allowed.sum())} pixels"]
    panel.set_title(", ".join(title + [f"{n} {what}" for what, n in marked.items() if n]), fontsize="medium")


def _map(panel: "Axes", run: RunSoFar, name: str, title: str, label: str, *, cmap: str) -> None:
    _frame(panel, run)
    values = run.maps.get(name)
    if values is None:
        panel.set_title(f"{title}: none yet")
        return
    if run.grid.mask is not None:
        values = np.where(run.grid.mask, np.nan, values)
    low, high = color_limits(values)
    if name == "acquisition":  # often a logarithm: its lower half says nothing
        low = float(np.nanmedian(values))
    sheet = _sheet(run).image(values)
    image = panel.imshow(sheet, cmap=cmap, vmin=low, vmax=high, interpolation="nearest", aspect=panel.get_aspect())
    panel.figure.colorbar(image, ax=panel, label=label, shrink=0.85)
    behind = run.progress.iteration - run.ages[name]
    panel.set_title(f"{title}, {behind} decision{'s' * (behind > 1)} ago" if behind > 0 else title)
    if name == "mean" and run.progress.best_pixel and run.progress.best_pixel[0] >= 0:
        (place, *_), _ = _sheet(run).places(np.array([run.progress.best_pixel]))
        panel.plot(place[1], place[0], **BEST)


def _sheet(run: RunSoFar) -> Sheet:
    best = run.progress.best_pixel
    return Sheet(run.grid.shape, best[2] if len(best) == 3 and best[2] >= 0 else 0)


def _marks(panel: "Axes", run: RunSoFar, pixels: Indices, **style: Any) -> None:
    places, _ = _sheet(run).places(pixels)
    if len(places):
        panel.scatter(places[:, 1], places[:, 0], **style)


def _frame(panel: "Axes", run: RunSoFar) -> None:
    """Set limits and names of a panel, and say in grey where nothing may be measured."""
    from matplotlib.ticker import MaxNLocator

    sheet, grid = _sheet(run), run.grid
    n_rows, n_cols = sheet.shape
    ratio = aspect(sheet.shape, grid.step)
    panel.set(xlim=(-0.5, n_cols - 0.5), ylim=(n_rows - 0.5, -0.5), aspect=ratio)
    if grid.mask is not None:
        _grey(panel, sheet.image(np.where(grid.mask, 1.0, np.nan)), ratio)
    ylabel, xlabel, *_ = axis_labels(grid)
    panel.set(ylabel=ylabel, xlabel=xlabel)
    if grid.ndim == 3:
        _name_layers(panel, sheet, grid.axes[2])
    else:
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _name_layers(panel: "Axes", sheet: Sheet, name: str) -> None:
    """Say which layer is which; rows and columns begin anew in each, so that ticks would mislead."""
    panel.set(xticks=[], yticks=[])
    style = {"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
    for layer, (row, col) in sheet.corners.items():
        text = f"{name} {layer}" if layer == 0 else str(layer)
        panel.text(col - 0.4, row - 0.4, text, fontsize="xx-small", va="top", bbox=style)


def _grey(panel: "Axes", sheet: Any, ratio: Any) -> None:
    panel.imshow(sheet, cmap="Greys", vmin=0.0, vmax=4.0, interpolation="nearest", aspect=ratio)


def _marker_size(run: RunSoFar) -> float:
    """Return the area, in square points, of a marker that fills a pixel, within what can be seen."""
    side = 0.8 * POINTS / max(_sheet(run).shape)
    return float(np.clip(side, 3.0, 9.0) ** 2)
