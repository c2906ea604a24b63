import pytest
from bluesky.preprocessors import relative_set_wrapper
from ophyd.sim import SynAxis, SynSignal

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.devices import PixelStage, SimulatedAxis
from bluesky_gp.plans import MoveAlteredError, StageElsewhereError, adaptive_map, as_stage, raster_map
from bluesky_gp.plans.arrival import check_arrival
from bluesky_gp.testing import ListOptimizer

GRID = PixelGrid((4, 4), step=(0.5, 0.5), units="mm")


def det_of(*axes):
    return SynSignal(name="det", func=lambda: sum(axis.position for axis in axes))


@pytest.mark.parametrize("make", [SynAxis, SimulatedAxis])
def test_relative_moves_of_a_pair_end_the_run_at_its_first_pixel_and_say_why(RE, docs, make):
    y, x = make(name="y"), make(name="x")
    y.set(10.0), x.set(10.0)
    agent = GPAgent(ListOptimizer(GRID, "height"), target="det")
    with pytest.raises(MoveAlteredError) as caught:
        RE(relative_set_wrapper(adaptive_map([det_of(y, x)], (y, x), agent, num=6)))
    sentence = str(caught.value)
    assert "y, x: was asked for pixel (0, 0) and stands at (20.0, 20.0): its set-points are [10.0, 10.0]" in sentence
    assert "where the plan sent [0.0, 0.0]" in sentence and "relative_set_wrapper" in sentence
    assert docs.counts.get("primary", 0) == 0 and docs.stops[0]["exit_status"] == "fail"


class Clipped(SynAxis):
    """An axis that goes as far as it can, and says nothing."""

    def set(self, value):
        return super().set(min(value, 1.0))


def test_an_axis_that_cuts_positions_ends_the_run_at_the_first_of_them_and_limits_are_named(RE, docs):
    y, x = Clipped(name="y"), SynAxis(name="x")
    with pytest.raises(MoveAlteredError) as caught:
        RE(raster_map([det_of(y, x)], (y, x), grid=GRID))
    sentence = str(caught.value)
    assert "y, x: was asked for pixel (3, 3) and stands at (2.0, 3.0): its set-points are [1.0, 1.5]" in sentence
    assert "where the plan sent [1.5, 1.5]. Either an axis keeps within limits of its own" in sentence
    assert "Or a wrapper shifts moves" in sentence
    assert docs.counts["primary"] == 12


def test_relative_moves_of_a_raster_are_told_as_well(RE, docs):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    y.set(1.0)
    with pytest.raises(MoveAlteredError, match=r"relative_set_wrapper.*PixelGrid\(\.\.\., origin="):
        RE(relative_set_wrapper(raster_map([det_of(y, x)], (y, x), grid=GRID)))


def test_relative_moves_of_a_pixel_stage_are_told_as_well(RE, docs):
    stage = PixelStage(grid=GRID, name="stage")
    with pytest.raises(ValueError, match="expected a pixel .*a plan that makes moves relative"):
        RE(relative_set_wrapper(raster_map([], stage)))


def test_relative_moves_from_where_the_grid_begins_are_none(RE, docs):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    RE(relative_set_wrapper(raster_map([det_of(y, x)], (y, x), grid=GRID)))
    assert docs.counts["primary"] == 16


def test_a_motor_that_is_stuck_is_a_fault_of_that_pixel():
    y, x = SynAxis(name="y", readback_func=lambda _: 3.0), SynAxis(name="x")
    stage = as_stage((y, x), GRID)
    y.set(0.5)
    with pytest.raises(StageElsewhereError, match=r"asked for pixel \(1, 0\) and stands at \(6.0, 0.0\)$"):
        check_arrival(stage, {**y.read(), **x.read()}, (1, 0))


def test_a_reading_without_positions_is_no_fault():
    check_arrival(as_stage((SynAxis(name="y"), SynAxis(name="x")), GRID), {}, (1, 0))
