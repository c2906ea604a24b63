"""Pixels, flat indices and stage positions are one thing seen three ways."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.grid import PixelGrid

finite = st.floats(-1e3, 1e3)
steps = st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3)


@st.composite
def grids(draw):
    shape = tuple(draw(st.lists(st.integers(1, 12), min_size=1, max_size=3)))
    step = tuple(draw(steps) for _ in shape)
    origin = tuple(draw(finite) for _ in shape)
    rotation = draw(st.floats(-180, 180)) if len(shape) == 2 else 0.0
    return PixelGrid(shape=shape, step=step, origin=origin, rotation=rotation, units="um")


@given(grids())
def test_every_pixel_comes_back_from_its_flat_index(grid):
    indices = np.arange(grid.size)
    assert np.array_equal(grid.ravel(grid.unravel(indices)), indices)
    assert np.array_equal(grid.coordinates, grid.unravel(indices))


@given(grids(), st.data())
def test_every_pixel_comes_back_from_its_position(grid, data):
    pixel = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    assert grid.pixel(grid.position(pixel)) == pixel


@given(grids(), st.data())
def test_fraction_is_the_inverse_of_position(grid, data):
    pixel = [data.draw(st.floats(-1, n)) for n in grid.shape]
    rounding = 1e-9 * (1 + max(map(abs, grid.origin)) / min(map(abs, grid.step)))
    assert grid.fraction(grid.position(pixel)) == pytest.approx(pixel, abs=rounding)


@given(grids())
def test_a_grid_comes_back_from_the_json_of_its_mapping(grid):
    assert PixelGrid.from_mapping(json.loads(json.dumps(grid.to_mapping()))) == grid


def test_a_mask_comes_back_from_the_mapping_too():
    mask = np.zeros((3, 4), dtype=bool)
    mask[1, 2] = mask[2, 3] = True
    grid = PixelGrid(shape=(3, 4), mask=mask)
    again = PixelGrid.from_mapping(json.loads(json.dumps(grid.to_mapping())))
    assert again == grid
    assert hash(again) == hash(grid)
    assert np.array_equal(again.mask, mask)
    assert again != PixelGrid(shape=(3, 4))


def test_a_mask_forbids_pixels_and_cannot_be_changed_afterwards():
    mask = np.zeros((2, 3), dtype=bool)
    mask[0, 1] = True
    grid = PixelGrid(shape=(2, 3), mask=mask)
    mask[:] = True
    assert grid.allowed.tolist() == [True, False, True, True, True, True]
    with pytest.raises(ValueError, match="read-only"):
        grid.mask[0, 0] = True


def test_only_the_shape_is_required():
    grid = PixelGrid(shape=(5, 4))
    assert (grid.step, grid.origin, grid.units, grid.axes, grid.size, grid.ndim) == (
        (1.0, 1.0),
        (0.0, 0.0),
        "px",
        ("row", "col"),
        20,
        2,
    )
    assert PixelGrid(shape=7).axes == ("row",)
    assert PixelGrid(shape=(2, 3, 4)).axes == ("row", "col", "layer")


def test_arrays_will_do_for_tuples():
    grid = PixelGrid(shape=np.array([2, 3]), step=np.array([0.5, 0.5]), origin=np.array([0.0, 1.0]))
    assert grid == PixelGrid(shape=(2, 3), step=(0.5, 0.5), origin=(0.0, 1.0))


def test_a_rotation_turns_the_lattice_from_the_first_stage_axis_towards_the_second():
    grid = PixelGrid(shape=(10, 10), step=(2.0, 3.0), origin=(1.0, 1.0), rotation=90)
    assert grid.position((1, 0)) == pytest.approx((1.0, 3.0))
    assert grid.position((0, 1)) == pytest.approx((-2.0, 1.0))


def test_the_corners_are_the_extreme_pixels():
    grid = PixelGrid(shape=(3, 5), step=(2.0, -1.0), origin=(10.0, 0.0))
    assert {tuple(c) for c in grid.corners.tolist()} == {(10, 0), (10, -4), (14, 0), (14, -4)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (0, 5)}, r"shape must be one to three positive whole numbers, got \(0, 5\)"),
        ({"shape": ()}, "shape must be one to three"),
        ({"shape": (True, 5)}, "shape must be one to three"),
        ({"shape": (2, 2, 2, 2)}, "shape must be one to three"),
        ({"shape": (2.5, 3)}, "shape must be one to three"),
        ({"shape": (2, 3), "step": (1.0,)}, "step must be 2 finite numbers"),
        ({"shape": (2, 3), "step": (1.0, 0.0)}, "a step of zero puts all pixels in one place"),
        ({"shape": 3, "step": 0.0}, "a step of zero puts all pixels in one place"),
        ({"shape": (2, 3), "origin": (0.0, np.nan)}, "origin must be 2 finite numbers"),
        ({"shape": (2, 3), "axes": ("row", "row")}, "axes must be 2 different names"),
        ({"shape": (2, 3), "mask": np.zeros((3, 2))}, r"mask must have the grid's shape \(2, 3\), got \(3, 2\)"),
        ({"shape": (2, 3), "mask": np.ones((2, 3))}, "the mask leaves no pixel"),
        ({"shape": (2,), "rotation": 5.0}, "a rotation needs two axes, this grid has 1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        PixelGrid(**arguments)


@pytest.mark.parametrize("pixels", [[[2, 0]], [[-1, 0]], [[0, 3]], [2, 0]])
def test_a_pixel_outside_has_no_flat_index(pixels):
    with pytest.raises(ValueError, match=r"lies outside the grid of shape \(2, 3\)"):
        PixelGrid(shape=(2, 3)).ravel(pixels)


def test_a_fraction_has_no_flat_index():
    with pytest.raises(ValueError, match="pixels are whole numbers"):
        PixelGrid(shape=(2, 3)).ravel([[0.5, 1.0]])


def test_a_position_more_than_half_a_step_outside_is_no_pixel():
    grid = PixelGrid(shape=(4, 4), step=(2.0, 2.0))
    assert grid.pixel((-0.9, 6.9)) == (0, 3)
    with pytest.raises(ValueError, match=r"position \[-1.1, 0.0\] px is pixel \[-0.55, 0.0\], outside the grid"):
        grid.pixel((-1.1, 0.0))


def test_the_outermost_pixels_are_the_corners_or_what_a_mask_leaves_of_them():
    assert PixelGrid((3, 4), step=(-1.0, 2.0)).outermost == [(0, 0), (0, 3), (2, 0), (2, 3)]
    assert PixelGrid(5).outermost == [(0,), (4,)]
    mask = np.ones((5, 5), dtype=bool)
    mask[[1, 2, 3, 2, 2], [2, 2, 2, 1, 3]] = False
    assert set(PixelGrid((5, 5), mask=mask).outermost) == {(1, 2), (2, 1), (2, 3), (3, 2)}


def test_the_keys_of_pixels_are_named_after_the_axes():
    assert PixelGrid((2, 2)).pixel_keys("stage") == ("stage_row", "stage_col")
    assert PixelGrid((2, 2), axes=("line", "sample")).pixel_keys("afm") == ("afm_line", "afm_sample")


@pytest.mark.parametrize("mask", [[[np.nan, 0.0], [0.0, 1.0]], [[2, 0], [0, 1]], [["yes", ""], ["", ""]]])
def test_a_mask_that_holds_anything_but_true_and_false_is_refused(mask):
    with pytest.raises(ValueError, match="mask must hold True and False"):
        PixelGrid((2, 2), mask=mask)


def test_a_negative_step_is_a_scan_in_the_other_direction():
    grid = PixelGrid((3, 4), step=(-2.0, 1.0), origin=(10.0, 0.0))
    assert grid.position([2, 3]).tolist() == [6.0, 3.0] and grid.pixel([6.1, 2.9]) == (2, 3)


def test_it_shows_what_was_chosen_in_a_line():
    assert repr(PixelGrid((50, 50))) == "PixelGrid((50, 50))"
    mask = np.zeros((3, 4), dtype=bool)
    mask[0, :2] = True
    grid = PixelGrid((3, 4), step=(-0.5, 1.0), units="um", mask=mask)
    assert repr(grid) == "PixelGrid((3, 4), step=(-0.5, 1.0), units='um', mask of 2 pixels)"
    assert repr(PixelGrid((9,), axes=("energy",), origin=5.0)) == "PixelGrid((9,), origin=(5.0,), axes=('energy',))"


GRID_SLIPS = {
    "no shape": ({"shape": None}, "shape must be one to three positive whole numbers, got None"),
    "a shape in words": ({"shape": "5x5"}, "shape must be one to three positive whole numbers, got '5x5'"),
    "a shape with a fraction": ({"shape": 5.0}, "shape must be one to three positive whole numbers, got 5.0"),
    "a step that is complex": ({"step": 1j}, "step must be 2 finite numbers, one an axis, got 1j"),
    "an origin that is none": ({"origin": None}, "origin must be 2 finite numbers, one an axis, got None"),
    "a unit that is none": ({"units": None}, "units must be a text such as 'um', got None"),
    "one text for two axes": ({"axes": "xy"}, "axes must be 2 different names, got 'xy'"),
    "numbers for axes": ({"axes": (0, 1)}, r"axes must be 2 different names, got \(0, 1\)"),
    "an axis with the name of the flat index": ({"axes": ("_id", "x")}, "no axis can be called '_id'"),
    "an angle in words": ({"rotation": "30"}, "rotation must be a number, got '30'"),
    "an angle that is no number": ({"rotation": np.nan}, "rotation must be a finite number, got nan"),
    "a mask of unequal rows": ({"mask": [[1], [0, 1]]}, "mask must have the grid's shape .* rows of unequal length"),
}


@pytest.mark.parametrize(("settings", "sentence"), GRID_SLIPS.values(), ids=GRID_SLIPS)
def test_a_slip_in_a_grid_is_answered_in_a_sentence(settings, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        PixelGrid(**{"shape": (5, 5), **settings})


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (
            {"shape": [5, 5], "stepp": 1},
            r"PixelGrid: there is no setting 'stepp', there are shape, step, .*; did you mean 'step'\?",
        ),
        ({"step": 1}, r"PixelGrid: 'shape' is missing, there are shape, step"),
        ({"shape": [5, 5], "masked": [99]}, r"masked are flat indices of 25 pixels, got \[99\]"),
    ],
)
def test_a_mapping_that_describes_no_grid_is_answered_in_a_sentence(mapping, sentence):
    with pytest.raises(ValueError, match=sentence):
        PixelGrid.from_mapping(mapping)


def test_one_axis_may_be_named_by_a_text():
    assert PixelGrid(9, axes="energy").axes == ("energy",)
