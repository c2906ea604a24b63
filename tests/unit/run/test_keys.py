"""Keys of a run's events: where a pixel is, and which key an auxiliary quantity has."""

import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.run.keys import Axes, other_keys
from bluesky_gp.testing import ListOptimizer

GRID = PixelGrid((4, 5), step=(0.5, 2.0), origin=(1.0, -2.0), units="um")


def test_axes_come_back_from_plain_data_and_from_a_list_of_keys():
    axes = Axes(("x", "y"), "stage")
    assert Axes.of(axes.to_mapping()) == axes and Axes.of(axes) is axes
    assert Axes.of(["row", "col"]) == Axes(("row", "col"), "pixel")


def test_positions_of_the_stage_become_the_nearest_pixel():
    data = {"y": 2.1, "x": 3.9}
    assert Axes(("y", "x"), "stage").fraction(data, GRID) == pytest.approx([2.2, 2.95])
    assert Axes(("y", "x"), "stage").pixel(data, GRID) == (2, 3)


@pytest.mark.parametrize(("row", "pixel"), [(-0.49, (0, 0)), (3.49, (3, 0)), (-0.5, None), (3.5, None)])
def test_half_a_pixel_beyond_the_grid_is_no_pixel_of_it(row, pixel):
    assert Axes(("row", "col")).pixel({"row": row, "col": 0.0}, GRID) == pixel


@pytest.mark.parametrize(
    ("target", "given", "expected"),
    [
        ("det_height", {}, {"tilt": "det_tilt"}),
        ("det_height", {"tilt": "lock_in"}, {"tilt": "lock_in"}),
        ("anything", {"tilt": "lock_in"}, {"tilt": "lock_in"}),
        ("anything", {}, r"which event keys are \['tilt'\]"),
        ("det_height", {"width": "det_width"}, r"others names \['width'\]"),
    ],
)
def test_the_key_of_an_auxiliary_quantity_is_named_as_the_target_is_or_given(target, given, expected):
    optimizer = ListOptimizer(GRID, "height")
    optimizer.others = ("tilt",)
    if isinstance(expected, dict):
        assert other_keys(target, optimizer, given) == expected
    else:
        with pytest.raises(ValueError, match=expected):
            other_keys(target, optimizer, given)
