import numpy as np
import pytest
from bluesky import plans as bp
from ophyd.sim import det, motor, motor1, motor2

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.run.record import RunRecord

GRID = PixelGrid((8, 9), step=(0.1, 0.2), units="um")
SAMPLE = SyntheticFerroelectric(shape=GRID.shape, seed=1, failed=0.3)


@pytest.fixture
def record(RE, docs):
    """A run of 25 pixels, read back from its documents."""
    stage = PixelStage(grid=GRID, name="stage")
    spectrometer = SimulatedSpectrometer(SAMPLE, stage, name="spectrometer")
    agent = GPAgent(PixelOptimizer(GRID, "loop_area"), target="spectrometer_loop_area")
    RE(adaptive_map([spectrometer], stage, agent, num=25))
    return RunRecord.from_documents(docs.all)


def test_every_pixel_attempted_is_either_measured_or_failed(record):
    pixels, values = record.measured
    assert len(pixels) + len(record.failed) == len(record.outcomes) == 25
    assert len(record.failed) > 0
    truth = SAMPLE.truth("loop_area")
    assert np.isnan(truth[tuple(record.failed.T)]).all()
    assert values == pytest.approx(truth[tuple(pixels.T)], abs=0.1 * np.nanmax(truth))


def test_spectra_come_back_with_axis_and_units_in_the_order_of_measurement(record):
    pixels = record.spectra.pixels
    assert GRID.ravel(pixels).tolist() == [outcome.pixel for outcome in record.outcomes]
    assert record.spectra.values.shape == (25, 64)
    assert record.spectra.values[3] == pytest.approx(SAMPLE.spectrum(pixels[3]))
    assert np.array_equal(record.spectra.axis, SAMPLE.axis)
    assert (record.spectra.units, record.spectra.axis_units, record.units) == ("pm", "V", "V pm")


def test_spectra_are_left_out_where_nobody_needs_them(record, docs):
    slim = RunRecord.from_documents(docs.all, spectra=False)
    assert slim.spectra is None
    assert slim.outcomes == record.outcomes


def test_iterations_are_columns_and_the_maps_are_the_last_ones(record):
    assert record.iterations["iteration"].tolist() == [0, 1, 2, 3]
    assert record.iterations["proposed"].shape == (4, 10, 2)
    assert record.iterations["stop_reason"][-1] == "num"
    assert record.maps["mean"].shape == GRID.shape
    assert record.best_pixel == tuple(record.iterations["best_pixel"][-1])
    assert record.maps["mean"][record.best_pixel] == pytest.approx(record.iterations["best_value"][-1])


def test_positions_of_two_motors_become_pixels(RE, docs):
    grid = PixelGrid((5, 5))
    agent = GPAgent(PixelOptimizer(grid, "det"), target="det")
    RE(adaptive_map([det], (motor1, motor2), agent, num=12))
    pixels, _ = RunRecord.from_documents(docs.all).measured
    assert len({tuple(p) for p in pixels.tolist()}) == 12


def test_a_run_without_an_agent_is_refused(RE, docs):
    RE(bp.scan([det], motor, -1, 1, 3))
    with pytest.raises(ValueError, match="was not steered by a GPAgent"):
        RunRecord.from_documents(docs.all)


def test_no_documents_are_refused():
    with pytest.raises(ValueError, match="no start document"):
        RunRecord.from_documents([])


def test_what_a_run_learnt_of_the_kernel_is_a_prior_for_the_next(record):
    believing = PixelOptimizer(GRID, "loop_area", prior=record.prior(std=0.2))
    np.testing.assert_allclose(believing.state.theta, record.iterations["kernel_theta"][-1])
