"""The shift of a stage: pixels stay those of the sample, positions move."""

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.devices import PixelStage

GRID = PixelGrid((8, 6), step=(0.5, -0.25), origin=(3.0, 1.0), rotation=20.0, units="um")


@pytest.fixture
def stage():
    return PixelStage(grid=GRID, limits=[(2.0, 8.0), (-2.0, 3.0)], name="stage")


def test_a_pixel_lies_where_the_sample_has_carried_it(stage):
    stage.shift.set((1.25, -0.5))
    stage.set((2, 3)).wait()
    np.testing.assert_allclose([axis.position for axis in stage.axes], GRID.position((3.25, 2.5)))
    assert stage.locate()["readback"] == pytest.approx((2.0, 3.0))
    assert stage.read()["stage_row"]["value"] == pytest.approx(2.0)


def test_without_a_move_another_pixel_lies_under_the_axes(stage):
    stage.set((2, 3)).wait()
    stage.shift.set((1.0, 0.0))
    assert stage.locate()["readback"] == pytest.approx((1.0, 3.0))


def test_limits_count_for_where_the_pixel_lies_now(stage):
    stage.shift.set((4.0, 0.0))
    with pytest.raises(ValueError, match=r"stage: pixel \(7, 0\) needs stage_y at"):
        stage.set((7, 0))


@pytest.mark.parametrize("wrong", [(1.0,), (np.nan, 0.0), (1.0, 2.0, 3.0)])
def test_a_shift_is_a_finite_number_of_pixels_for_each_axis(stage, wrong):
    with pytest.raises(ValueError, match="stage_shift: expected 2 numbers"):
        stage.shift.set(wrong)
    assert stage.shift.position == (0.0, 0.0)


def test_it_can_be_read_into_an_event(stage):
    stage.shift.set((1, 2))
    assert stage.shift.read()["stage_shift"]["value"] == [1.0, 2.0]
    assert stage.shift.describe()["stage_shift"]["shape"] == [2]
    assert stage.shift.locate() == {"setpoint": (1.0, 2.0), "readback": (1.0, 2.0)}
