"""Masks from images and outlines, in the stage's coordinates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp import PixelGrid
from bluesky_gp.masks import above, below, masked, outside, sample_image

GRID = PixelGrid((6, 8), step=(0.5, 0.25), origin=(10.0, -3.0), units="um")


def image_of(grid, finer, function):
    """An image `finer` times finer than the grid that shows a function of the stage position, and its lattice."""
    lattice = PixelGrid(
        tuple(n * finer for n in grid.shape),
        step=tuple(np.divide(grid.step, finer)),
        origin=tuple(grid.position(np.full(2, 0.5 / finer - 0.5))),
        rotation=grid.rotation,
        units=grid.units,
    )
    y, x = lattice.position(lattice.coordinates).T
    return function(y, x).reshape(lattice.shape), lattice


@pytest.mark.parametrize("finer", [1, 2, 5])
@pytest.mark.parametrize("rotation", [0.0, 37.0, -90.0])
@pytest.mark.parametrize("told", [True, False])
def test_the_mean_of_a_plane_over_each_pixel_is_its_value_at_the_centre(finer, rotation, told):
    grid = PixelGrid((6, 8), step=(0.5, -0.25), origin=(10.0, -3.0), rotation=rotation, units="um")
    image, lattice = image_of(grid, finer, lambda y, x: 3 * y - 2 * x)
    y, x = grid.position(grid.coordinates).T
    assert np.allclose(sample_image(image, grid, lattice if told else None).ravel(), 3 * y - 2 * x)


def test_an_image_larger_than_the_grid_is_cut_to_it():
    lattice = PixelGrid((100, 100), step=(0.1, 0.1), origin=(8.0, -5.0), units="um")
    y, x = lattice.position(lattice.coordinates).T
    found = sample_image((y > 11.2).reshape(100, 100), GRID, lattice)
    assert np.allclose(found[:2], 0, atol=0.01) and np.allclose(found[3:], 1, atol=0.01)


def test_a_coarse_image_gives_each_pixel_the_value_where_it_lies():
    image = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert sample_image(image, PixelGrid((4, 4))).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_below_and_above_a_threshold():
    image = np.arange(48.0).reshape(6, 8)
    assert np.array_equal(below(image, 10.0, GRID), image < 10)
    assert np.array_equal(above(image, 10.0, GRID), image > 10)


def test_what_the_image_does_not_show_is_never_measured():
    image, lattice = image_of(GRID, 2, lambda y, x: np.full_like(y, 5.0))
    image[:2] = np.nan
    mask = below(image, 1.0, GRID, lattice)
    assert mask[0].all() and not mask[1:].any()
    assert above(image, 10.0, GRID, lattice)[0].all()
    shifted = PixelGrid(lattice.shape, lattice.step, (lattice.origin[0] + 1.5, lattice.origin[1]), "um")
    assert below(np.full(lattice.shape, 5.0), 1.0, GRID, shifted)[:3].all()


def test_a_few_dead_pixels_of_the_image_do_not_matter():
    image, lattice = image_of(GRID, 4, lambda y, x: np.full_like(y, 5.0))
    image[::4, ::4] = np.inf
    assert not below(image, 1.0, GRID, lattice).any()


def test_outside_an_outline_in_stage_positions():
    y, x = GRID.position((2, 3))
    box = [(y - 0.6, x - 0.3), (y - 0.6, x + 0.3), (y + 0.6, x + 0.3), (y + 0.6, x - 0.3)]
    expected = np.ones(GRID.shape, dtype=bool)
    expected[1:4, 2:5] = False
    assert np.array_equal(outside(box, GRID), expected)
    assert np.array_equal(outside(box[::-1], GRID), expected)


def test_pixels_on_the_edges_and_corners_of_an_outline_lie_inside_on_every_side():
    kept = ~outside([(0, 0), (5, 0), (5, 5), (0, 5)], PixelGrid((7, 7)))
    assert kept[:6, :6].all() and kept.sum() == 36
    triangle = ~outside([(0, 0), (4, 0), (4, 4), (4, 4)], PixelGrid((6, 6)))
    assert np.array_equal(triangle[:5, :5], np.tri(5, dtype=bool)) and triangle.sum() == 15


@given(st.floats(-180, 180), st.floats(0.01, 10.0), st.booleans(), st.integers(0, 3))
def test_an_outline_through_the_outermost_pixels_keeps_all_of_them_however_the_grid_lies(turn, step, mirrored, first):
    grid = PixelGrid((5, 8), step=(step, -3 * step), origin=(1000.0, -200.0), rotation=turn)
    corners = np.array([(0, 0), (0, 7), (4, 7), (4, 0)])[:: -1 if mirrored else 1]
    assert not outside(grid.position(np.roll(corners, first, axis=0)), grid).any()


@given(st.floats(0.2, 3.0), st.floats(-180, 180))
def test_the_area_inside_an_outline_does_not_depend_on_how_the_grid_is_rotated(radius, rotation):
    grid = PixelGrid((60, 60), step=(0.1, 0.1), rotation=rotation)
    middle = grid.position((29.5, 29.5))
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = middle + radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    area = 0.01 * np.count_nonzero(~outside(circle, grid))
    assert area == pytest.approx(min(np.pi * radius**2, 36), rel=0.05, abs=0.1)


def test_masks_add_up_and_the_grids_own_stays():
    grid = PixelGrid((2, 2), mask=[[True, False], [False, False]])
    both = masked(grid, [[False, True], [False, False]], np.zeros((2, 2)))
    assert both.mask.tolist() == [[True, True], [False, False]]
    assert masked(PixelGrid((2, 2))).allowed.all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: outside([(0, 0), (1, 1)], GRID), "outline: expected three corners or more"),
        (lambda: outside([(0, 0), (1, np.nan), (1, 1)], GRID), "outline: expected three corners or more"),
        (lambda: below(np.zeros((3, 3, 3)), 0, GRID), r"image: expected two axes, got shape \(3, 3, 3\)"),
        (lambda: below(np.zeros((3, 3)), 0, GRID, PixelGrid((4, 3), units="um")), r"its shape \(3, 3\) is not that"),
        (lambda: below(np.zeros((3, 3)), 0, GRID, PixelGrid((3, 3), units="nm")), "its grid is in nm, the .* in um"),
        (lambda: below(np.zeros((3, 3)), 0, PixelGrid(5)), "need two axes, the grid has 1"),
        (lambda: masked(GRID, np.zeros((2, 2))), r"mask: expected the grid's shape \(6, 8\), got \(2, 2\)"),
        (lambda: masked(GRID, np.ones((6, 8))), "the mask leaves no pixel"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
