"""Batches chosen while the one before is measured: recorded, failed, ended, killed, resumed and replayed as others."""

import threading

import numpy as np
import pytest
from bluesky.utils import FailedStatus, RunEngineInterrupted
from flown import FlownBench
from pauses import pausing, to_the_end
from recorded_runs import cut, through_text

from bluesky_gp import PixelOptimizer
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.recording import open_catalog, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify

NUM = 15


def flown(script=None, optimizer=PixelOptimizer, **options):
    return FlownBench(script, optimizer, **{"batch_size": 2, "n_initial": 2, **options})


def overlapped(bench, num=NUM, **options):
    return bench.map(num, overlap=True, **options)


def pixels(*records):
    return [outcome.pixel for record in records for outcome in record.outcomes]


@pytest.fixture(params=["flown", "pixel by pixel"])
def session(request, make_bench):
    """Make a bench whose batches are flown, and one whose pixels are measured one by one."""
    if request.param == "flown":
        return flown
    return lambda script=None: make_bench(script=script, optimizer=PixelOptimizer, batch_size=2, n_initial=2)


def test_a_decision_knows_all_but_the_batch_under_way_and_says_so(RE, docs, session):
    RE(overlapped(session()))
    assert docs.column("gp_pending", "gp") == [0, 0, 0, 0, 2, 2, 2, 2, 0]
    assert docs.column("gp_n_outcomes", "gp") == [0, 2, 4, 6, 6, 8, 10, 12, 15]
    assert len({outcome.pixel for outcome in RunRecord.from_documents(docs.all).outcomes}) == NUM
    assert docs.starts[0]["plan_args"]["overlap"] is True


def test_the_agent_decides_while_the_batch_is_measured(RE, docs):
    decided, bench = threading.Event(), flown()
    propose, visit = bench.optimizer.propose, bench.detector._visit

    def proposing(state, num, **options):
        proposal = propose(state, num, **options)
        if options.get("pending"):
            decided.set()
        return proposal

    def visiting(pixel):
        if len(bench.detector.visited) == 7:  # in the middle of the fourth batch
            assert decided.wait(60.0)
        return visit(pixel)

    bench.optimizer.propose, bench.detector._visit = proposing, visiting
    RE(overlapped(bench, 10))
    assert docs.counts["primary"] == 10 and "gp_failures" not in docs.counts


def test_a_flight_has_begun_before_the_agent_begins_to_decide_what_follows_it(RE):
    bench, sent = flown(), []
    RE.msg_hook = lambda msg: sent.append(msg.command if msg.command == "kickoff" else msg.obj)
    RE(overlapped(bench, 10))
    asked = [i for i, what in enumerate(sent) if what is bench.agent.ahead and sent[i - 1] is bench.detector]
    assert len(asked) == 5 and all(sent[i - 3 : i].count("kickoff") == 1 for i in asked)


def test_it_is_replayed_bit_for_bit_and_keeps_its_contract(RE, docs, session):
    RE(overlapped(session({(0, 3): ["fail"], (5, 5): ["nan"]})))
    assert replay(through_text(docs.all)).identical
    assert [clause for clause in verify(docs.all) if not clause.holds] == []


@pytest.mark.parametrize("share", [0.4, 0.6, 0.75])
def test_killed_anywhere_it_goes_on_as_if_it_had_never_been(RE, docs, tmp_path, session, share):
    RE(overlapped(session({(4, 4): ["fail"]})))
    whole, docs.all[:] = list(docs.all), []
    path = cut(whole, round(share * len(whole)), tmp_path / "killed.jsonl")
    RE(overlapped(session({(4, 4): ["fail"]}), resume_from=path))
    one, other, full = (RunRecord.from_documents(d) for d in (read_journal(path), docs.all, whole))
    assert pixels(one, other) == pixels(full)
    steps = [record.iterations.get("pending", np.empty(0)).tolist() for record in (one, other, full)]
    assert steps[0] + steps[1] == steps[2]
    assert replay(docs.all).identical


