from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bluesky_gp import PixelGrid
from bluesky_gp.live import RunProgress, RunSoFar, draw
from bluesky_gp.live.picture import SIZE
from bluesky_gp.live.so_far import LastSpectrum


def run_of(shape, *, n=20, constant=False, maps=True, mask=None, failed=2, step=(), units="px"):
    """A run of random values after `n` pixels."""
    rng = np.random.default_rng(0)
    grid = PixelGrid(shape, step=step, mask=mask, units=units)
    pixels = grid.unravel(rng.permutation(np.flatnonzero(grid.allowed))[: n + 3])
    values = np.zeros(shape) if constant else rng.normal(size=shape)
    named = dict.fromkeys(("mean", "std", "acquisition"), values) if maps else {}
    best = tuple(int(p) for p in pixels[0]) if n else ()
    progress = RunProgress(50, "t", n, failed, iteration=3, best_value=1.5, best_pixel=best, seconds_left=8.0)
    measured = np.where(np.arange(n) < failed, np.nan, 1.0)
    spectrum = LastSpectrum(
        (0,) * grid.ndim, np.ones(30), np.arange(30.0), "counts", "eV", windows={"edge": (4.0, 9.0)}
    )
    return RunSoFar(
        grid, "area", "V pm", progress, pixels[:n], measured, pixels[: min(failed, n)], pixels[n:], named,
        dict.fromkeys(named, 1), spectrum if n else None, *np.array([[10.0, 20.0], [1.0, 1.5]])[:, : n // 10],
    )  # fmt: skip


def drawn(run):
    figure = Figure(figsize=SIZE, layout="constrained")
    draw(run, figure)
    FigureCanvasAgg(figure).draw()
    return figure, [panel for panel in figure.axes if panel.get_label() != "<colorbar>"]


def test_two_axes_have_pixels_in_order_three_maps_a_spectrum_and_the_best():
    run = run_of((12, 14))
    figure, panels = drawn(run)
    assert [panel.get_title() for panel in panels] == [
        "20 of 168 pixels, 2 failed (x), 3 next (□)", "posterior mean, 2 decisions ago",
        "standard deviation, 2 decisions ago", "acquisition, 2 decisions ago", "last spectrum, (0, 0)",
        "best, by the posterior mean",
    ]  # fmt: skip
    order, failed, proposed = panels[0].collections
    assert order.get_offsets()[:, ::-1].tolist() == run.pixels.tolist()
    assert order.get_array().tolist() == [*range(1, 21)]
    assert failed.get_offsets()[:, ::-1].tolist() == run.failed.tolist()
    assert proposed.get_offsets()[:, ::-1].tolist() == run.proposed.tolist()
    assert np.array_equal(panels[1].images[-1].get_array(), run.maps["mean"])
    assert panels[1].lines[0].get_xydata()[0, ::-1].tolist() == list(run.progress.best_pixel)
    assert "8 s left" in figure.get_suptitle()


def test_the_bar_of_the_acquisition_says_what_its_numbers_are():
    run = replace(run_of((12, 14)), scores="logarithm of expected improvement")
    figure, panels = drawn(run)
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert labels == ["order of measurement", "area (V pm)", "area (V pm)", "logarithm of expected improvement"]
    _, panels = drawn(replace(run_of((40,)), scores="confidence bound"))
    assert panels[3].get_ylabel() == "confidence bound"


def test_axes_of_maps_say_how_large_a_pixel_is():
    _, panels = drawn(run_of((12, 14), step=(20.0, 30.0), units="nm"))
    assert {(p.get_ylabel(), p.get_xlabel()) for p in panels[:4]} == {("row (20 nm each)", "col (30 nm each)")}
    assert (panels[4].get_xlabel(), panels[4].get_ylabel()) == ("energy (eV)", "spectrum (counts)")


@pytest.mark.parametrize("shape", [(60,), (12, 14)])
def test_no_legend_lies_over_pixels_or_a_spectrum(shape):
    _, panels = drawn(run_of(shape))
    for panel in panels:
        legend = panel.get_legend()
        assert legend is None or not legend.get_window_extent().overlaps(panel.patch.get_window_extent())


def test_pixels_that_may_not_be_measured_are_grey_in_every_map():
    mask = np.zeros((8, 8), dtype=bool)
    mask[:, :3] = True
    _, panels = drawn(run_of((8, 8), mask=mask))
    assert "40 pixels" in panels[0].get_title()
    for panel in panels[1:4]:
        grey, values = panel.images
        assert np.array_equal(grey.get_array().filled(0.0) == 1.0, mask)
        assert np.array_equal(np.ma.getmaskarray(values.get_array()), mask)


def test_pixels_that_are_not_square_are_drawn_as_they_lie_on_the_sample():
    _, panels = drawn(run_of((20, 20), step=(2.0, 1.0)))
    assert panels[0].get_aspect() == panels[1].get_aspect() == 2.0


def test_one_axis_has_profiles_with_a_band():
    run = run_of((60,))
    _, panels = drawn(run)
    band, profile = panels[1].collections[0], panels[1].lines[0]
    assert np.array_equal(profile.get_ydata(), run.maps["mean"]) and band.get_label() == "2 std"
    assert panels[0].lines[1].get_xdata().tolist() == run.failed[:, 0].tolist()


def test_three_axes_have_their_layers_side_by_side():
    run = run_of((5, 6, 4))
    _, panels = drawn(run)
    assert panels[1].images[-1].get_array().shape == (11, 13)
    assert [text.get_text() for text in panels[1].texts] == ["layer 0", "1", "2", "3"]
    assert len(panels[0].collections[0].get_offsets()) == 20


@pytest.mark.parametrize("shape", [(30,), (10, 12), (4, 60), (4, 5, 3)])
@pytest.mark.parametrize(
    "options", [{"n": 0, "maps": False, "failed": 0}, {"n": 1}, {"constant": True}, {"failed": 20}, {"maps": False}]
)
def test_empty_short_constant_and_failed_runs_are_drawn(shape, options):
    figure, _ = drawn(run_of(shape, **options))
    assert np.ptp(np.asarray(figure.canvas.buffer_rgba())[..., :3]) == 255


def test_a_window_beside_a_peak_a_hundred_times_as_high_is_what_is_shown():
    axis = np.linspace(0.0, 1000.0, 1001)
    values = 1000.0 * np.exp(-(axis**2)) + np.exp(-((axis - 460.0) ** 2) / 50.0)
    spectrum = LastSpectrum((0, 0), values, axis, windows={"edge": (450.0, 470.0), "background": (400.0, 445.0)})
    run = run_of((8, 8))
    object.__setattr__(run, "spectrum", spectrum)
    _, panels = drawn(run)
    low, high = panels[4].get_xlim()
    assert 300.0 < low < 400.0 and 470.0 < high < 560.0 and panels[4].get_ylim()[1] < 2.0
