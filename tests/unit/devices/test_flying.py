"""A detector that visits the points of a batch by itself, without a RunEngine."""

import threading

import numpy as np
import pytest
from bluesky.protocols import EventPageCollectable, Flyable, Preparable
from flown import ScriptedFlyer

from bluesky_gp import PixelGrid
from bluesky_gp.devices import PixelStage, SimulatedFlyer, SimulatedSpectrometer
from bluesky_gp.protocols import Batch, BatchFlyer
from bluesky_gp.testing import DetectorContract, FlyerContract

GRID = PixelGrid((8, 8), step=(0.5, 0.5), units="um")
POINTS = ((0, 3), (2, 4), (7, 7))


@pytest.fixture
def stage():
    return PixelStage(grid=GRID, name="stage")


@pytest.fixture
def flyer(stage):
    return ScriptedFlyer(stage)


def fly(flyer, points=POINTS):
    flyer.prepare(Batch(GRID, points))
    flyer.kickoff()
    return flyer.complete().exception(20.0)


def collected(flyer, key):
    return [value for page in flyer.collect_pages() for value in page["data"][key]]


def test_it_speaks_the_protocols_of_a_flyer_and_a_plain_detector_does_not(flyer, stage):
    for protocol in (Preparable, Flyable, EventPageCollectable, BatchFlyer):
        assert isinstance(flyer, protocol)
    assert not isinstance(SimulatedSpectrometer("ferroelectric", stage, name="det"), BatchFlyer)


def test_positions_of_a_batch_are_those_of_the_grid():
    assert Batch(GRID, POINTS).positions.tolist() == [[0.0, 1.5], [1.0, 2.0], [3.5, 3.5]]


def test_the_point_that_fails_is_named_with_its_reason_and_the_others_are_collected(stage):
    flyer = ScriptedFlyer(stage, {(2, 4): ["fail"]})
    assert fly(flyer) is None
    assert flyer.faults == {(2, 4): "det: OSError: the shutter is stuck"}
    assert collected(flyer, "stage_row") == [0.0, 7.0]


def test_a_broken_flight_fails_and_what_it_has_is_collected_once(stage):
    flyer = ScriptedFlyer(stage, {(2, 4): ["break"]})
    assert "lost its trigger" in str(fly(flyer))
    assert collected(flyer, "stage_row") == [0.0] and collected(flyer, "stage_row") == []


def test_a_point_beyond_the_grid_is_refused_before_the_flight(flyer):
    with pytest.raises(ValueError, match=r"stage: pixel \(9, 9\) lies outside the grid"):
        flyer.prepare(Batch(GRID, ((9, 9),)))
    with pytest.raises(RuntimeError, match="det: kicked off before it was prepared"):
        flyer.kickoff()


def test_what_is_no_batch_is_refused_by_name(flyer):
    with pytest.raises(TypeError, match=r"det: prepare takes a Batch of points, got list \[\(0, 3\)\]"):
        flyer.prepare([(0, 3)])


def test_it_cannot_be_prepared_in_the_middle_of_a_flight_and_stops_when_told(stage):
    flyer = ScriptedFlyer(stage, {(2, 4): ["hold"]})
    flyer.prepare(Batch(GRID, POINTS))
    flyer.kickoff()
    flyer.holding.wait(20.0)
    with pytest.raises(RuntimeError, match="prepared for another batch while one is measured"):
        flyer.prepare(Batch(GRID, POINTS))
    flyer.stop()
    assert "det: stopped during the flight" in str(flyer.complete().exception(20.0))
    assert flyer.visited == [(0, 3), (2, 4)]


def test_it_can_be_prepared_again_at_the_very_moment_at_which_a_flight_has_ended(flyer):
    again = []
    flyer.prepare(Batch(GRID, POINTS))
    flyer.kickoff()
    flight = flyer._flight
    flyer.complete().add_callback(lambda status: again.append(flyer.prepare(Batch(GRID, POINTS)).success))
    flight.join(20.0)
    assert again == [True]


def test_points_that_were_measured_are_collected_while_the_flight_goes_on(stage):
    flyer = ScriptedFlyer(stage, {(2, 4): ["hold"]})
    flyer.prepare(Batch(GRID, POINTS))
    flyer.kickoff()
    flyer.holding.wait(20.0)
    assert collected(flyer, "stage_row") == [0.0]
    flyer.going_on.set()
    assert flyer.complete().exception(20.0) is None
    assert collected(flyer, "stage_row") == [2.0, 7.0]


def test_a_page_is_printed_without_its_values_as_schemas_print_all_that_they_validate(flyer):
    fly(flyer)
    (page,) = flyer.collect_pages()
    assert {repr(column) for column in page["data"].values()} == {"<3 values>"}
    assert page["data"]["stage_row"] == [0.0, 2.0, 7.0]


def test_a_simulated_flight_keeps_to_its_own_clock_however_long_a_spectrum_takes(stage, monkeypatch):
    flyer = SimulatedFlyer("ferroelectric", stage, exposure=0.01, settle=0.02, name="flyer")
    now, rests = [100.0], []
    monkeypatch.setattr("bluesky_gp.devices.sim.flyer.time.monotonic", lambda: now[0])
    monkeypatch.setattr(flyer, "_rest", lambda seconds: rests.append(seconds) or now.append(now.pop() + seconds))
    flyer._begin()
    flyer._visit((0, 0))
    now[0] += 0.004  # making an event of it
    flyer._visit((0, 1))
    assert rests == pytest.approx([0.03, 0.026])


def test_a_simulated_flight_sees_what_single_exposures_see(stage):
    flown = SimulatedFlyer("ferroelectric", stage, name="det")
    fly(flown)
    single = SimulatedSpectrometer("ferroelectric", PixelStage(grid=GRID, name="stage"), name="det")
    found = []
    for pixel in POINTS:
        single.pixel_stage.set(pixel).wait(10)
        single.trigger().wait(10)
        found.append(single.read()["det_loop_area"]["value"])
    assert np.array_equal(collected(flown, "det_loop_area"), found)


def test_no_thread_is_left_by_a_flight(flyer):
    fly(flyer)
    flyer.unstage()
    assert "det" not in [thread.name for thread in threading.enumerate()]


class TestSimulatedFlyer(FlyerContract):
    @pytest.fixture
    def flyer(self, stage):
        return SimulatedFlyer("ferroelectric", stage, exposure=0.01, name="flyer")


class TestSimulatedFlyerOnTheGround(DetectorContract):
    long_exposure = 0.2

    @pytest.fixture
    def stage(self):
        return PixelStage(grid={"shape": [6, 5]}, name="stage")

    @pytest.fixture
    def detector(self, stage):
        return SimulatedFlyer("ferroelectric", stage, name="spectrometer")
