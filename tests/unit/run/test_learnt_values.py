"""What an agent's own scalarizer made, read without it: by RunRecord, replay, and a session that resumes."""

import numpy as np
import pytest
from bluesky.utils import FailedStatus
from recorded import Recorded

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.live.run_reader import LiveReader
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import ResumeError
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

SHAPE = (6, 7)
NUM, BATCH = 25, 5


def total(spectrum, axis):
    return float(spectrum.sum())


def undecided(spectrum, axis):
    return float("nan") if spectrum[-1] > 0.0 else float(spectrum.sum())


def mapped(scalarizer=total, num=NUM, **options):
    stage = PixelStage(grid=PixelGrid(SHAPE), name="stage")
    sample = SyntheticFerroelectric(shape=SHAPE, failed=0.0)
    detector = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], name="det")
    optimizer = PixelOptimizer(PixelGrid(SHAPE), "z", batch_size=BATCH)
    agent = GPAgent(optimizer, target="det_spectrum", scalarizer=scalarizer)
    return adaptive_map([detector], stage, agent, num=num, **options)


def events(docs, name):
    uids = [doc["uid"] for kind, doc in docs if kind == "descriptor" and doc["name"] == name]
    return [doc for kind, doc in docs if kind == "event" and doc["descriptor"] in uids]


@pytest.mark.parametrize("scalarizer", [total, undecided, lambda spectrum, axis: float(spectrum[0])])
def test_a_record_is_read_without_the_function_that_made_its_values(RE, docs, scalarizer):
    RE(mapped(scalarizer))
    record, made = RunRecord.from_documents(docs.all), RunRecord.from_documents(docs.all, scalarizer=scalarizer)
    assert [(o.pixel, o.failed) for o in record.outcomes] == [(o.pixel, o.failed) for o in made.outcomes]
    np.testing.assert_array_equal(record.measured[1], made.measured[1])
    assert len(record.outcomes) == NUM and record.spectra.values.shape[0] == NUM
    assert replay(docs.all).identical and replay(docs.all, scalarizer=scalarizer).identical


def test_every_decision_but_the_first_writes_down_what_it_learnt(RE, docs):
    RE(mapped())
    found = events(docs.all, "gp_values")
    assert [doc["data"]["gp_values_iteration"] for doc in found] == [1, 2, 3, 4, 5]
    assert {doc["data"]["gp_values_num"] for doc in found} == {BATCH}


def test_an_agent_that_is_given_numbers_writes_down_none_twice(make_bench, RE, docs):
    bench = make_bench()
    RE(adaptive_map([bench.detector], bench.stage, bench.agent, num=9))
    assert not events(docs.all, "gp_values") and "values_stream" not in docs.all[0][1]["gp"]


def test_a_run_that_resumes_has_the_values_of_its_own_pixels_in_its_record(RE, docs):
    RE(mapped())
    first = list(docs.all)
    RE(mapped(num=NUM + 12, resume_from=Recorded(first)))
    second = docs.all[len(first) :]
    record = RunRecord.from_documents(second)
    assert (len(record.outcomes), len(record.together.outcomes)) == (12, NUM + 12)
    assert replay(second).identical


def test_a_run_that_was_left_between_two_decisions_is_resumed(RE, docs):
    RE(mapped())
    whole = list(docs.all)
    left = whole[: whole.index(("event", events(whole, "primary")[12])) + 1]
    assert len(RunRecord.from_documents(left).outcomes) == 10
    RE(mapped(resume_from=Recorded(left)))
    assert replay(docs.all[len(whole) :]).identical
    np.testing.assert_array_equal(
        RunRecord.from_documents(docs.all[len(whole) :]).together.measured[1],
        RunRecord.from_documents(whole).measured[1],
    )


@pytest.mark.parametrize("of", [lambda s, a: -total(s, a), lambda s, a: float("nan"), lambda s, a: float(s[0])])
def test_another_scalarizer_than_that_of_the_run_is_refused_wherever_it_is_given(RE, docs, of):
    RE(mapped())
    first = list(docs.all)
    sentence = "where .* was learnt, and other values at 5 of 5 pixels: give the one that the run was measured with"
    for reader in (RunRecord.from_documents, replay):
        with pytest.raises(ValueError, match=sentence):
            reader(first, scalarizer=of)
    with pytest.raises((ValueError, ResumeError, FailedStatus), match=sentence):
        RE(mapped(of, num=NUM + 5, resume_from=Recorded(first)))
    assert not events(docs.all[len(first) :], "primary")


def test_a_scalarizer_that_only_has_another_name_goes_on(RE, docs):
    RE(mapped())
    first = list(docs.all)
    RE(mapped(lambda spectrum, axis: float(np.sum(spectrum)), num=NUM + 5, resume_from=Recorded(first)))
    assert len(events(docs.all[len(first) :], "primary")) == 5


def test_live_maps_have_the_values_of_a_function_that_they_cannot_call(RE, docs):
    RE(mapped())
    reader = LiveReader()
    for name, doc in docs.all:
        reader(name, doc)
    np.testing.assert_array_equal(reader.so_far.values, RunRecord.from_documents(docs.all).measured[1])


def test_an_older_record_without_values_asks_for_the_function(RE, docs):
    RE(mapped())
    start = docs.all[0][1]
    older = [("start", {**start, "gp": {k: v for k, v in start["gp"].items() if k != "values_stream"}})]
    uids = [doc["uid"] for kind, doc in docs.all if kind == "descriptor" and doc["name"] == "gp_values"]
    older += [
        (name, doc) for name, doc in docs.all[1:] if doc.get("descriptor") not in uids and doc.get("uid") not in uids
    ]
    with pytest.raises(ValueError, match="scalarizer was a function of somebody's own, 'total': give it"):
        RunRecord.from_documents(older)
    assert len(RunRecord.from_documents(older, scalarizer=total).measured[1]) == NUM
    assert replay(older, scalarizer=total).identical


def test_pixels_whose_values_nobody_learnt_are_failed_ones_of_an_aborted_run(RE, docs):
    RE(mapped())
    at = docs.all.index(("event", events(docs.all, "primary")[12])) + 1
    aborted = [*docs.all[:at], ("stop", {**docs.all[-1][1], "exit_status": "abort"})]
    record = RunRecord.from_documents(aborted)
    assert [outcome.failed for outcome in record.outcomes] == 10 * [False] + 3 * [True]
    assert "the run ended before its value was learnt" in record.outcomes[-1].reason
