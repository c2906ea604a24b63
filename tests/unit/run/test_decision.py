import math

import numpy as np
import pytest

from bluesky_gp.grid import PixelGrid
from bluesky_gp.run.decision import beginning, decide
from bluesky_gp.run.outcomes import Outcome
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
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    assert first.iteration == 0 and first.n_outcomes == 0 and not first.is_last
    assert first.proposal.pixels.tolist() == [[2, 0], [0, 1], [1, 1]]


def test_outcomes_are_learnt_in_the_order_of_the_batch_not_of_arrival(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    decide(optimizer, first, (Outcome(11, 0.0), Outcome(5, 3.0), Outcome(1, math.nan, "x"), Outcome(8, 1.0)), 3)
    assert optimizer.told[-1] == ([8, 5, 11], [1], False)


def test_the_same_question_gets_the_same_answer_and_changes_nothing(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    before = optimizer.state
    one, other = (decide(optimizer, first, (Outcome(8, 1.0),), 3) for _ in range(2))
    assert np.array_equal(one.proposal.pixels, other.proposal.pixels) and one.state.values == other.state.values  # type: ignore[attr-defined]
    assert optimizer.state is before


def test_no_more_is_proposed_than_was_asked_for(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    second = decide(optimizer, first, tuple(Outcome(p, 1.0) for p in (8, 1, 5)), 1)
    assert second.proposal.pixels.tolist() == [[0, 0]]


def test_where_nothing_is_asked_for_the_last_fit_is_made_and_nothing_proposed(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    last = decide(optimizer, first, tuple(Outcome(p, 1.0) for p in (8, 1, 5)), 0, "enough")
    assert last.is_last and last.proposal.stop_reason == "enough" and last.proposal.pixels.shape == (0, 2)
    assert optimizer.told[-2:] == [([8, 1, 5], [], False), ([], [], True)]


def test_outcomes_that_it_knows_are_counted_failed_ones_too(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    last = decide(optimizer, first, tuple(Outcome(p, math.nan, "x") for p in (8, 1, 5)), 0)
    assert last.n_outcomes == 3 and last.is_last and last.state.n_failed == 3


def test_a_pixel_marked_as_failed_after_it_was_measured_has_failed(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    decide(optimizer, first, (Outcome(8, 1.0), Outcome(1, 2.0), Outcome(8, math.nan, "a bubble")), 3)
    assert optimizer.told[-1] == ([1], [8], False)


def test_a_pixel_that_failed_and_is_measured_after_all_has_a_value(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    decide(optimizer, first, (Outcome(8, math.nan, "x"), Outcome(8, 1.0), Outcome(8, 2.0)), 3)
    assert optimizer.told[-1] == ([8, 8], [], False)


def test_where_the_optimizer_has_nothing_left_its_reason_is_recorded_and_the_last_fit_made(optimizer):
    first = decide(optimizer, beginning(optimizer, optimizer.state), (), 3)
    second = decide(optimizer, first, tuple(Outcome(p, 1.0) for p in (8, 1, 5)), 3)
    last = decide(optimizer, second, tuple(Outcome(p, 1.0) for p in (0, 11)), 3)
    assert last.is_last and last.proposal.stop_reason == "the list is done"
    assert optimizer.told[-1] == ([], [], True)