@pytest.mark.slow
def test_it_is_replayed_out_of_a_catalog(RE, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        RE(overlapped(flown(), 10))
        assert replay(catalog[-1].documents()).identical


def test_a_run_that_was_resumed_twice_is_resumed_and_replayed(RE, docs, tmp_path):
    RE(overlapped(flown()))
    whole, docs.all[:] = list(docs.all), []
    first = cut(whole, 23, tmp_path / "first.jsonl")
    RE(overlapped(flown(), resume_from=first))
    second, docs.all[:] = cut(docs.all, 8, tmp_path / "second.jsonl"), []
    RE(overlapped(flown(), resume_from=second))
    parts = [RunRecord.from_documents(d) for d in (read_journal(first), read_journal(second), docs.all)]
    assert pixels(*parts) == pixels(RunRecord.from_documents(whole))
    assert replay(docs.all).identical


@pytest.mark.slow
def test_a_pause_at_any_message_changes_nothing(RE, docs):
    def essence():
        return [[np.asarray(v).tolist() for v in docs.column(f"gp_{name}", "gp")] for name in ("proposed", "pending")]

    seen = []
    pausing(RE, (), seen)
    RE(overlapped(flown(), 10))
    expected, docs.all[:] = essence(), []
    for number, command in list(enumerate(seen))[60::9]:
        pausing(RE, (number,), [])
        to_the_end(RE, overlapped(flown(), 10))
        assert essence() == expected, f"paused at message {number}, {command}"
        docs.all[:] = []


def interrupted(RE, bench, at=7):
    """Run until a batch is under way, and the next is decided, then pause."""
    visit, pause, bench.detector.told = bench.detector._visit, bench.detector.pause, threading.Event()

    def pausing():
        pause()
        bench.detector.told.set()  # to hold before the next point

    def visiting(pixel):
        if len(bench.detector.visited) == at:
            assert bench.agent.progress.awaited is not None
            bench.agent.progress.awaited.result(60.0)
            RE.request_pause()
            assert bench.detector.told.wait(60.0)
        return visit(pixel)

    bench.detector._visit, bench.detector.pause = visiting, pausing
    with pytest.raises(RunEngineInterrupted):
        RE(overlapped(bench))
    bench.detector._visit = visit
    return bench


def test_aborted_it_leaves_no_decision_that_is_not_recorded(RE, docs):
    bench = interrupted(RE, flown(), at=6)
    RE.abort()
    assert docs.column("gp_pending", "gp") == [0, 0, 0, 0]
    assert len(bench.agent.left.history.steps) == 4 and len(bench.agent.left.history.rest) > 0
    left, first = bench.agent.left, list(docs.all)
    docs.all[:] = []
    RE(overlapped(bench, resume_from=left))
    here = pixels(RunRecord.from_documents(first), RunRecord.from_documents(docs.all))
    docs.all[:] = []
    RE(overlapped(flown()))
    assert here == pixels(RunRecord.from_documents(docs.all))


def test_the_word_of_a_person_is_heeded_by_the_next_decision_which_then_knows_all(RE, docs):
    bench = interrupted(RE, flown())
    bench.agent.configure(batch_size=1)
    RE.resume()
    assert docs.column("gp_pending", "gp")[:6] == [0, 0, 0, 0, 0, 1]
    assert docs.column("gp_n_outcomes", "gp")[4] == 8
    assert docs.column("gp_asked", "gp")[4] == 1
    assert replay(docs.all).identical


def test_a_run_that_is_finished_by_hand_ends_after_the_batch_under_way(RE, docs):
    bench = interrupted(RE, flown())
    bench.agent.finish("good enough")
    RE.resume()
    assert docs.counts["primary"] == 8 and docs.column("gp_stop_reason", "gp")[-1] == "good enough"
    assert docs.column("gp_n_measured", "gp")[-1] == 8


def test_pixels_that_a_person_wants_are_measured_once(RE, docs):
    bench = interrupted(RE, flown())
    decision = bench.agent.decision
    under_way = {*bench.detector.visited, *map(tuple, decision.proposal.pixels.tolist())}
    wanted = [pixel for pixel in np.ndindex(8, 8) if pixel not in under_way][:7]
    bench.agent.add_pixels(wanted)
    RE.resume()
    proposed = [tuple(row) for batch in docs.column("gp_proposed", "gp") for row in np.asarray(batch).tolist()]
    assert [proposed.count(pixel) for pixel in wanted] == [1] * 7
    assert replay(docs.all).identical


def test_a_stopping_rule_ends_the_run_with_all_that_was_measured_known(RE, docs):
    RE(overlapped(flown(stopping=[MaxPixels(12)])))
    assert docs.column("gp_n_outcomes", "gp")[-1] == docs.counts["primary"]
    assert docs.column("gp_pending", "gp")[-1] == 0


def test_an_optimizer_that_fails_ahead_fails_where_it_is_asked_with_its_reason(RE, docs):
    bench = flown()
    propose = bench.optimizer.propose

    def proposing(state, num, **options):
        if state.n_measured >= 8:
            raise FloatingPointError("the map is on fire")
        return propose(state, num, **options)

    bench.optimizer.propose = proposing
    with pytest.raises(FailedStatus) as failed:
        RE(overlapped(bench))
    assert "the map is on fire" in str(failed.value.__cause__ or failed.value)
    assert docs.counts["primary"] == 10 and docs.stops[0]["exit_status"] == "fail"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"overlap": 1}, TypeError, "overlap must be True or False, got 1"),
        ({"overlap": True, "review": True}, ValueError, "chosen when they have seen the one before"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_moves(RE, docs, options, error, sentence):
    with pytest.raises(error, match=sentence):
        RE(flown().map(10, **options))
    assert docs.all == []
