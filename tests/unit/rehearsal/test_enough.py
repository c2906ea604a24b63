"""The rule that says how many points are enough."""

import pytest

from bluesky_gp.rehearsal.enough import chance, is_plateau, level


def test_good_enough_is_an_error_a_tenth_above_the_end_or_the_floor():
    assert level(end=0.5, floor=0.2) == pytest.approx(0.55)
    assert level(end=0.2, floor=0.5) == pytest.approx(0.55)
    assert level(end=0.01, floor=0.02) == 0.1, "nobody minds a tenth of the map's spread"


def test_of_a_noisy_map_nine_tenths_of_what_can_be_explained_must_be():
    assert 1.0 - level(end=0.9, floor=0.8) ** 2 == pytest.approx(0.9 * (1.0 - 0.9**2))
    assert level(end=1.02, floor=0.9) == pytest.approx(1.02), "a map of noise alone"


def test_a_plateau_begins_before_the_last_quarter():
    assert [is_plateau(enough, 100) for enough in (20, 75, 80, None)] == [True, True, False, False]


def test_the_fewer_pixels_the_better_a_map_must_be_to_show_more_than_its_mean():
    assert [chance(n) for n in (25, 100, 2500)] == pytest.approx([0.8, 0.9, 0.98])
