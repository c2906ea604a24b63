"""What a rehearsal judges by."""

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.rehearsal.full_map import FullMap

VALUES = np.arange(200.0).reshape(10, 20)


def test_good_is_large_or_small_in_standard_deviations_of_the_map():
    largest, smallest = FullMap(PixelGrid((10, 20)), VALUES), FullMap(PixelGrid((10, 20)), VALUES, maximize=False)
    assert largest.best_pixel == (9, 19) and smallest.best_pixel == (0, 0)
    assert largest.maximum == pytest.approx(199.0 / VALUES.std())
    assert (largest.goodness >= largest.top).sum() == (smallest.goodness >= smallest.top).sum() == 2


def test_failed_and_masked_pixels_count_for_nothing():
    mask = np.zeros((10, 20), dtype=bool)
    mask[9] = True
    values = VALUES.copy()
    values[8, 19], values[0, 0] = np.nan, np.inf
    full = FullMap(PixelGrid((10, 20), mask=mask), values)
    assert (full.n_valid, full.best_pixel) == (178, (8, 18))
    assert full.error(np.where(mask, 1e9, VALUES).ravel()) == 0.0


def test_the_error_is_relative_to_the_spread_of_the_map_and_leaves_out_what_it_is_told_to():
    full = FullMap(PixelGrid((10, 20)), VALUES)
    assert full.error(np.full(200, VALUES.mean())) == pytest.approx(1.0)
    wrong_at_first = full.flat + np.where(np.arange(200) < 5, 100.0, 0.0)
    assert full.error(wrong_at_first, without=np.arange(5)) == 0.0
    assert full.error(np.full(200, np.nan)) == 1.0, "the mean is all that is known"
    assert full.error(wrong_at_first, without=np.arange(200)) == 0.0, "nothing is left to predict"


def test_a_window_is_the_middle_of_a_large_map_with_its_mask():
    mask = np.zeros((10, 20), dtype=bool)
    mask[5, 10] = True
    part = FullMap(PixelGrid((10, 20), mask=mask), VALUES).window(36)
    assert part.grid.shape == (6, 6)
    assert np.array_equal(part.values[0], VALUES[2, 7:13])
    assert not part.grid.allowed.all()
    assert part.window(1000) is part


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 3)), r"shape \(10, 20\), got \(3, 3\)"),
        (np.full((10, 20), 3.0), "200 pixels have a value, ten different ones are the least"),
        (np.where(VALUES < 9, VALUES, np.nan), "9 pixels have a value"),
    ],
)
def test_a_map_that_says_nothing_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        FullMap(PixelGrid((10, 20)), values)
