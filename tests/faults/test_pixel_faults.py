"""A pixel that fails: recorded, told to the agent, not proposed again, and the run goes on."""

from functools import partial

import numpy as np
import pytest
from bluesky.utils import FailedStatus
from ophyd.sim import SynAxis

from bluesky_gp import GPAgent
from bluesky_gp.plans import TooManyFailures, adaptive_map, one_pixel, raster_map, tolerant
from bluesky_gp.recording import open_catalog


def test_a_fault_is_tried_again_and_forgotten_if_that_goes_well(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["fail", "ok"]})
    RE(bench.map(12))
    assert docs.counts["primary"] == 12 and "gp_failures" not in docs.counts
    assert bench.detector.triggered.count((0, 3)) == 2


def test_a_fault_that_stays_is_recorded_with_its_reason_and_the_run_goes_on(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["fail"]})
    RE(bench.map(12))
    (failure,) = docs.data("gp_failures")
    assert failure["gp_failures_pixel"] == [0, 3]
    assert failure["gp_failures_reason"] == "det: OSError: the shutter is stuck"
    assert docs.counts["primary"] == 11 and docs.stops[0]["exit_status"] == "success"
    assert docs.column("gp_n_failed", "gp") == [0, 1, 1] and docs.column("gp_n_measured", "gp") == [0, 9, 11]


def test_failed_pixels_are_attempted_pixels_and_are_not_proposed_again(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["fail"], (1, 1): ["nan"]})
    RE(bench.map(64))
    proposed = [tuple(row) for rows in docs.column("gp_proposed", "gp") for row in rows if row[0] >= 0]
    assert len(proposed) == len(set(proposed)) == 64


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_a_rejected_measurement_keeps_its_event_and_is_not_tried_again(make_bench, RE, docs, word):
    bench = make_bench(script={(0, 3): [word]})
    RE(bench.map(12))
    (failure,) = docs.data("gp_failures")
    assert failure == {
        "gp_failures_pixel": [0, 3],
        "gp_failures_reason": f"det_height is {word}",
        "gp_failures_kind": "rejected",
    }
    assert docs.counts["primary"] == 12 and bench.detector.triggered.count((0, 3)) == 1
    assert bench.optimizer.state.n_failed == 1


def test_a_dead_corner_of_rejected_measurements_does_not_end_the_run(make_bench, RE, docs):
    bench = make_bench(script={(0, col): ["nan"] for col in range(8)})
    RE(bench.map(64))
    assert docs.counts["gp_failures"] == 8 and docs.counts["primary"] == 64


def test_too_many_faults_in_a_row_end_the_run_cleanly_and_say_why(make_bench, RE, docs):
    bench = make_bench(script={(0, col): ["fail"] for col in range(2, 8)})
    with pytest.raises(TooManyFailures, match=r"5 pixels in a row failed, the last \(0, 6\) of stage: det: OSError"):
        RE(bench.map(30))
    assert docs.counts["gp_failures"] == 5 and docs.counts["primary"] == 2
    assert docs.stops[0]["exit_status"] == "fail" and "5 pixels in a row failed" in docs.stops[0]["reason"]
    assert bench.detector.calls[0] == "stage" and bench.detector.calls[-1] == "unstage"


def test_the_catalog_holds_the_whole_of_a_run_that_too_many_faults_ended(make_bench, RE, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        with pytest.raises(TooManyFailures):
            RE(make_bench(script={(1, col): ["fail"] for col in range(8)}).map(30))
        run = catalog[-1]
        assert run.stop["exit_status"] == "fail" and "5 pixels in a row failed" in run.stop["reason"]
        assert len(run["primary"].read()["det_height"]) == 8
        assert list(run["gp_failures"].read()["gp_failures_kind"].values) == ["fault"] * 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_spectrum_with_a_number_that_is_none_is_a_rejected_measurement(make_bench, RE, docs, bad):
    bench = make_bench()
    spectrum = lambda: [bad if bench.detector.triggered[-1] == (0, 3) else 1.0, 2.0, 3.0]  # noqa: E731
    bench.detector.read = lambda: {"det_spectrum": {"value": spectrum(), "timestamp": 1.0}}
    key = {"source": "test", "dtype": "array", "dtype_numpy": "<f8", "shape": [3]}
    bench.detector.describe = lambda: {"det_spectrum": dict(key)}
    bench.agent = GPAgent(bench.optimizer, target="det_spectrum", scalarizer=lambda spectrum, axis: spectrum.sum())
    RE(bench.map(12))
    (failure,) = docs.data("gp_failures")
    assert failure["gp_failures_pixel"] == [0, 3] and failure["gp_failures_kind"] == "rejected"
    assert docs.counts["primary"] == 12 and docs.column("gp_n_failed", "gp")[-1] == 1


def test_a_pixel_that_can_be_measured_ends_the_row_also_across_batches(make_bench, RE, docs):
    script = {divmod(i, 8): ["fail"] for i in (*range(4), *range(5, 9), *range(10, 14))}
    RE(make_bench(script=script).map(30))
    assert docs.counts["gp_failures"] == 12


def test_the_row_of_failures_starts_anew_with_each_run(make_bench, RE, docs):
    bench = make_bench(script={(0, col): ["fail"] for col in range(4)})
    mine = tolerant(one_pixel, retries=0)
    for _ in range(2):
        RE(bench.map(6, per_pixel=mine))
    assert [stop["exit_status"] for stop in docs.stops] == ["success", "success"]


def test_an_outer_plan_may_catch_too_many_failures_and_go_on(make_bench, RE, docs):
    bench = make_bench(script={(0, col): ["fail"] for col in range(8)})

    def outer():
        try:
            yield from bench.map(30)
        except TooManyFailures:
            bench.detector.script.clear()
            yield from bench.map(5)

    RE(outer())
    assert [stop["exit_status"] for stop in docs.stops] == ["fail", "success"]
    assert bench.optimizer.state.n_measured == 5


def test_the_second_failure_of_a_pixel_is_not_thrown_into_the_next_one(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["late"]})
    early = type(bench.detector)("early", bench.stage, lambda *_: 0.0, {(0, 3): ["fail"]})
    RE(adaptive_map([early, bench.detector], bench.stage, bench.agent, num=12))
    assert [failure["gp_failures_pixel"] for failure in docs.data("gp_failures")] == [[0, 3]]
    assert docs.counts["primary"] == 11


