"""Numbers of points after which seeds reached something."""

import numpy as np
import pytest

from bluesky_gp.rehearsal.reached import Reached


def test_the_median_counts_the_seeds_that_never_did():
    assert Reached((10, None, 30)).median == 30
    assert Reached((10, None, None)).median is None
    assert Reached((10, 20)).found == 2


def test_nine_in_ten_seeds_are_most_but_of_five_all_are():
    assert Reached((10, 20, 30, 40, 50)).most == 50
    assert Reached((10, 20, 30, 40, None)).most is None
    assert Reached((10,) * 9 + (None,)).most == 10
    assert Reached((10,) * 8 + (None,) * 2).most is None


def test_the_bound_covers_nine_in_ten_other_seeds_in_three_of_four_rehearsals():
    rng = np.random.default_rng(0)
    points = np.rint(np.exp(rng.normal(4.0, 0.5, (400, 5)))).astype(int)
    bounds = [Reached(tuple(row)).bound(1, 10_000) for row in points.tolist()]
    needed = np.exp(4.0 + 0.5 * 1.2816)
    # At least: the bound is never less than the slowest seed that there was.
    assert 0.7 < np.mean(bounds > needed) < 0.85


def test_luck_in_the_random_pixels_makes_no_bound_wider():
    assert Reached((1, 40, 50, 45, 40)).bound(10, 100) < Reached((1, 40, 50, 45, 40)).bound(1, 100)
    assert Reached((2, 3, 4)).bound(10, 100) == pytest.approx(10.0)
    assert Reached((2, None, 4)).bound(10, 100) is None
