"""Batches flown over Channel Access: the sequence table of a real IOC, killed and aborted."""

import threading
import time

import numpy as np
import pytest
from bluesky import FailedStatus
from bluesky.utils import RunEngineInterrupted
from soft_ioc import SoftIOC

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import SyntheticFerroelectric
from bluesky_gp.devices.epics import EpicsFlyer, EpicsStage
from bluesky_gp.plans import TooManyFailures, adaptive_map
from bluesky_gp.protocols import Batch, BatchFlyer
from bluesky_gp.replay import replay
from bluesky_gp.testing import ListOptimizer

pytestmark = pytest.mark.slow

GRID = PixelGrid((8, 6), step=(0.02, 0.02), units="um")


@pytest.fixture(scope="module")
def one_ioc():
    with SoftIOC("--shape", *GRID.shape) as running:
        yield running


@pytest.fixture
def make(one_ioc):
    """Make stage and flyer over a grid, which may be larger than the sample."""
    if one_ioc.process.poll() is not None:
        one_ioc.start()
    made = []

    def make(grid=GRID, exposure=0.001, **options):
        stage = EpicsStage("stem:", grid=grid, name="stage")
        made.append(stage)
        options = {"scalarizers": ["loop_area"], "sequence": "stem:seq:", **options}
        flyer = EpicsFlyer("stem:det:", stage=stage, name="det", exposure=exposure, **options)
        made.append(flyer)
        for device in made:
            device.wait_for_connection(timeout=30)
        return stage, flyer

    yield make
    for device in made:
        device.destroy()


def until(condition):
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_a_batch_is_the_rows_of_one_table_and_each_event_has_the_spectrum_of_its_pixel(make, RE, docs):
    stage, flyer = make()
    assert isinstance(flyer, EpicsFlyer) and isinstance(flyer, BatchFlyer)
    agent = GPAgent(PixelOptimizer(GRID, "loop_area", batch_size=8, n_initial=8), target="det_loop_area")
    RE(adaptive_map([flyer], stage, agent, num=20, overlap=True))
    sample = SyntheticFerroelectric(shape=GRID.shape, seed=0)
    assert docs.counts["primary"] == 20 and docs.stops[0]["exit_status"] == "success"
    for data in docs.data():
        pixel = (round(data["stage_row"]), round(data["stage_col"]))
        assert np.array_equal(data["det_spectrum"], sample.spectrum(pixel, 0))
    assert replay(docs.all).identical
    assert flyer._sequence.values["running"] == flyer._number


def test_rows_outside_of_the_sample_are_failed_pixels_and_the_others_are_measured(make, RE, docs):
    grid = PixelGrid((9, 6), step=GRID.step, units="um")
    stage, flyer = make(grid)
    pixels = [(7, 0), (8, 1), (6, 2)]
    agent = GPAgent(ListOptimizer(grid, "loop_area", pixels, 3), target="det_loop_area")
    RE(adaptive_map([flyer], stage, agent, num=3))
    assert [(round(d["stage_row"]), round(d["stage_col"])) for d in docs.data()] == [(7, 0), (6, 2)]
    (failure,) = docs.data("gp_failures")
    assert failure["gp_failures_pixel"] == [8, 1] and "row 0 of the sequence failed" in failure["gp_failures_reason"]


def test_an_aborted_run_stops_the_sequence_and_keeps_what_it_has(make, RE, docs):
    stage, flyer = make(exposure=0.25)
    agent = GPAgent(ListOptimizer(GRID, "loop_area", None, 40), target="det_loop_area")

    def pausing():
        until(lambda: len(flyer._rows) > 1)
        RE.request_pause()

    threading.Thread(target=pausing, daemon=True).start()
    with pytest.raises(RunEngineInterrupted):
        RE(adaptive_map([flyer], stage, agent, num=40))
    RE.abort()
    until(lambda: not flyer._sequence.values["busy"])
    assert 1 < docs.counts["primary"] < 40 and flyer._sequence.values["rows"] < 40
    flyer.exposure.put(0.001)
    RE(adaptive_map([flyer], stage, agent, num=10))
    assert docs.stops[1]["exit_status"] == "success"


def test_an_ioc_that_dies_for_good_ends_the_run_with_the_reason(make, one_ioc, RE, docs):
    stage, flyer = make(exposure=0.25, stall=2.0)
    agent = GPAgent(ListOptimizer(GRID, "loop_area", None, 20), target="det_loop_area")

    def killing():
        until(lambda: len(flyer._rows) > 0)
        one_ioc.kill()

    threading.Thread(target=killing, daemon=True).start()
    with pytest.raises(TooManyFailures, match="no connection to stem:seq:|no row"):
        RE(adaptive_map([flyer], stage, agent, num=20))
    assert docs.stops[0]["exit_status"] == "fail" and docs.counts["primary"] > 0


def test_what_a_sequence_cannot_do_is_refused_before_anything_moves(make):
    _, flyer = make()
    flyer._sequence.values["capacity"] = 4
    with pytest.raises(ValueError, match="the sequence table has 4 rows, got 5 points"):
        flyer.prepare(Batch(GRID, tuple((0, col) for col in range(5))))
    with pytest.raises(TypeError, match="det: a sequence has spectra alone"):
        make(targets={"area": "Target_RBV"})
    with pytest.raises((RuntimeError, FailedStatus), match="before it was prepared"):
        flyer.kickoff()
