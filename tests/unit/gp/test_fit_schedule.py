from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from bluesky_gp.gp.fit_schedule import BLOCK, IN_BLOCKS, evaluations_due, likelihood_blocks, refit_due, starts_for
from bluesky_gp.gp.kernel_choice import KernelChoice


@pytest.mark.parametrize(
    ("n_measured", "n_fitted", "due"),
    [(1, 0, True), (10, 10, False), (150, 140, True), (160, 150, False), (170, 150, True), (290, 250, True)]
    + [(280, 250, False), (600, 570, False), (500, 0, True)],
)
def test_fits_come_with_every_batch_while_there_are_few_pixels_then_more_rarely(n_measured, n_fitted, due):
    assert refit_due(n_measured, n_fitted) is due


@pytest.mark.parametrize(
    ("n_measured", "n_fitted", "places"),
    [(10, 0, "all"), (60, 50, "all"), (70, 60, "last"), (80, 70, "first"), (85, 79, "first"), (90, 80, "last")]
    + [(210, 190, "first"), (400, 360, "last")],
)
def test_few_pixels_may_mislead_a_fit_so_it_starts_elsewhere_too(n_measured, n_fitted, places):
    choice, last = KernelChoice.default((50, 50)), np.zeros(5)
    starts = starts_for(choice, last, n_measured, n_fitted)
    assert starts.given[0] is last
    assert len(starts.given) == {"all": 1 + len(choice.starts), "first": 2, "last": 1}[places]


@pytest.mark.parametrize(
    ("n_measured", "n_fitted", "searched"), [(60, 50, True), (70, 60, False), (80, 70, True), (500, 0, True)]
)
def test_a_kernel_of_the_user_is_searched_while_pixels_are_few_and_at_some_counts_later(n_measured, n_fitted, searched):
    choice = KernelChoice.of(RBF(2.0) + WhiteKernel()).searching((50, 50), 4)
    starts = starts_for(choice, np.zeros(2), n_measured, n_fitted)
    assert len(starts.candidates) == (32 if searched else 0)
    assert evaluations_due(choice, n_measured, n_fitted) == (318 if searched else 18)
    assert evaluations_due(choice, n_measured, n_measured) == 0


def test_by_curvature_few_pixels_start_from_two_places_at_times_and_a_fit_takes_fewer_evaluations():
    choice, last = replace(KernelChoice.default((50, 50)), by_curvature=True), np.zeros(6)
    for n_measured, n_fitted, places in ((10, 0, 2), (20, 10, 2), (60, 50, 1), (70, 60, 1), (85, 79, 2), (400, 360, 1)):
        starts = starts_for(choice, last, n_measured, n_fitted)
        assert starts.given[0] is last and len(starts.given) == places
        before = evaluations_due(replace(choice, by_curvature=False), n_measured, n_fitted)
        assert 0 < evaluations_due(choice, n_measured, n_fitted) < 0.7 * before


def test_blocks_of_very_many_pixels_are_of_neighbours_and_each_is_in_one_at_most():
    at = np.random.default_rng(0).random((5000, 2)) * [512.0, 300.0]
    blocks = likelihood_blocks(at)
    places = np.concatenate(blocks)
    assert len(places) == len(set(places.tolist())) == IN_BLOCKS
    assert max(len(block) for block in blocks) <= BLOCK
    assert max(np.ptp(at[block], axis=0).max() for block in blocks) < 512.0 / 3
    few = likelihood_blocks(at[:1001])
    assert sorted(np.concatenate(few).tolist()) == list(range(1001))
    np.testing.assert_array_equal(np.concatenate(likelihood_blocks(at)), places)