def test_an_exposure_that_never_ends_is_given_up_after_a_timeout(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["hang", "ok"]})
    RE(bench.map(12, per_pixel=tolerant(partial(one_pixel, timeout=0.2))))
    assert docs.counts["primary"] == 12
    assert "stop" in bench.detector.calls


def test_an_exposure_that_never_ends_at_any_try_is_a_failed_pixel_and_the_run_goes_on(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["hang"]})
    RE(bench.map(12, per_pixel=tolerant(partial(one_pixel, timeout=0.1))))
    (failure,) = docs.data("gp_failures")
    assert (failure["gp_failures_pixel"], failure["gp_failures_kind"]) == ([0, 3], "fault")
    assert "TimeoutError" in failure["gp_failures_reason"]
    assert bench.detector.triggered.count((0, 3)) == 2 and docs.counts["primary"] == 11
    assert docs.column("gp_n_failed", "gp")[-1] == 1 and docs.stops[0]["exit_status"] == "success"


def test_what_was_given_up_and_fails_later_is_nobodys_fault_any_more(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["late"], (0, 4): ["slow"], (0, 5): ["slow"]})
    bench.detector.stop = None  # nothing ends the exposure but itself, 50 ms later: while (0, 4) is measured
    measure = {True: partial(one_pixel, timeout=0.01), False: one_pixel}

    def impatient_once(detectors, stage, agent, pixel):
        yield from tolerant(measure[pixel == (0, 3)], retries=0)(detectors, stage, agent, pixel)

    RE(bench.map(12, per_pixel=impatient_once))
    assert [failure["gp_failures_pixel"] for failure in docs.data("gp_failures")] == [[0, 3]]
    assert docs.counts["primary"] == 11


def test_a_stage_that_stops_elsewhere_is_a_fault(RE, docs, bench):
    stuck = SynAxis(name="my", readback_func=lambda y: 0.0 if y == 1.0 else y)
    free = SynAxis(name="mx")
    bench.detector.stage_under_test = _Positions(stuck, free)
    agent = GPAgent(bench.optimizer, target="det_height")
    RE(adaptive_map([bench.detector], (stuck, free), agent, num=24, per_pixel=tolerant(one_pixel, max_failures=9)))
    assert [failure["gp_failures_pixel"] for failure in docs.data("gp_failures")] == [[2, col] for col in range(8)]
    assert docs.data("gp_failures")[1]["gp_failures_reason"] == (
        "StageElsewhereError: my, mx: was asked for pixel (2, 1) and stands at (0.0, 1.0)"
    )
    assert docs.counts["primary"] == 16


class _Positions:
    def __init__(self, *motors):
        self.motors = motors

    def locate(self):
        return {"readback": [motor.position / 0.5 for motor in self.motors]}


def test_a_programming_error_ends_the_run_at_once(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["raise"]})
    with pytest.raises(TypeError, match="a programming error"):
        RE(bench.map(12))
    assert docs.stops[0]["exit_status"] == "fail" and docs.stops[0]["reason"] == "a programming error"
    assert bench.detector.triggered.count((0, 3)) == 1


def test_what_counts_as_a_fault_can_be_said(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["raise"]})
    RE(bench.map(12, per_pixel=tolerant(one_pixel, faults=(TypeError,))))
    assert docs.data("gp_failures")[0]["gp_failures_reason"] == "TypeError: a programming error"


def test_without_tolerance_a_fault_ends_the_run(make_bench, RE, docs):
    bench = make_bench(script={(0, 3): ["fail"]})
    with pytest.raises(FailedStatus):
        RE(bench.map(12, per_pixel=one_pixel))
    assert docs.stops[0]["exit_status"] == "fail"


def test_tolerance_needs_an_agent_to_tell(make_bench, RE):
    bench = make_bench()
    with pytest.raises(TypeError, match="tells the agent which pixels failed"):
        RE(raster_map([bench.detector], bench.stage, per_pixel=tolerant(one_pixel)))


def test_a_detector_that_reads_badly_leaves_no_open_event_behind(make_bench, RE, docs):
    bench = make_bench()
    read, calls = bench.detector.read, []

    def failing_once():
        calls.append(1)
        if len(calls) == 4:
            raise ConnectionError("the server is gone")
        return read()

    bench.detector.read = failing_once
    RE(bench.map(12))
    assert docs.counts["primary"] == 12 and "gp_failures" not in docs.counts


def test_no_value_that_is_no_number_reaches_the_optimizer(make_bench, RE):
    bench = make_bench(script={(0, 1): ["nan"], (0, 2): ["inf"], (0, 4): ["fail"]})
    RE(bench.map(30))
    assert bench.optimizer.state.n_measured == 27
    assert np.isfinite(bench.optimizer.state.best_value)
