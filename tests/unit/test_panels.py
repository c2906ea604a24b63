"""Habits that figures share."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bluesky_gp import PixelGrid
from bluesky_gp.panels import (
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

SWEEP = np.array([0.0, 1.0, 0.0, -1.0])


def test_pixels_are_square_unless_the_map_is_a_strip():
    assert [aspect(shape) for shape in ((50, 50), (30, 8), (49, 6), (6, 49))] == ["equal", "equal", "auto", "auto"]


def test_a_few_outliers_do_not_take_all_the_colours():
    values = np.append(np.linspace(0.0, 1.0, 2000), [1e9, np.nan])
    assert color_limits(values) == pytest.approx((0.0, 1.0), abs=0.01)


def test_the_line_of_a_sweep_there_and_back_is_closed_and_that_of_a_spectrum_is_not():
    assert is_sweep(SWEEP) and drawn_order(SWEEP).tolist() == [0, 1, 2, 3, 0]
    assert not is_sweep(np.arange(3.0)) and drawn_order(np.arange(3.0)).tolist() == [0, 1, 2]
    assert not is_sweep(np.arange(3.0)[::-1])


def test_a_number_without_units_has_no_empty_brackets():
    assert (with_units("area", "V pm"), with_units("area", "")) == ("area (V pm)", "area")


def test_an_axis_that_is_only_numbered_is_named_by_its_unit():
    named = spectrum_labels("channel", "eV", "spectrum", "counts")
    assert named == {"xlabel": "energy (eV)", "ylabel": "spectrum (counts)"}
    assert spectrum_labels("channel", "", "spectrum", "") == {"xlabel": "channel", "ylabel": "spectrum"}


def _map(grid):
    panel = Figure(layout="constrained").subplots()
    panel.imshow(np.zeros(grid.shape))
    add_positions(panel, grid)
    FigureCanvasAgg(panel.figure).draw()
    return panel


def _on_screen(panel, row, col):
    return panel.transData.transform((col, row))


def test_opposite_the_pixels_of_a_map_stands_where_they_lie():
    grid = PixelGrid((4, 6), step=(2.0, -3.0), origin=(-5.0, 7.0), units="nm")
    panel = _map(grid)
    right, top = panel.child_axes
    y, x = grid.position((1, 2))
    assert top.get_xlabel() == "nm"
    assert right.transData.transform((0.0, y))[1] == pytest.approx(_on_screen(panel, 1, 2)[1])
    assert top.transData.transform((x, 0.0))[0] == pytest.approx(_on_screen(panel, 1, 2)[0])


def test_opposite_the_pixels_of_a_rotated_map_stands_how_far_the_first_is():
    panel = _map(PixelGrid((4, 6), step=(2.0, 3.0), origin=(-5.0, 7.0), units="nm", rotation=30.0))
    right, top = panel.child_axes
    assert right.get_ylim() == pytest.approx((7.0, -1.0)) and top.get_xlim() == pytest.approx((-1.5, 16.5))


def test_a_grid_without_a_unit_has_pixels_only():
    grid = PixelGrid((4, 6))
    assert not _map(grid).child_axes and axis_labels(grid) == ["row", "col"]


@pytest.mark.parametrize(("n", "ncols"), [(1, 1), (3, 1), (4, 2)])
def test_a_legend_stands_between_title_and_frame(n, ncols):
    panel = Figure(layout="constrained").subplots()
    for i in range(n):
        panel.plot([0, 1], [i, i], label=f"line {i}")
    panel.set_title("lines")
    legend_above(panel, ncols)
    FigureCanvasAgg(panel.figure).draw()
    frame, title, legend = (artist.get_window_extent() for artist in (panel.patch, panel.title, panel.get_legend()))
    assert frame.y1 <= legend.y0 < legend.y1 <= title.y0 < title.y1 <= panel.figure.bbox.y1
