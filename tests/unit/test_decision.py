import math

import numpy as np
import pytest

from bluesky_gp.decision import beginning, decide
from bluesky_gp.grid import PixelGrid
from bluesky_gp.heard import Outcome
from bluesky_gp.testing import ListOptimizer


class Noting(ListOptimizer):
    """Notes what it is told, and answers from a list."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.told = []

    def learn(self, state, points, failures=(), *, final=False):
        self.told.append(([p["_id"] for p in points], [f["_id"] for f in failures], final))
        return super().learn(state, points, failures, final=final)


@pytest.fixture
def optimizer():
    return Noting(PixelGrid((3, 4)), "height", pixels=[(2, 0), (0, 1), (1, 1), (0, 0), (2, 3)], batch_size=3)


def test_the_first_batch_is_chosen_without_values(optimizer):
    first = decide(optimizer, beginning(optimizer), (), None)
    assert first.iteration == 0 and first.attempted == 0 and not first.is_last
    assert first.pixels.tolist() == [[2, 0], [0, 1], [1, 1]]


def test_outcomes_are_learnt_in_the_order_of_the_batch_not_of_arrival(optimizer):
    first = decide(optimizer, beginning(optimizer), (), None)
    decide(optimizer, first, (Outcome(11, 0.0), Outcome(5, 3.0), Outcome(1, math.nan, "x"), Outcome(8, 1.0)), None)
    assert optimizer.told[-1] == ([8, 5, 11], [1], False)


def test_the_same_question_gets_the_same_answer_and_changes_nothing(optimizer):
    first = decide(optimizer, beginning(optimizer), (), None)
    before = optimizer.state
    one, other = (decide(optimizer, first, (Outcome(8, 1.0),), None) for _ in range(2))
    assert np.array_equal(one.pixels, other.pixels) and one.state.values == other.state.values
    assert optimizer.state is before


def test_no_more_is_proposed_than_the_run_may_attempt(optimizer):
    first = decide(optimizer, beginning(optimizer), (), 4)
    second = decide(optimizer, first, tuple(Outcome(p, 1.0) for p in (8, 1, 5)), 4)
    assert second.pixels.tolist() == [[0, 0]]


def test_after_num_pixels_the_last_fit_is_made_and_nothing_proposed(optimizer):
    first = decide(optimizer, beginning(optimizer), (), 3)
    last = decide(optimizer, first, tuple(Outcome(p, 1.0) for p in (8, 1, 5)), 3)
    assert last.is_last and last.stop_reason == "num" and last.pixels.shape == (0, 2)
    assert optimizer.told[-1] == ([8, 1, 5], [], True)


def test_failed_pixels_count_as_attempted(optimizer):
    first = decide(optimizer, beginning(optimizer), (), 3)
    last = decide(optimizer, first, tuple(Outcome(p, math.nan, "x") for p in (8, 1, 5)), 3)
    assert last.attempted == 3 and last.is_last and last.state.n_failed == 3


def test_where_the_optimizer_has_nothing_left_its_reason_is_recorded_and_the_last_fit_made(optimizer):
    first = decide(optimizer, beginning(optimizer), (), None)
    second = decide(optimizer, first, tuple(Outcome(p, 1.0) for p in (8, 1, 5)), None)
    last = decide(optimizer, second, tuple(Outcome(p, 1.0) for p in (0, 11)), None)
    assert last.is_last and last.stop_reason == "the list is done"
    assert optimizer.told[-1] == ([], [], True)
