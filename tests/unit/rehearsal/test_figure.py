import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bluesky_gp import ConfidenceBound, ExpectedImprovement, PixelGrid
from bluesky_gp.rehearsal import rehearse
from bluesky_gp.rehearsal.configuration import Configuration, configurations
from bluesky_gp.rehearsal.figure import rehearsal_figure


def drawn(shape, choices, **options):
    places = np.indices(shape)
    hill = np.exp(-sum((axis - 4.0) ** 2 for axis in places) / 15.0)
    rehearsal = rehearse(PixelGrid(shape), hill, choices, num=20, seeds=[0], n_jobs=1, **options)
    return rehearsal, rehearsal_figure(rehearsal)


def test_a_figure_shows_map_error_regret_and_when_each_seed_was_there(tmp_path):
    rehearsal, figure = drawn((9, 9), configurations({"ei": ExpectedImprovement(), "ucb": ConfidenceBound()}))
    the_map, error, seeds, regret = (panel for panel in figure.axes if panel.get_title())
    assert np.array_equal(the_map.images[0].get_array(), rehearsal.full.values)
    assert [line.get_label() for line in error.lines][:2] == ["ei", "ucb"]
    assert np.array_equal(error.lines[0].get_ydata(), rehearsal.standings["ei"].curve)
    assert [label.get_text() for label in seeds.get_yticklabels()] == [
        "ei",
        "ucb",
        "random pixels",
        "coarse grid",
    ]
    assert np.array_equal(regret.lines[0].get_ydata(), rehearsal.standings["ei"].regret)
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 30_000


def test_rows_of_seeds_and_what_never_came_lie_inside_their_frame():
    rehearsal, figure = drawn((9, 9), configurations({"ei": ExpectedImprovement(), "ucb": ConfidenceBound()}))
    FigureCanvasAgg(figure).draw()
    _, error, seeds, _ = (panel for panel in figure.axes if panel.get_title())
    frame = seeds.patch.get_window_extent()
    heights = [label.get_window_extent() for label in seeds.get_yticklabels()]
    assert all(frame.y0 < box.y0 and box.y1 < frame.y1 for box in heights)
    assert any("never" in text.get_text() for text in seeds.texts)
    for text in seeds.texts:
        box = text.get_window_extent()
        assert frame.x0 < box.x0 and frame.y0 < box.y0 and box.x1 < frame.x1 and box.y1 < frame.y1
    assert not error.get_legend().get_window_extent().overlaps(error.patch.get_window_extent())
    assert "recommended" in [text.get_text() for text in error.get_legend().texts]


@pytest.mark.parametrize("shape", [(40,), (5, 5, 4)])
def test_a_line_and_a_volume_have_curves_and_no_map(shape, tmp_path):
    _, figure = drawn(shape, [Configuration("the default")], baselines=False)
    assert not any(panel.images for panel in figure.axes)
    figure.savefig(tmp_path / "figure.png")
