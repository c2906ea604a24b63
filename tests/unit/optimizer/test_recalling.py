"""States out of recorded hyperparameters equal those that were learnt."""

import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import recall, recall_next


def learnt(optimizer, num):
    """Yield every state of a run: the batches so far, how many of them were fitted to, the state."""
    rng, batches, n_fitted = np.random.default_rng(3), [], 0
    state = optimizer.beginning
    for _ in range(num):
        pixels = optimizer.grid.ravel(optimizer.propose(state, 10).pixels).tolist()
        failed = [{"_id": pixel} for pixel in pixels[:1]] if len(batches) == 2 else []
        good = [
            {"_id": p, "height": float(np.exp(np.sin(p / 40.0)) + 0.02 * rng.standard_normal())}
            for p in pixels[len(failed) :]
        ]
        batches.append((good, failed))
        before, state = state, optimizer.learn(state, good, failed)
        n_fitted = n_fitted if state.n_fitted == before.n_fitted else len(batches)
        yield list(batches), n_fitted, state


@pytest.mark.parametrize("options", [{}, {"maximize": False, "mean": 1}, {"transform": PowerTransformer()}])
def test_a_state_is_recalled_from_its_pixels_and_the_hyperparameters_that_were_recorded(options):
    optimizer = PixelOptimizer(PixelGrid((20, 20)), "height", **options)
    for batches, n_fitted, state in learnt(optimizer, 18):  # beyond 150 pixels, where not every batch is fitted to
        recalled = recall(optimizer.recipe, batches, state.theta, n_fitted)
        np.testing.assert_allclose(recalled.mean, state.mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(recalled.std, state.std, rtol=1e-3, atol=1e-6)
        assert recalled.best_pixel == state.best_pixel
    assert n_fitted < len(batches)


def test_a_value_that_was_taken_back_is_not_recalled():
    optimizer = PixelOptimizer(PixelGrid((5, 5)), "height")
    first = ([{"_id": pixel, "height": float(pixel)} for pixel in range(6)], [])
    recalled = recall(optimizer.recipe, [first, ([], [{"_id": 5}])], optimizer.beginning.theta, 1)
    assert (recalled.n_measured, recalled.n_failed) == (5, 1)
    assert recalled.best_pixel == (0, 4)


def test_before_the_first_value_there_is_nothing_to_recall():
    optimizer = PixelOptimizer(PixelGrid((5, 5)), "height")
    assert np.isnan(recall(optimizer.recipe, [([], [{"_id": 3}])], optimizer.beginning.theta, 0).mean).all()


def test_the_next_state_is_recalled_from_the_one_before_while_nothing_is_fitted():
    optimizer, before, seen = PixelOptimizer(PixelGrid((20, 20)), "height"), None, 0
    for batches, n_fitted, state in learnt(optimizer, 18):
        if before is not None and n_fitted < len(batches):
            recalled = recall_next(optimizer.recipe, before, batches[-1])
            np.testing.assert_allclose(recalled.mean, state.mean, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(recalled.std, state.std, rtol=1e-6, atol=1e-9)
            seen += 1
        before = state
    assert seen


def test_a_value_taken_back_by_the_next_batch_is_forgotten():
    optimizer = PixelOptimizer(PixelGrid((5, 5)), "height")
    first = ([{"_id": pixel, "height": float(pixel)} for pixel in range(6)], [])
    theta = optimizer.beginning.theta
    before = recall(optimizer.recipe, [first], theta, 1)
    recalled = recall_next(optimizer.recipe, before, ([], [{"_id": 5}]))
    np.testing.assert_allclose(recalled.mean, recall(optimizer.recipe, [first, ([], [{"_id": 5}])], theta, 1).mean)
