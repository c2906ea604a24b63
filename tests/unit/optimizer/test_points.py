"""Points as people write them, read and written."""

import numpy as np
import pytest

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer.measurements import Measurements
from bluesky_gp.optimizer.points import Points

GRID = PixelGrid((12, 11))


def optimizer(**options):
    return PixelOptimizer(GRID, "height", batch_size=6, n_initial=6, **options)


def test_points_that_were_written_read_the_same():
    points = Points(GRID, "height")
    others = {"tilt": np.array([0.5, np.nan]), "spectrum": np.array([[1.0, 2.0], [np.nan, np.nan]])}
    told = Measurements.of(np.array([14, 3]), np.array([1.5, np.nan]), np.array([0.1, 0.0]), others)
    again = points.measurements(points.written(told), (), others)
    for one, other in zip((told.pixels, told.values, told.std), (again.pixels, again.values, again.std), strict=True):
        np.testing.assert_array_equal(one, other)
    for name, values in others.items():
        np.testing.assert_array_equal(again.others[name], values)


def test_failures_stand_behind_the_points_with_a_value():
    read = Points(GRID, "height").measurements([{"_id": 5, "height": 2.0}], [{"row": 0, "col": 3}], ["tilt"])
    assert read.pixels.tolist() == [5, 3]
    np.testing.assert_array_equal(read.values, [2.0, np.nan])
    np.testing.assert_array_equal(read.others["tilt"], [np.nan, np.nan])


def test_pixels_that_a_person_chose_are_given_their_id():
    chosen = [{"row": 2, "col": 3}, {"row": 0, "col": 1, "_id": 1}]
    assert optimizer().register_suggestions(chosen) == [{"row": 2, "col": 3, "_id": 25}, {"row": 0, "col": 1, "_id": 1}]


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"_id": 3, "hight": 1.0}, "target 'height' is missing in the point"),
        ({"_id": 132, "height": 1.0}, "_id 132 is outside the grid of 132 pixels"),
        ({"_id": -1, "height": 1.0}, "_id -1 is outside the grid"),
        ({"_id": 3.5, "height": 1.0}, "_id 3.5 is outside the grid"),
        ({"_id": np.nan, "height": 1.0}, "_id must be a number, got nan"),
        ({"row": 3, "height": 1.0}, r"\['col'\] missing"),
        ({"row": 12, "col": 0, "height": 1.0}, "outside the grid of shape"),
        ({"row": np.nan, "col": 0, "height": 1.0}, "row must be a number, got nan"),
        ({"_id": 3, "height": "high"}, "height must be a number, got 'high'"),
        ({"_id": 3, "height": None}, "height must be a number, got None"),
        ({"_id": 3, "height": np.zeros(7)}, "height must be a number, got array"),
    ],
)
def test_a_point_that_says_too_little_or_nonsense_is_a_clear_error_and_teaches_nothing(point, message):
    gp = optimizer()
    with pytest.raises(ValueError, match=message):
        gp.ingest([{"_id": 0, "height": 1.0}, point])
    assert gp.state.n_attempted == 0


def test_a_pending_pixel_outside_the_grid_is_a_clear_error():
    with pytest.raises(ValueError, match="_id -1 is outside the grid"):
        optimizer().suggest(pending=[-1])


def test_a_read_back_beside_a_pixel_is_that_pixel():
    gp = optimizer()
    gp.ingest([{"row": 2.9999999, "col": np.float32(4.0), "height": 1.0}])
    assert gp.state.pixels.tolist() == [3 * 11 + 4]
