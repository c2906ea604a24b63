"""Decisions made again from what they knew."""

from math import nan

import pytest

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.run.history import History, Step
from bluesky_gp.run.outcomes import Outcome
from bluesky_gp.run.redoing import after

GRID = PixelGrid((5, 6))


def optimizer(**options):
    return PixelOptimizer(GRID, "height", batch_size=3, n_initial=3, **options)


def test_points_told_by_hand_are_learnt_first_failures_among_them():
    told = ({"_id": 3, "height": 1.5}, {"_id": 4, "height": nan})
    decision = after(optimizer(), History(told=told))
    assert (decision.state.n_measured, decision.state.n_failed) == (1, 1)
    assert decision.iteration == -1 and decision.is_last


def test_a_decision_made_again_goes_on_from_the_pixels_that_were_proposed_then():
    steps = (Step((), 3, (7, 8, 9)), Step((Outcome(7, 0.1), Outcome(8, nan, "failed"), Outcome(9, 0.3)), 3, (1, 2)))
    made = optimizer()
    decision = after(made, History("run", (), steps))
    assert GRID.ravel(decision.proposal.pixels).tolist() == [1, 2]
    learnt = {point["_id"]: point["height"] for point in made.points(decision.state)}
    assert learnt == pytest.approx({7: 0.1, 9: 0.3, 8: nan}, nan_ok=True)


def test_stopping_rules_of_today_do_not_end_a_run_of_then():
    step = Step((), 3, (7, 8, 9))
    learnt = Step(tuple(Outcome(pixel, 1.0) for pixel in (7, 8, 9)), 3, (1, 2, 3))
    decision = after(optimizer(stopping=[MaxPixels(1)]), History("run", (), (step, learnt)))
    assert decision.proposal.stop_reason == "" and len(decision.proposal.pixels) == 3
