import numpy as np
import pytest

from bluesky_gp.gp.window import Window

LATTICE = (6, 9)
FIELD = np.arange(54.0)


@pytest.mark.parametrize(
    ("pixel", "low"), [((3, 4), (2, 2)), ((0, 0), (0, 0)), ((5, 8), (3, 4)), ((1, 7), (0, 4)), ((2, 2), (1, 0))]
)
def test_a_window_has_its_pixel_in_the_middle_or_as_near_to_it_as_the_edges_allow(pixel, low):
    window = Window.around(np.ravel_multi_index(pixel, LATTICE), LATTICE, (3, 5))
    assert window.low == low
    assert window.holds(np.ravel_multi_index(pixel, LATTICE))


def test_the_part_of_a_field_inside_is_a_view_and_spread_is_the_way_back():
    window, field = Window(LATTICE, (1, 3), (2, 4)), FIELD.copy()
    part = window.of(field)
    np.testing.assert_array_equal(part, FIELD.reshape(LATTICE)[1:3, 3:7])
    part += 100.0
    assert field[12] == 112.0 and field[11] == 11.0
    spread = window.spread(window.of(FIELD))
    np.testing.assert_array_equal(window.of(spread), window.of(FIELD))
    assert spread.sum() == window.of(FIELD).sum()


def test_pixels_are_found_inside_by_their_place_in_the_window():
    window, pixels = Window(LATTICE, (1, 3), (2, 4)), np.array([12, 11, 24, 0, 12])
    inside, places = window.places(pixels)
    np.testing.assert_array_equal(inside, [0, 2, 4])
    np.testing.assert_array_equal(window.of(FIELD).ravel()[places], [12, 24, 12])
    assert [window.holds(pixel) for pixel in pixels.tolist()] == [True, False, True, False, True]
    assert window.at(window.of(FIELD), 24) == 24.0


@pytest.mark.parametrize(("low", "size"), [((2, 5), 2), ((1, 3), 8), ((3, 3), 0), ((0, 0), 1), ((3, 5), 0)])
def test_two_windows_have_the_same_pixels_in_common(low, size):
    one, other = Window(LATTICE, (1, 3), (2, 4)), Window(LATTICE, low, (2, 4))
    mine, theirs = one.common(other)
    np.testing.assert_array_equal(one.of(FIELD)[mine], other.of(FIELD)[theirs])
    assert one.of(FIELD)[mine].size == size


@pytest.mark.parametrize(("low", "num"), [((1, 3), 12), ((0, 3), 8), ((4, 5), 6), ((0, 0), 6)])
def test_the_rim_is_where_the_lattice_goes_on(low, num):
    window = Window(LATTICE, low, (2, 4))
    rim = window.rim(window.of(FIELD))
    assert len(rim) == num
    inside = {(row, col) for row in range(6) for col in range(9) if window.holds(row * 9 + col)}
    near = {(int(v) // 9, int(v) % 9) for v in rim}
    goes_on = {
        (r, c)
        for r, c in inside
        if any(
            (r + a, c + b) not in inside and 0 <= r + a < 6 and 0 <= c + b < 9
            for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))
        )
    }
    assert near == goes_on


def test_a_window_of_three_axes_has_a_side_along_each():
    field = np.arange(4.0 * 5 * 3)
    window = Window.around(30, (4, 5, 3), (1, 3, 3))
    assert window.of(field).shape == (1, 3, 3) and window.at(window.of(field), 30) == 30.0
