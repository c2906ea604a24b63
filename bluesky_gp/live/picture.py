"""The picture of a run so far: six panels, whatever the number of axes."""

from typing import TYPE_CHECKING

import numpy as np

from bluesky_gp.live.map_panels import draw_maps
from bluesky_gp.live.profile_panels import draw_profiles
from bluesky_gp.live.so_far import RunSoFar
from bluesky_gp.panels import drawn_order, is_sweep, legend_above, spectrum_labels, with_units
from bluesky_gp.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (13.0, 7.2)  # inches


def draw(run: RunSoFar, figure: "Figure") -> None:
    """Draw a run into an empty figure: order, mean, deviation, acquisition, last spectrum, best by iteration.

    Parameters
    ----------
    run : RunSoFar
    figure : matplotlib.figure.Figure
        With the layout "constrained"; `SIZE` suits it.
    """
    panels = figure.subplots(2, 3)
    maps = [*panels[0], panels[1, 0]]
    if run.grid.ndim == 1:
        draw_profiles(run, maps)
    else:
        draw_maps(run, maps)
    _spectrum(panels[1, 1], run)
    _progress(panels[1, 2], run)
    figure.suptitle(run.title, fontsize="medium")


def _spectrum(panel: "Axes", run: RunSoFar) -> None:
    spectrum = run.spectrum
    if spectrum is None:
        panel.set_axis_off()
        return
    values, name = spectrum.values, spectrum.name
    if np.iscomplexobj(values):
        values, name = np.abs(values), "magnitude"
    order = drawn_order(spectrum.axis)
    panel.plot(spectrum.axis[order], values[order], ".-" if is_sweep(spectrum.axis) else "-", linewidth=1)
    for i, (label, window) in enumerate(spectrum.windows.items()):
        panel.axvspan(*window, color=f"C{i + 1}", alpha=0.2, label=label)
    if spectrum.windows:
        _limit(panel, spectrum.axis, values, np.array([*spectrum.windows.values()]))
    nothing = "" if np.isfinite(values).any() else ": not a number"
    panel.set(**spectrum_labels(spectrum.axis_name, spectrum.axis_units, name, spectrum.units))
    panel.set_title(f"last spectrum, {spectrum.pixel}{nothing}")
    if spectrum.windows:
        legend_above(panel, ncols=3)


def _limit(panel: "Axes", axis: Floats, values: Floats, windows: Floats) -> None:
    """Show the whole spectrum, or the surroundings of its windows if they would be lost beside a far larger peak."""
    margin = np.ptp(windows)
    near = (axis > windows.min() - margin) & (axis < windows.max() + margin)
    is_small = near.any() and np.nanmax(values[near], initial=0.0) < 0.2 * np.nanmax(values, initial=0.0)
    shown = near if is_small else np.ones(len(axis), dtype=bool)
    panel.set_xlim(axis[shown].min(), axis[shown].max())
    if is_small:
        panel.set_ylim(0.0, 1.1 * np.nanmax(values[near]))


def _progress(panel: "Axes", run: RunSoFar) -> None:
    panel.locator_params(axis="x", integer=True)
    panel.step(run.attempted, run.best, where="post", marker=".", markersize=4)
    if run.progress.num:
        panel.set_xlim(0, max(run.progress.num, *run.attempted, 1))
    if not np.isfinite(run.best).any():
        panel.set_ylim(0, 1)
        panel.set_yticks([])
    panel.set(xlabel="pixels", ylabel=with_units(run.target, run.units), title="best, by the posterior mean")
