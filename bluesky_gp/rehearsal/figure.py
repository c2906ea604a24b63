"""The figure of a rehearsal: the map, its error, the regret, and when each seed found the maximum."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.panels import BEST, add_positions, aspect, axis_labels, color_limits, legend_above, with_units
from bluesky_gp.rehearsal.rehearsal import Rehearsal
from bluesky_gp.rehearsal.standing import Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Styles = dict[str, dict[str, Any]]

_WIDER = 1.03  # than the number of points, so that no mark is cut by the frame

_AGENT_STYLES = ("-", "--", "-.", ":")
_BASELINE_MARKERS = ("o", "s", "^", "D")
_BASELINE_GREYS = ("0.25", "0.5", "0.25", "0.5")


def rehearsal_figure(rehearsal: Rehearsal) -> "Figure":
    """Draw what `rehearse` found: configurations in colours, what needs no agent in grey with markers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 9), layout="constrained")
    panels = figure.subplots(2, 2)
    styles = _styles(rehearsal)
    _map(panels[0, 0], rehearsal)
    _errors(panels[0, 1], rehearsal, styles)
    _seeds(panels[1, 0], rehearsal, styles)
    _regrets(panels[1, 1], rehearsal, styles)
    return figure


def _styles(rehearsal: Rehearsal) -> Styles:
    agents = [c.name for c in rehearsal.configurations]
    baselines = [method for method in rehearsal.standings if method not in agents]
    styles: Styles = {
        name: {"color": f"C{i % 10}", "linestyle": _AGENT_STYLES[i // 10 % 4]} for i, name in enumerate(agents)
    }
    return styles | {
        name: {"color": _BASELINE_GREYS[i], "linestyle": ":", "marker": _BASELINE_MARKERS[i], "markersize": 4}
        for i, name in enumerate(baselines)
    }


def _map(panel: "Axes", rehearsal: Rehearsal) -> None:
    """The map, and what the recommendation would have measured of it with the first seed."""
    full, advice = rehearsal.full, rehearsal.recommended
    if full.grid.ndim != 2:
        panel.set_axis_off()
        return
    low, high = color_limits(full.values)
    ratio = aspect(full.grid.shape, full.grid.step)
    image = panel.imshow(full.values, vmin=low, vmax=high, interpolation="nearest", aspect=ratio)
    panel.figure.colorbar(image, ax=panel, label=with_units(full.target, full.units), shrink=0.85)
    order = rehearsal.by_method[advice.configuration.name][0].order[: advice.num]
    row, col = full.grid.unravel(order).T
    dots: dict[str, Any] = {"marker": "o", "markerfacecolor": "white", "markeredgecolor": "black", "linestyle": ""}
    panel.plot(col, row, **dots, markersize=3, markeredgewidth=0.4, label=f"{len(order)} points, first seed")
    row, col = full.best_pixel
    panel.plot(col, row, **BEST, linestyle="", label="the best pixel")
    panel.legend(loc="upper left", bbox_to_anchor=(0.0, -0.12), ncols=2, fontsize="small", frameon=False)
    ylabel, xlabel = axis_labels(full.grid)
    panel.set(title="the map", ylabel=ylabel, xlabel=xlabel)
    panel.locator_params(integer=True)
    add_positions(panel, full.grid)


def _errors(panel: "Axes", rehearsal: Rehearsal, styles: Styles) -> None:
    for method, standing in rehearsal.standings.items():
        panel.plot(standing.num, standing.curve, label=method, **styles[method])
        if "marker" not in styles[method]:
            low, high = standing.errors.min(axis=0), standing.errors.max(axis=0)
            panel.fill_between(standing.num, low, high, color=styles[method]["color"], alpha=0.12, linewidth=0)
    if rehearsal.required.level:
        panel.axhline(rehearsal.required.level, color="k", linewidth=0.8, label="good enough")
    panel.axhline(rehearsal.floor, color="k", linewidth=0.8, linestyle=(0, (1, 3)), label="noise floor")
    _recommended(panel, rehearsal, label="recommended")
    panel.set(title="error of the map: median and range of the seeds", ylabel="standard deviations of the map")
    panel.set(xlabel="points", ylim=(0.8 * rehearsal.floor, None), xlim=(0.0, _WIDER * rehearsal.num))
    legend_above(panel, ncols=3)


def _regrets(panel: "Axes", rehearsal: Rehearsal, styles: Styles) -> None:
    for standing in _samplings(rehearsal).values():
        style = {**styles[standing.method], "drawstyle": "steps-post"}
        panel.plot(standing.num, np.where(np.isfinite(standing.regret), standing.regret, np.nan), **style)
    panel.axhline(rehearsal.floor, color="k", linewidth=0.8, linestyle=(0, (1, 3)))
    _recommended(panel, rehearsal)
    panel.set(title="regret: best of the map minus best measured, median", ylabel="standard deviations of the map")
    panel.set(xlabel="points", xlim=(0.0, _WIDER * rehearsal.num), ylim=(-0.02 * panel.get_ylim()[1], None))


def _seeds(panel: "Axes", rehearsal: Rehearsal, styles: Styles) -> None:
    """One mark a seed: after how many points it had measured a pixel as good as the maximum."""
    standings = _samplings(rehearsal)
    for place, standing in enumerate(standings.values()):
        points = [point for point in standing.to_near.points if point is not None]
        panel.plot(points, [place] * len(points), "o", color=styles[standing.method]["color"], alpha=0.6)
        missed = len(standing.to_near.points) - len(points)
        if missed:
            panel.text(rehearsal.num * 1.02, place, f"{missed} never", va="center", fontsize="small")
    _recommended(panel, rehearsal)
    panel.set(yticks=range(len(standings)), yticklabels=list(standings), xlabel="points")
    panel.set(title="a pixel as good as the maximum was measured after", xlim=(0, rehearsal.num * 1.15))
    panel.set_ylim(len(standings) - 0.5, -0.5)  # half a row above the first and below the last


def _samplings(rehearsal: Rehearsal) -> dict[str, Standing]:
    """Ways to choose pixels, by name; baselines that differ only in how the map is predicted are one."""
    agents = {c.name for c in rehearsal.configurations}
    named = {m if m in agents else m.partition(",")[0]: s for m, s in reversed(rehearsal.standings.items())}
    return dict(reversed(named.items()))


def _recommended(panel: "Axes", rehearsal: Rehearsal, **style: Any) -> None:
    panel.axvline(rehearsal.recommended.num, color="red", linewidth=0.8, **style)
