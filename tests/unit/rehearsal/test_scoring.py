import numpy as np
import pytest

from bluesky_gp.rehearsal.scoring import median_map, n_top, rank, score, top_threshold

TRUTH = np.arange(100.0).reshape(10, 10)


def all_pixels():
    return np.argwhere(np.isfinite(TRUTH))


def test_a_perfect_answer_has_rank_one_and_no_error():
    found = score(TRUTH, TRUTH, (9, 9), all_pixels())
    assert (found.rank, found.top_found, found.rmse, found.n_valid) == (1, 1.0, 0.0, 100)


def test_an_error_of_one_everywhere_is_an_rmse_of_one():
    found = score(TRUTH, TRUTH + 1, (9, 8), all_pixels())
    assert found.rmse == pytest.approx(1.0)
    assert found.relative_rmse == pytest.approx(1.0 / TRUTH.std())
    assert found.rank == 2


def test_where_smaller_is_better_the_smallest_has_rank_one():
    assert score(TRUTH, TRUTH, (0, 0), np.array([[0, 0]]), sign=-1.0).rank == 1


def test_the_share_of_the_top_that_was_not_measured_is_missing():
    truth = np.arange(400.0).reshape(20, 20)  # the top 1 % are four pixels
    found = score(truth, truth, (19, 19), np.array([[19, 19], [19, 18], [0, 0]]))
    assert found.top_found == 0.5


def test_pixels_without_truth_do_not_count():
    truth = TRUTH.copy()
    truth[9] = np.nan
    found = score(truth, TRUTH, (8, 9), all_pixels())
    assert (found.rank, found.n_valid, found.rmse) == (1, 90, 0.0)
    assert score(truth, TRUTH, (9, 9), all_pixels()).rank == 90, "a best pixel without truth is the last"


def test_the_median_of_neighbours_ignores_a_lone_spike_and_what_is_not_known():
    spiked = np.ones((5, 5))
    spiked[2, 2] = 100.0
    spiked[0, 0] = np.nan
    smooth = median_map(spiked)
    assert np.isnan(smooth[0, 0])
    assert np.nanmax(smooth) == 1.0


def test_equal_values_share_the_better_rank():
    assert rank(np.array([3.0, 2.0, 3.0]), (2,)) == 1


def test_the_top_is_one_pixel_in_a_hundred_of_those_that_are_known_and_one_at_least():
    assert [n_top(n) for n in (1, 49, 149, 151, 2500)] == [1, 1, 1, 2, 25]
    values = np.arange(200.0)
    values[[3, 199]] = np.nan
    assert top_threshold(values) == 197.0
    assert top_threshold(-values) == -1.0
