"""Pixels that are looked at as often as it pays: recorded, replayed, within their dose."""

import numpy as np
import pytest
from bluesky.simulators import summarize_plan
from recorded_runs import cut

from bluesky_gp import PixelOptimizer
from bluesky_gp.agent import worthwhile_looks
from bluesky_gp.live import IterationLine
from bluesky_gp.optimizer import MaxDose
from bluesky_gp.plans import repeating
from bluesky_gp.recording import read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify


@pytest.mark.parametrize("noise", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("going_on", [0.5, 3.0, 40.0])
def test_no_other_number_of_looks_takes_away_more_variance_a_second(noise, going_on):
    k = np.arange(1, 100)
    rates = 1.0 / ((1.0 + noise / k) * (going_on + k))
    assert abs(worthwhile_looks(noise, going_on, 1.0) - k[rates.argmax()]) <= 1


def test_one_look_where_the_times_are_not_known_and_as_for_a_noisy_map_before_the_first_fit():
    assert worthwhile_looks(9.0, float("nan"), 1.0) == worthwhile_looks(9.0, 1.0, 0.0) == 1
    assert worthwhile_looks(float("nan"), 9.0, 1.0) == 3


@pytest.fixture
def session(make_bench, monkeypatch):
    """Make a bench whose agent finds every pixel worth three looks, whatever this machine takes for them."""

    def made(**options):
        bench = make_bench(**{"optimizer": PixelOptimizer, "batch_size": 2, "n_initial": 2, **options})
        monkeypatch.setattr("bluesky_gp.agent.steering.worthwhile_looks", lambda *_: 3)
        return bench

    return made


def test_every_look_is_an_event_that_is_learnt_and_the_stage_moves_once(session, RE, docs):
    bench, moves = session(), []
    go = bench.stage.set
    bench.stage.set = lambda *given: moves.append(given) or go(*given)
    RE(bench.map(6, per_pixel=repeating()))
    assert docs.counts["primary"] == 18 and len(moves) == 6
    assert bench.optimizer.state.n_measured == 18
    assert len({outcome.pixel for outcome in RunRecord.from_documents(docs.all).outcomes}) == 6
    assert replay(docs.all).identical


@pytest.mark.parametrize("share", [0.4, 0.7])
def test_killed_between_two_looks_it_goes_on_is_replayed_and_keeps_its_contract(session, RE, docs, tmp_path, share):
    RE(session().map(6, per_pixel=repeating()))
    path, docs.all[:] = cut(docs.all, round(share * len(docs.all)), tmp_path / "killed.jsonl"), []
    RE(session().map(6, per_pixel=repeating(), resume_from=path))
    records = [RunRecord.from_documents(each) for each in (read_journal(path), docs.all)]
    assert len({outcome.pixel for record in records for outcome in record.outcomes}) == 6
    assert replay(docs.all).identical
    assert [clause for clause in verify(docs.all) if not clause.holds] == []


def test_the_most_looks_are_the_users(session, RE, docs):
    RE(session().map(4, per_pixel=repeating(most=2)))
    assert docs.counts["primary"] == 8


def test_the_line_counts_pixels_and_not_looks(session, RE):
    seen = []
    RE.subscribe(IterationLine(seen.append))
    RE(session().map(6, per_pixel=repeating()))
    assert [progress.done for progress in seen] == [0, 2, 4, 6]


def test_the_dose_is_that_of_all_looks_and_is_kept(session, RE, docs):
    RE(session().map(40, per_pixel=repeating(), dose=MaxDose(1.0, 0.1, "pC")))
    assert docs.counts["primary"] == 10


def test_a_pixel_that_failed_is_not_looked_at_again(session, RE, docs):
    bench = session(script={(row, col): ["nan"] for row in range(8) for col in range(4)})
    RE(bench.map(10, per_pixel=repeating()))
    record = RunRecord.from_documents(docs.all)
    failed = [outcome.pixel for outcome in record.outcomes if outcome.failed]
    assert len(failed) == len(set(failed)) > 0


def test_a_fault_at_another_look_leaves_the_looks_before_it(session, RE, docs):
    words = {(row, col): ["ok", "fail"] for row in range(8) for col in range(8)}
    RE(session(script=words).map(4, per_pixel=repeating()))
    assert docs.counts == {**docs.counts, "primary": 4}
    assert "gp_failures" not in docs.counts


def test_a_look_that_is_rejected_is_the_last_at_its_pixel(session, RE, docs):
    words = {(row, col): ["ok", "nan"] for row in range(8) for col in range(8)}
    RE(session(script=words).map(4, per_pixel=repeating()))
    assert docs.counts["primary"] == 8
    assert replay(docs.all).identical


def test_a_plan_that_repeats_can_be_summarized(session, capsys):
    summarize_plan(session().map(4, per_pixel=repeating()))
    assert "Open Run" in capsys.readouterr().out


def test_what_is_no_number_of_looks_is_refused():
    with pytest.raises(ValueError, match="repeating: most must be at least 1, got 0"):
        repeating(most=0)
