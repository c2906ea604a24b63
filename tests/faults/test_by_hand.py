"""What a person does to a run: ends it after a batch, marks pixels as failed, leaves pixels unmeasured."""

import threading

import numpy as np
import pytest
from bluesky.utils import RunEngineInterrupted
from recorded_runs import NUM, Run, after_pixels, cut

from bluesky_gp import PixelOptimizer
from bluesky_gp.run import RunRecord


def pausing_in_batch(RE, bench, number):  # noqa: N803
    """Ask for a pause at the `number`-th exposure, which takes 0.1 s."""
    trigger = bench.detector.trigger

    def triggered():
        if len(bench.detector.triggered) == number - 1:
            threading.Thread(target=RE.request_pause, daemon=True).start()
            pixel = tuple(round(p) for p in bench.stage.locate()["readback"])
            bench.detector.script[pixel] = ["slow"]
        return trigger()

    bench.detector.trigger = triggered


# -- finish ----------------------------------------------------------------------------------------------------------


def test_finished_while_paused_it_ends_as_a_success_after_the_batch(session, RE, docs):
    bench = session()
    pausing_in_batch(RE, bench, 13)
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(40))
    bench.agent.finish("the beam goes off at six")
    RE.resume()
    assert docs.counts["primary"] == 15 and bench.optimizer.state.n_measured == 15
    assert docs.stops[0]["exit_status"] == "success"
    assert docs.column("gp_stop_reason", "gp")[-1] == "the beam goes off at six"
    assert docs.column("gp_maps_iteration", "gp_maps")[-1] == 3


def test_finished_from_a_callback_it_ends_after_the_batch(session, RE, docs):
    bench = session()

    def enough(name, doc):
        if name == "event" and doc["data"].get("det_height", 0.0) > 9.0:
            bench.agent.finish("high enough")

    RE(bench.map(64), enough)
    assert docs.column("gp_stop_reason", "gp")[-1] == "high enough"
    assert docs.counts["primary"] < 64 and docs.counts["primary"] % 5 == 0


def test_finished_while_it_computes_it_ends_after_the_batch_that_comes_of_it(session, RE, docs):
    bench = session()
    propose, asked = bench.optimizer.propose, []

    def finishing(*args, **options):
        asked.append(1)
        if len(asked) == 2:
            bench.agent.finish()
        return propose(*args, **options)

    bench.optimizer.propose = finishing
    RE(bench.map(64))
    assert docs.counts["primary"] == 10 and docs.column("gp_stop_reason", "gp")[-1] == "finished by hand"


def test_the_run_after_a_finished_one_is_not_finished(session, RE, docs):
    bench = session()
    RE(bench.map(64), lambda name, doc: bench.agent.finish() if name == "descriptor" else None)
    RE(bench.map(12))
    assert [stop["exit_status"] for stop in docs.stops] == ["success", "success"]
    assert docs.column("gp_stop_reason", "gp")[-1] == "num"


def test_a_finished_run_can_be_gone_on_with(session, RE, docs):
    RE(session().map(12))
    whole, docs.all[:] = list(docs.all), []
    bench = session()
    RE(bench.map(64), lambda name, doc: bench.agent.finish() if name == "event" else None)
    first, docs.all[:] = list(docs.all), []
    RE(session().map(12, resume_from=Run(first)))
    one, other, full = map(RunRecord.from_documents, (first, docs.all, whole))
    assert len(one.outcomes) == 5
    assert [o.pixel for o in (*one.outcomes, *other.outcomes)] == [o.pixel for o in full.outcomes]


def test_there_is_nothing_to_finish_between_runs(session, RE):
    bench = session()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="gp: there is no run to finish"):
            bench.agent.finish()
        RE(bench.map(5))


# -- marked as failed ------------------------------------------------------------------------------------------------


def test_a_pixel_marked_while_paused_is_recorded_with_its_reason_and_its_value_forgotten(session, RE, docs):
    bench = session()
    pausing_in_batch(RE, bench, 13)
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(20))
    first = [round(docs.data()[0][key]) for key in ("stage_row", "stage_col")]
    bench.agent.mark_failed(first, "a bubble")
    RE.resume()
    (failure,) = docs.data("gp_failures")
    assert failure == {
        "gp_failures_pixel": first,
        "gp_failures_reason": "a bubble",
        "gp_failures_kind": "by hand",
    }
    state = bench.optimizer.state
    assert (state.n_measured, state.n_failed, docs.counts["primary"]) == (19, 1, 20)
    assert bench.agent.marks == ()
    record = RunRecord.from_documents(docs.all)
    assert record.failed.tolist() == [first] and first not in record.measured[0].tolist()


