"""A run as a notebook shows it: a figure and a table."""

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

from bluesky_gp.grid import PixelGrid
from bluesky_gp.html import html_table
from bluesky_gp.panels import BEST, aspect, axis_labels, color_limits, with_units
from bluesky_gp.typing import Floats, Indices
from bluesky_gp.units import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Shown(Protocol):
    """What is shown of a run; a `RunRecord` has it."""

    @property
    def start(self) -> Mapping[str, Any]: ...  # noqa: D102 - as in RunRecord, all of these
    @property
    def stop(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def grid(self) -> PixelGrid: ...  # noqa: D102
    @property
    def target(self) -> str: ...  # noqa: D102
    @property
    def units(self) -> str: ...  # noqa: D102
    @property
    def iterations(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def maps(self) -> Mapping[str, Floats]: ...  # noqa: D102
    @property
    def measured(self) -> tuple[Indices, Floats]: ...  # noqa: D102
    @property
    def failed(self) -> Indices: ...  # noqa: D102
    @property
    def best_pixel(self) -> tuple[int, ...] | None: ...  # noqa: D102


def in_a_line(record: Shown) -> str:
    """Return what a run is and found, in a line."""
    return f"<RunRecord {', '.join(f'{value}' for value in _told(record).values() if value is not None)}>"


def as_html(record: Shown) -> str:
    """Return a run as HTML: measured pixels and the mean where there are two axes, and what it found."""
    picture = _picture(record) if record.maps and record.grid.ndim == 2 else ""
    return picture + html_table("RunRecord", _told(record))


def _told(record: Shown) -> dict[str, Any]:
    measured, failed, best = record.measured[1], record.failed, record.best_pixel
    value = float(record.iterations["best_value"][-1]) if best is not None else 0.0
    return {
        "run": record.start["uid"][:8],
        "target": with_units(record.target, record.units),
        "pixels": f"{len(measured)} of {record.grid.size} pixels measured, {len(failed)} failed",
        "best": None if best is None else f"best {rounded(value)} at {best}",
        "ended": record.stop.get("exit_status", "going on"),
    }


def _picture(record: Shown) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    order, mean = figure.subplots(1, 2)
    _order(order, record)
    low, high = color_limits(record.maps["mean"])
    ratio = aspect(record.grid.shape, record.grid.step)
    image = mean.imshow(record.maps["mean"], vmin=low, vmax=high, interpolation="nearest", aspect=ratio)
    figure.colorbar(image, ax=mean, label=with_units(record.target, record.units), shrink=0.85)
    ylabel, xlabel = axis_labels(record.grid)
    mean.set(title="posterior mean", ylabel=ylabel, xlabel=xlabel)
    if record.best_pixel is not None:
        mean.plot(record.best_pixel[1], record.best_pixel[0], **BEST)
    canvas: Any = FigureCanvasAgg(figure)
    file = BytesIO()
    canvas.print_png(file)
    return f'<img src="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'


def _order(panel: "Axes", record: Shown) -> None:
    pixels, failed, (n_rows, n_cols) = record.measured[0], record.failed, record.grid.shape
    points = panel.scatter(pixels[:, 1], pixels[:, 0], c=range(1, len(pixels) + 1), s=10, cmap="plasma")
    panel.figure.colorbar(points, ax=panel, label="order of measurement", shrink=0.85)
    panel.plot(failed[:, 1], failed[:, 0], "kx", markersize=5)
    panel.set(xlim=(-0.5, n_cols - 0.5), ylim=(n_rows - 0.5, -0.5), aspect=aspect(record.grid.shape, record.grid.step))
    ylabel, xlabel = axis_labels(record.grid)
    panel.set(title="measured pixels", ylabel=ylabel, xlabel=xlabel)
