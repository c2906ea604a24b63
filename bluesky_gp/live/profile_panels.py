"""Panels of a run over one axis: its pixels in order, mean with band, standard deviation, acquisition."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bluesky_gp.live.so_far import RunSoFar
from bluesky_gp.panels import axis_labels, legend_above, with_units

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_profiles(run: RunSoFar, panels: "Sequence[Axes]") -> None:
    """Draw order, mean, standard deviation and acquisition into four panels."""
    unit = with_units(run.target, run.units)
    _order(panels[0], run)
    _mean(panels[1], run)
    titles = {"std": "standard deviation", "acquisition": "acquisition"}
    for panel, (name, title) in zip(panels[2:], titles.items(), strict=True):
        if name in run.maps:
            panel.plot(_allowed(run, name), color="tab:purple" if name == "std" else "tab:olive")
            panel.set_ylim(bottom=0.0 if name == "std" else np.nanmedian(run.maps[name]))
        panel.set_title(title if name in run.maps else f"{title}: none yet")
        panel.set_ylabel(unit if name == "std" else run.scores)
    [xlabel] = axis_labels(run.grid)
    for panel in panels:
        panel.set(xlim=(-0.5, run.grid.size - 0.5), xlabel=xlabel)
    panels[1].set_ylabel(unit)


def _order(panel: "Axes", run: RunSoFar) -> None:
    """Draw which pixel came when: time runs downwards."""
    numbers = np.arange(1, len(run.pixels) + 1)
    bad = np.isin(run.pixels[:, 0], run.failed)
    panel.plot(run.pixels[~bad, 0], numbers[~bad], ".", color="tab:blue")
    panel.plot(run.pixels[bad, 0], numbers[bad], "kx", label="failed")
    panel.plot(run.proposed[:, 0], np.arange(len(run.proposed)) + len(numbers) + 1, "s", mfc="none", label="next")
    panel.invert_yaxis()
    panel.locator_params(axis="y", integer=True)
    panel.set(ylabel="order of measurement", title=f"{len(run.pixels)} of {int(run.grid.allowed.sum())} pixels")
    legend_above(panel, ncols=2)


def _mean(panel: "Axes", run: RunSoFar) -> None:
    if "mean" in run.maps:
        mean, std = _allowed(run, "mean"), _allowed(run, "std")
        panel.fill_between(np.arange(len(mean)), mean - 2 * std, mean + 2 * std, alpha=0.2, label="2 std")
        panel.plot(mean)
    panel.plot(run.pixels[:, 0], run.values, "k.", markersize=4, label="measured")
    panel.set_title("posterior mean" if "mean" in run.maps else "posterior mean: none yet")
    legend_above(panel, ncols=2)


def _allowed(run: RunSoFar, name: str) -> np.ndarray:
    return run.maps[name] if run.grid.mask is None else np.where(run.grid.mask, np.nan, run.maps[name])
