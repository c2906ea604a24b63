import json
import math

import numpy as np
import pytest

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import PixelOptimizer
from bluesky_gp.run.decision import decide
from bluesky_gp.run.history import History, Step
from bluesky_gp.run.outcomes import Outcome
from bluesky_gp.run.redoing import after
from bluesky_gp.testing import ListOptimizer

GRID = PixelGrid((4, 5))


def failed(pixel):
    return Outcome(pixel, math.nan, "failed")


HISTORY = History(
    uid="run",
    told=({"_id": 3, "height": 1.5, "height_std": 0.1}, {"_id": 4, "height": math.nan}),
    steps=(
        Step((), 3, (0, 1, 2)),
        Step((Outcome(0, 0.1), failed(1), Outcome(2, 1e-300)), 3, (5, 6, 7)),
    ),
    unlearnt=(Outcome(6, -2.0),),
)


def test_it_comes_back_from_plain_json():
    plain = json.loads(json.dumps(HISTORY.to_mapping(), allow_nan=False))
    again = History.of(plain)
    assert repr(again) == repr(HISTORY)
    assert again.to_mapping() == plain


def test_the_start_document_of_a_run_that_began_with_nothing_says_nothing():
    assert History().to_mapping() == {} and History.of({"agent": "gp"}) == History()


def test_pixels_of_the_last_batch_without_an_outcome_are_the_rest():
    assert HISTORY.rest == (5, 7)
    assert HISTORY.attempted == {0, 1, 2, 6}
    assert History().rest == ()


@pytest.mark.parametrize(
    "change",
    [
        {"learnt": [0, 9]},
        {"asked": [3]},
        {"pixels": [1]},
        {"values": "many"},
        {"proposed": [[0, 1, 2], 5]},
        {"uid": None, "learnt": None},
    ],
)
def test_a_damaged_one_is_an_error(change):
    plain = HISTORY.to_mapping()
    with pytest.raises(ValueError):
        History.of({"resumed_from": {**plain["resumed_from"], **change}})


def test_after_it_the_optimizer_is_where_the_old_run_was():
    optimizer = PixelOptimizer(GRID, "height", batch_size=4, n_initial=4)
    state = optimizer.learn(optimizer.beginning, [{"_id": 19, "height": 2.0}])
    decision, steps, outcomes = None, [], ()
    history = History(told=tuple(optimizer.points(state)))
    for _ in range(3):
        decision = decide(optimizer, decision or after(optimizer, history), outcomes, 4)
        flat = tuple(GRID.ravel(decision.proposal.pixels).tolist())
        steps.append(Step(outcomes, 4, flat))
        outcomes = tuple(Outcome(pixel, math.sin(pixel)) for pixel in reversed(flat))
    again = after(optimizer, History("run", history.told, tuple(steps), outcomes))
    assert again.iteration == decision.iteration == 2 and again.n_outcomes == decision.n_outcomes == 8
    for name in ("mean", "std", "theta"):
        assert np.array_equal(getattr(again.state, name), getattr(decision.state, name))
    assert optimizer.state.n_attempted == 0  # nothing was changed


def test_pixels_that_were_proposed_then_are_gone_on_from_whatever_is_proposed_now():
    optimizer = ListOptimizer(GRID, "height", batch_size=3)
    decision = after(optimizer, History("run", steps=(Step((), 3, (9, 8, 7)),)))
    assert GRID.ravel(decision.proposal.pixels).tolist() == [9, 8, 7]


SPECTRUM = np.array([0.1, math.nan, -math.inf, 1e-300])


def test_further_numbers_and_spectra_come_back_to_the_last_bit_and_missing_ones_stay_missing():
    outcomes = (
        Outcome(0, 1.0, others={"tilt": 0.1, "spectrum": SPECTRUM}),
        failed(1),
        Outcome(2, 1.0, others={"tilt": math.nan, "spectrum": np.array([1.0, 2.5, 0.0, -1.0])}),
    )
    known = ({"_id": 3, "height": 1.5, "tilt": math.nan, "spectrum": SPECTRUM},)
    plain = json.loads(json.dumps(History("run", known, unlearnt=outcomes).to_mapping(), allow_nan=False))
    again = History.of(plain)
    first, second, third = (outcome.others for outcome in again.unlearnt)
    assert first["tilt"] == 0.1 and first["spectrum"].tobytes() == SPECTRUM.tobytes()
    assert second == {} and "tilt" not in third and third["spectrum"].tolist() == [1.0, 2.5, 0.0, -1.0]
    assert again.told[0]["spectrum"].tobytes() == SPECTRUM.tobytes()
    assert math.isnan(again.told[0]["tilt"])


@pytest.mark.parametrize("others", [{"tilt": [1.0]}, {"tilt": ["f4:!"] * 2}, {"tilt": ["f2:"] * 2}, {"tilt": 3}])
def test_damaged_further_numbers_are_an_error(others):
    plain = History("run", unlearnt=(Outcome(0, 1.0), Outcome(1, 1.0))).to_mapping()
    with pytest.raises(ValueError, match="damaged"):
        History.of({"resumed_from": {**plain["resumed_from"], "others": others}})