def test_a_value_that_is_forgotten_leaves_the_model_as_if_it_had_never_been_measured(session):
    optimizer, other = session().optimizer, session().optimizer
    points = [{"_id": 3 * i, "height": float(i % 5)} for i in range(20)]
    optimizer.ingest(points[:19])
    optimizer.ingest([{**points[19], "height": 1e9}])
    optimizer.register_failures(points[19:])
    other.ingest(points[:19])
    other.register_failures(points[19:])
    assert optimizer.state.n_measured == 19 and optimizer.state.n_failed == 1
    np.testing.assert_allclose(optimizer.mean, other.mean, atol=0.05)
    assert optimizer.state.noise_std < 2.0


def test_the_only_value_may_be_forgotten(session):
    optimizer = session().optimizer
    optimizer.ingest([{"row": 1, "col": 1, "height": 3.0}])
    optimizer.register_failures([{"row": 1, "col": 1}])
    assert optimizer.best is None and np.isnan(optimizer.mean).all() and len(optimizer.suggest(5)) == 5


def test_a_marked_pixel_that_is_still_to_come_is_not_measured(session, RE, docs):
    bench = session()
    pausing_in_batch(RE, bench, 13)
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(20))
    last = docs.data("gp")[2]["gp_proposed"][-1]
    bench.agent.mark_failed(last, "the tip would break")
    RE.resume()
    assert tuple(last) not in bench.detector.triggered
    assert docs.counts["primary"] == 19 and docs.data("gp_failures")[0]["gp_failures_pixel"] == last


def test_pixels_marked_by_hand_are_no_faults_in_a_row(session, RE, docs):
    bench = session(script={(row, 7): ["fail"] for row in range(8)})
    for col in range(7):
        bench.agent.mark_failed((0, col), "dirt")
    RE(bench.map(64))
    assert docs.stops[0]["exit_status"] == "success" and docs.counts["primary"] == 64 - 7 - 8


def test_a_pixel_marked_after_the_run_is_recorded_in_the_run_that_resumes_it(whole, session, RE, docs, tmp_path):
    path = cut(whole, after_pixels(whole, 13), tmp_path / "killed.jsonl")
    old = RunRecord.from_documents(whole)
    bad = tuple(old.measured[0][2].tolist())
    bench = session()
    bench.agent.mark_failed(bad, "charging")
    RE(bench.map(NUM, resume_from=path))
    assert docs.data("gp_failures")[0]["gp_failures_reason"] == "charging"
    assert bench.optimizer.state.n_measured == NUM - 1
    third = session()
    RE(third.map(NUM + 5, resume_from=Run(list(docs.all))))
    assert third.optimizer.state.n_measured == NUM + 4 and third.optimizer.state.n_failed == 1


def test_a_pixel_outside_the_grid_cannot_be_marked(session):
    with pytest.raises(ValueError, match="lies outside the grid"):
        session().agent.mark_failed((8, 0), "x")


# -- abandoned -------------------------------------------------------------------------------------------------------


def test_pixels_that_an_abort_leaves_are_recorded_as_abandoned_and_may_be_proposed_again(session, RE, docs):
    bench = session()
    pausing_in_batch(RE, bench, 13)
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(40))
    RE.abort()
    record = RunRecord.from_documents(docs.all)
    assert record.abandoned.tolist() == docs.data("gp")[2]["gp_proposed"][2:]
    assert bench.optimizer.state.n_failed == 0
    docs.all.clear()
    RE(bench.map(64))
    assert RunRecord.from_documents(docs.all).abandoned.tolist() == []
    assert docs.counts["primary"] == 64


def test_a_run_that_ended_well_has_no_abandoned_pixels(make_bench, RE, docs):
    RE(make_bench(optimizer=PixelOptimizer).map(13))
    assert RunRecord.from_documents(docs.all).abandoned.shape == (0, 2)
