import numpy as np
import pytest

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.plots import run_figure
from bluesky_gp.record import RunRecord


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
    assert list(shown)[:4] == ["true map", "20 of 72 pixels", "posterior mean", "posterior standard deviation"]
    assert np.array_equal(shown["posterior mean"].images[0].get_array(), record.maps["mean"])
    assert len(shown["20 of 72 pixels"].collections[0].get_offsets()) == len(record.measured[0])
    loop = shown[f"spectrum of the best pixel {record.best_pixel}"].lines[0]
    assert len(loop.get_xdata()) == 65, "the loop is closed"
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 20_000


def test_without_truth_the_measured_values_are_shown(RE, docs):
    record = recorded(RE, docs, SyntheticEELS(shape=(6, 7)))
    shown = panels(run_figure(record))["measured"].images[0].get_array()
    assert np.isfinite(shown.filled(np.nan)).sum() == 20


def test_a_run_without_maps_has_no_figure(RE, docs):
    record = recorded(RE, docs, SyntheticFerroelectric(shape=(6, 7)), maps=0)
    with pytest.raises(ValueError, match="needs two axes and the maps"):
        run_figure(record)
