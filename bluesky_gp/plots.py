"""Figures: a run that was read back, a grid on the image of the sample; matplotlib is imported when one is drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.masks import image_lattice, image_values
from bluesky_gp.panels import (
    BEST,
    add_positions,
    aspect,
    axis_labels,
    color_limits,
    drawn_order,
    is_sweep,
    legend_above,
    spectrum_labels,
    with_units,
)
from bluesky_gp.run import RunRecord, check_record
from bluesky_gp.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def run_figure(record: RunRecord, truth: Floats | None = None) -> "Figure":
    """Draw a run: true map, measured points in order, mean, standard deviation, best spectrum, best by iteration.

    Parameters
    ----------
    record : RunRecord
        Of a run over two axes that has maps.
    truth : ndarray, shape grid.shape, optional
        Known map, NaN where nothing is known; without it the first panel shows the measured values.

    Raises
    ------
    TypeError
        If it is no `RunRecord`.
    ValueError
        If the run has no maps, or not two axes, or `truth` another shape.
    """
    from matplotlib.figure import Figure

    check_record("run_figure", record, RunRecord)
    truth = None if truth is None else _true_map(record, truth)
    if not record.maps or record.grid.ndim != 2:
        raise ValueError(f"run {record.start['uid'][:8]}: a figure needs two axes and the maps of stream 'gp_maps'")
    planes = _overview(record)
    figure = Figure(figsize=(12 if planes is None else 16, 7), layout="constrained")
    panels = figure.subplots(2, 3 if planes is None else 4)
    low, high = color_limits(record.maps["mean"] if truth is None else truth)
    shown = _measured_map(record) if truth is None else truth
    unit = with_units(record.target, record.units)
    _map(panels[0, 0], shown, "measured" if truth is None else "true map", record, unit, vmin=low, vmax=high)
    _order(panels[0, 1], record)
    _map(panels[0, 2], record.maps["mean"], "posterior mean", record, unit, vmin=low, vmax=high)
    _map(panels[1, 0], record.maps["std"], "posterior standard deviation", record, unit, cmap="magma")
    _spectrum(panels[1, 1], record)
    _progress(panels[1, 2], record, truth, unit)
    if planes is not None:
        _map(panels[0, 3], next(iter(planes.values())), "overview image", record, next(iter(planes)), cmap="gray")
        _contribution(panels[1, 3], record)
    best = record.best_pixel
    for panel in (panels[0, 0], panels[0, 2], panels[1, 0]):
        if best is not None:
            panel.plot(best[1], best[0], **BEST)
    return figure


def _true_map(record: RunRecord, truth: npt.ArrayLike) -> Floats:
    """Return a known map as numbers; ValueError unless it has the shape of the grid."""
    known = np.asarray(truth)
    if known.dtype.kind not in "biuf" or known.shape != record.grid.shape:
        raise ValueError(
            f"run_figure: truth must be a map of shape {record.grid.shape}, got {known.dtype} of shape {known.shape}"
        )
    return known.astype(np.float64)


def _measured_map(record: RunRecord) -> Floats:
    shown = np.full(record.grid.shape, np.nan)
    pixels, values = record.together.measured
    shown[tuple(pixels.T)] = values
    return shown


def _map(panel: "Axes", values: Floats, title: str, record: RunRecord, label: str, **style: Any) -> None:
    image = panel.imshow(values, aspect=aspect(record.grid.shape, record.grid.step), interpolation="nearest", **style)
    panel.figure.colorbar(image, ax=panel, label=label, shrink=0.85)
    _name_axes(panel, record.grid)
    panel.set_title(title)


def _order(panel: "Axes", record: RunRecord) -> None:
    record = record.together
    pixels, _ = record.measured
    every = record.grid.unravel([outcome.pixel for outcome in record.outcomes])
    order = {tuple(pixel): i + 1 for i, pixel in enumerate(every.tolist())}
    numbers = [order[tuple(pixel)] for pixel in pixels.tolist()]
    points = panel.scatter(pixels[:, 1], pixels[:, 0], c=numbers, s=14, cmap="plasma", edgecolors="none")
    panel.figure.colorbar(points, ax=panel, label="order of measurement", shrink=0.85)
    if len(record.failed):
        panel.plot(record.failed[:, 1], record.failed[:, 0], "kx", markersize=5)
    n_rows, n_cols = record.grid.shape
    ratio = aspect(record.grid.shape, record.grid.step)
    panel.set(xlim=(-0.5, n_cols - 0.5), ylim=(n_rows - 0.5, -0.5), aspect=ratio)
    _name_axes(panel, record.grid)
    failed = f", {len(record.failed)} failed (x)" if len(record.failed) else ""
    panel.set_title(f"{len(record.outcomes)} of {record.grid.size} pixels{failed}")


def _name_axes(panel: "Axes", grid: PixelGrid) -> None:
    ylabel, xlabel = axis_labels(grid)
    panel.set(ylabel=ylabel, xlabel=xlabel)
    panel.locator_params(integer=True)
    add_positions(panel, grid)


def _spectrum(panel: "Axes", record: RunRecord) -> None:
    if record.spectra is None or record.best_pixel is None:
        panel.set_axis_off()
        return
    rows = np.flatnonzero((record.spectra.pixels == record.best_pixel).all(axis=1))
    if not len(rows):  # its spectrum is in the record of the run that this one resumes
        panel.set_axis_off()
        return
    row = int(rows[-1])
    spectra, axis, values = record.spectra, record.spectra.axis, record.spectra.values[row]
    values, name = (np.abs(values), "magnitude") if np.iscomplexobj(values) else (values, spectra.name)
    index = drawn_order(axis)
    panel.plot(axis[index], values[index], ".-" if is_sweep(axis) else "-", color="tab:red", linewidth=1)
    panel.set(**spectrum_labels(spectra.axis_name, spectra.axis_units, name, spectra.units))
    panel.set_title(f"spectrum of the best pixel {record.best_pixel}")


def _progress(panel: "Axes", record: RunRecord, truth: Floats | None, unit: str) -> None:
    columns = record.iterations
    attempted = columns["n_measured"] + columns["n_failed"]
    found = "posterior mean of the best, from noisy values"
    panel.step(attempted, columns["best_value"], where="post", color="tab:blue", label=found)
    if truth is not None:
        largest = np.nanmax(truth) if record.start["gp"]["maximize"] else np.nanmin(truth)
        panel.axhline(largest, color="0.4", linestyle="--", linewidth=1, label="best of the true map, without noise")
    panel.set(xlabel="pixels", ylabel=unit, title="best value by iteration")
    legend_above(panel)


def _overview(record: RunRecord) -> Mapping[str, Floats] | None:
    """Return the overview images of a run, None if it had none."""
    from bluesky_gp.overview import Planes  # it needs scikit-learn: a second to import

    recorded = record.start["gp"].get("overview")
    return Planes.from_mapping(recorded).images if recorded else None


def _contribution(panel: "Axes", record: RunRecord) -> None:
    columns = record.iterations
    pixels = columns["n_measured"]
    if "overview_share" in columns:
        for name, label, color in (
            ("overview_error", "with the image", "tab:blue"),
            ("overview_error_without", "without", "tab:orange"),
        ):
            panel.plot(pixels, columns[name], ".-", label=label, color=color, linewidth=1)
        panel.set(ylabel=with_units("leave-one-out error", record.units), ylim=(0.0, None))
        share = columns["overview_share"][-1]
        used = f"the image explains {share:.0%} of the variance" if share > 0.0 else "the image is not used"
        panel.set(title=used)
        legend_above(panel, ncols=2)
    panel.set(xlabel="pixels")


def grid_on_image(
    image: npt.ArrayLike,
    grid: PixelGrid,
    image_grid: PixelGrid | None = None,
    *,
    axes: "Axes | None" = None,
    label: str = "",
) -> "Axes":
    """Draw an overview image, the pixels of a map on it, and what its mask leaves out.

    Parameters
    ----------
    image : array_like, shape (n_image_rows, n_image_cols)
    grid : PixelGrid
        Of the map; may be rotated and masked.
    image_grid : PixelGrid, optional
        Where the pixels of the image lie, in the units of `grid`. Default: the image covers what the pixels cover.
    axes : matplotlib.axes.Axes, optional
        To draw into. Default: those of a new figure (``.figure`` of what is returned).
    label : str, optional
        What the image shows, for its colour bar.

    Returns
    -------
    matplotlib.axes.Axes
        In stage positions, the first axis downwards as in images, the second to the right.
    """
    values = image_values(image)
    lattice = image_lattice(values.shape, grid, image_grid)
    panel = _new_axes() if axes is None else axes
    edges = np.stack(np.meshgrid(*(np.arange(n + 1) - 0.5 for n in lattice.shape), indexing="ij"), axis=-1)
    y, x = np.moveaxis(lattice.position(edges.reshape(-1, 2)).reshape(edges.shape), -1, 0)
    mesh = panel.pcolormesh(x, y, values, cmap="gray", rasterized=True)
    panel.figure.colorbar(mesh, ax=panel, label=label, shrink=0.85)
    _cells(panel, grid, ~grid.allowed, facecolor=(1.0, 0.2, 0.2, 0.45), edgecolor="none", label="never measured")
    _cells(panel, grid, grid.allowed, facecolor="none", edgecolor=(0.2, 0.8, 1.0, 0.8), label="pixels")
    names = [f"{name} ({grid.units})" for name in ("first stage axis", "second stage axis")]
    panel.set(aspect="equal", ylabel=names[0], xlabel=names[1])
    panel.set(title=f"{int(grid.allowed.sum())} of {grid.size} pixels, {' x '.join(map(str, grid.shape))}")
    if not panel.yaxis_inverted():
        panel.invert_yaxis()
    return panel


def _new_axes() -> "Axes":
    from matplotlib.figure import Figure

    return Figure(figsize=(7, 6), layout="constrained").subplots()


def _cells(panel: "Axes", grid: PixelGrid, chosen: npt.NDArray[np.bool_], **style: Any) -> None:
    """Outline the cells of some pixels of a grid."""
    from matplotlib.collections import PolyCollection

    square = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)])
    corners = grid.coordinates[chosen][:, np.newaxis] + square
    polygons = grid.position(corners.reshape(-1, 2)).reshape(-1, 4, 2)[..., ::-1]
    panel.add_collection(PolyCollection(list(polygons), linewidths=0.5, **style))
    panel.autoscale_view()
