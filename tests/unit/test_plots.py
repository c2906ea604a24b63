from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.plots import grid_on_image, run_figure
from bluesky_gp.run import RunRecord


def recorded(RE, docs, sample, **options):  # noqa: N803
    grid = PixelGrid(sample.shape)
    stage = PixelStage(grid=grid, name="stage")
    spectrometer = SimulatedSpectrometer(sample, stage, name="spectrometer")
    target = sample.default_target
    agent = GPAgent(PixelOptimizer(grid, target), target=f"spectrometer_{target}", **options)
    RE(adaptive_map([spectrometer], stage, agent, num=20))
    return RunRecord.from_documents(docs.all)


def panels(figure):
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def test_a_figure_shows_truth_points_mean_spread_spectrum_and_progress(RE, docs, tmp_path):
    sample = SyntheticFerroelectric(shape=(8, 9), failed=0.2)
    record = recorded(RE, docs, sample)
    figure = run_figure(record, truth=sample.truth("loop_area"))
    shown = panels(figure)
    order = f"20 of 72 pixels, {len(record.failed)} failed (x)"
    assert list(shown)[:4] == ["true map", order, "posterior mean", "posterior standard deviation"]
    assert np.array_equal(shown["posterior mean"].images[0].get_array(), record.maps["mean"])
    assert len(shown[order].collections[0].get_offsets()) == len(record.measured[0])
    loop = shown[f"spectrum of the best pixel {record.best_pixel}"].lines[0]
    assert len(loop.get_xdata()) == 65, "the loop is closed"
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 20_000


def test_no_legend_hides_a_part_of_its_panel(RE, docs):
    sample = SyntheticFerroelectric(shape=(8, 9), failed=0.2)
    figure = run_figure(recorded(RE, docs, sample), truth=sample.truth("loop_area"))
    FigureCanvasAgg(figure).draw()
    legends = [panel.get_legend() for panel in figure.axes if panel.get_legend()]
    assert [[text.get_text() for text in legend.texts] for legend in legends] == [
        ["posterior mean of the best, from noisy values", "best of the true map, without noise"]
    ]
    for legend in legends:
        box = legend.get_window_extent()
        assert not box.overlaps(legend.axes.get_window_extent()) and not box.overlaps(
            legend.axes.title.get_window_extent()
        )


def test_axes_of_a_spectrum_say_what_is_measured_in_their_units(RE, docs):
    record = recorded(RE, docs, SyntheticEELS(shape=(6, 7)))
    drawn = panels(run_figure(record))[f"spectrum of the best pixel {record.best_pixel}"]
    assert (drawn.get_xlabel(), drawn.get_ylabel()) == ("energy (eV)", "spectrometer_spectrum (counts)")


def test_without_truth_the_measured_values_are_shown(RE, docs):
    record = recorded(RE, docs, SyntheticEELS(shape=(6, 7)))
    shown = panels(run_figure(record))["measured"].images[0].get_array()
    assert np.isfinite(shown.filled(np.nan)).sum() == 20


def test_a_run_without_maps_has_no_figure(RE, docs):
    record = recorded(RE, docs, SyntheticFerroelectric(shape=(6, 7)), maps=0)
    with pytest.raises(ValueError, match="needs two axes and the maps"):
        run_figure(record)


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_a_grid_and_its_mask_are_drawn_where_they_lie_on_the_image(tmp_path, rotation):
    mask = np.zeros((4, 6), dtype=bool)
    mask[0, :2] = True
    grid = PixelGrid((4, 6), step=(2.0, 3.0), origin=(-5.0, 7.0), units="nm", mask=mask, rotation=rotation)
    lattice = PixelGrid((20, 30), origin=(-10.0, 0.0), units="nm")
    image = np.random.default_rng(0).normal(size=lattice.shape)
    panel = grid_on_image(image, grid, lattice, label="HAADF")
    shown, never, pixels = panel.collections
    assert np.array_equal(np.ravel(shown.get_array()), image.ravel())
    assert (len(never.get_paths()), len(pixels.get_paths())) == (2, 22)
    middle = never.get_paths()[1].vertices[:4].mean(axis=0)
    assert middle[::-1] == pytest.approx(grid.position((0, 1)))
    assert panel.yaxis_inverted() and panel.get_xlabel() == "second stage axis (nm)"
    panel.figure.savefig(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").stat().st_size > 10_000


def test_without_a_lattice_of_its_own_the_image_covers_what_the_pixels_cover():
    panel = grid_on_image(np.zeros((8, 8)), PixelGrid((4, 4), step=(2.0, 2.0)))
    assert panel.get_xlim() == pytest.approx((-1.0, 7.0)) and panel.get_ylim() == pytest.approx((7.0, -1.0))


def test_of_a_complex_spectrum_the_magnitude_is_drawn(RE, docs):
    record = recorded(RE, docs, SyntheticFerroelectric(shape=(8, 9)))
    spectra = replace(record.spectra, values=record.spectra.values * (3.0 + 4.0j))
    figure = run_figure(replace(record, spectra=spectra))
    drawn = panels(figure)[f"spectrum of the best pixel {record.best_pixel}"]
    assert drawn.get_ylabel() == "magnitude (pm)" and drawn.get_xlabel() == "bias (V)"
    assert drawn.lines[0].get_ydata().max() == pytest.approx(np.abs(spectra.values[_row(record)]).max())


def _row(record):
    return np.flatnonzero((record.spectra.pixels == record.best_pixel).all(axis=1))[-1]
