"""Pixels that are measured again, after the map."""

import numpy as np
import pytest
from ophyd import Signal
from recorded_runs import Run

from bluesky_gp import PixelOptimizer
from bluesky_gp.plans import remeasure
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


@pytest.fixture
def session(make_bench):
    """Makes what a new session has: stage, detector, optimizer and agent."""
    return lambda **options: make_bench(optimizer=PixelOptimizer, **{"batch_size": 5, "n_initial": 5, **options})


def noisy(bench):
    """Have a detector answer with noise of 0.5."""
    rng, hill = np.random.default_rng(1), bench.detector.truth
    bench.detector.truth = lambda row, col: hill(row, col) + 0.5 * rng.standard_normal()
    return bench


def test_the_best_pixel_is_measured_again_and_its_values_are_averaged_with_their_noise(session, RE, docs):
    bench = noisy(session())
    RE(bench.map(30))
    best, before = bench.optimizer.state.best_pixel, bench.optimizer.state
    docs.all[:] = []
    RE(remeasure(bench.stage, bench.agent, repeats=12))
    record = RunRecord.from_documents(docs.all)
    assert {outcome.pixel for outcome in record.outcomes} == {int(bench.grid.ravel([best])[0])}
    assert len(record.outcomes) == 12 and record.start["plan_name"] == "remeasure"
    after = bench.optimizer.state
    assert after.n_measured == before.n_measured + 12
    assert after.std[best] < 0.6 * before.std[best]
    assert abs(after.mean[best] - np.mean([o.value for o in record.outcomes])) < 0.25
    assert docs.column("gp_hands_action", "gp_hands") == ["add_pixels"]
    assert record.iterations["by_hand"][0].tolist() == [1, -1, -1, -1, -1]
    assert replay(docs.all).identical


def test_more_pixels_than_a_batch_has_are_all_measured_again(session, RE, docs):
    bench = session()
    RE(bench.map(10))
    docs.all[:] = []
    RE(remeasure(bench.stage, bench.agent, [[0, col] for col in range(7)], repeats=2))
    assert docs.counts["primary"] == 14
    assert docs.column("gp_stop_reason", "gp")[-1] == "num"
    assert replay(docs.all).identical


def test_the_exposure_is_another_for_a_while(session, RE, docs):
    bench = session()
    bench.detector.exposure = Signal(name="exposure", value=0.5)
    seen, trigger = [], bench.detector.trigger
    bench.detector.trigger = lambda: (seen.append(bench.detector.exposure.get()), trigger())[1]
    RE(bench.map(5))
    RE(remeasure(bench.stage, bench.agent, exposure=2.0))
    assert seen == [0.5] * 5 + [2.0] and bench.detector.exposure.get() == 0.5


def test_a_map_goes_on_where_pixels_were_measured_again(session, RE, docs):
    bench = session()
    RE(bench.map(10))
    RE(remeasure(bench.stage, bench.agent))
    again = docs.starts[-1]["uid"]
    documents = [pair for pair in docs.all if pair[1] is not None]
    start = next(i for i, (name, doc) in enumerate(documents) if doc.get("uid") == again)
    second = documents[start:]
    docs.all[:] = []
    RE(session().map(20, resume_from=Run(second)))
    record = RunRecord.from_documents(docs.all)
    assert len(record.outcomes) == 10 and len(record.inherited.learnt) == 10
    assert len(record.inherited.attempted) == 10
    assert replay(docs.all).identical


def test_a_session_that_begins_measures_the_best_pixel_of_an_earlier_run_again(session, RE, docs):
    bench = session()
    RE(bench.map(10))
    best, earlier = bench.optimizer.state.best_pixel, Run(list(docs.all))
    docs.all[:] = []
    bench = session()
    RE(remeasure(bench.stage, bench.agent, detectors=[bench.detector], resume_from=earlier))
    record = RunRecord.from_documents(docs.all)
    assert [outcome.pixel for outcome in record.outcomes] == [int(bench.grid.ravel([best])[0])]
    assert bench.optimizer.state.n_measured == 11


def test_without_a_map_or_with_words_for_numbers_it_says_so(session, RE):
    bench = session()
    with pytest.raises(ValueError, match="gp has measured nothing in this session"):
        RE(remeasure(bench.stage, bench.agent))
    RE(bench.map(5))
    for options, sentence in (
        ({"repeats": 0}, "repeats must be at least 1"),
        ({"repeats": "two"}, "repeats must be a whole number"),
        ({"exposure": -1.0}, "exposure must be larger than 0"),
        ({"exposure": 1.0}, "none of .'det'. has an exposure"),
        ({"pixels": [[0, 9]]}, "outside the grid"),
    ):
        with pytest.raises((TypeError, ValueError), match=sentence):
            RE(remeasure(bench.stage, bench.agent, **options))
