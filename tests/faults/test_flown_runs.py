"""Batches that are flown: recorded, failed, paused, ended, killed, resumed and replayed as single pixels are."""

import threading

import numpy as np
import pytest
from bluesky.simulators import summarize_plan
from bluesky.utils import RunEngineInterrupted
from flown import FlownBench
from pauses import pausing, to_the_end
from recorded_runs import NUM, cut, through_text

from bluesky_gp import PixelOptimizer
from bluesky_gp.plans import TooManyFailures, adaptive_map, one_pixel, raster_map, tolerant
from bluesky_gp.recording import open_catalog, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


def session(**options):
    return FlownBench(optimizer=PixelOptimizer, **{"batch_size": 5, "n_initial": 5, **options})


def pixels(*records):
    return [outcome.pixel for record in records for outcome in record.outcomes]


def places(docs):
    return [(data["stage_row"], data["stage_col"]) for data in docs.data()]


def test_a_batch_is_one_flight_and_its_points_are_events_in_the_order_of_their_visit(RE, docs):
    bench = FlownBench()
    RE(bench.map(25))
    assert [len(flight) for flight in bench.detector.flights] == [10, 10, 5]
    assert docs.counts == {"primary": 25, "gp": 4, "gp_maps": 3}
    assert places(docs) == bench.detector.visited
    assert docs.column("gp_n_measured", "gp") == [0, 10, 20, 25]
    assert [doc["seq_num"] for doc in docs.events()] == list(range(1, 26))


def test_it_finds_what_single_pixels_find_and_measures_the_same_ones(RE, docs, make_bench):
    RE(session().map(NUM))
    flown, docs.all[:] = places(docs), []
    RE(make_bench(optimizer=PixelOptimizer, batch_size=5, n_initial=5).map(NUM))
    assert np.allclose(flown, places(docs))


def test_a_plan_for_each_pixel_keeps_a_flyer_on_the_ground(RE, docs):
    bench = FlownBench()
    bench.detector._expose = lambda exposure: bench.detector._deliver(exposure, np.ones(3))
    RE(bench.map(5, per_pixel=tolerant(one_pixel)))
    assert bench.detector.flights == [] and docs.counts["primary"] == 5


def test_a_detector_that_would_see_nothing_of_a_flight_is_refused(RE, make_bench):
    bench, other = FlownBench(), make_bench().detector
    other.name = "camera"
    with pytest.raises(TypeError, match="det visits the points of a batch by itself, and camera would see none"):
        RE(adaptive_map([bench.detector, other], bench.stage, bench.agent, num=5))


def test_a_plan_that_flies_can_be_summarized(capsys):
    summarize_plan(FlownBench().map(10))
    assert "Open Run" in capsys.readouterr().out


def test_a_point_that_fails_is_flown_again_and_forgotten_if_that_goes_well(RE, docs):
    bench = FlownBench({(0, 3): ["fail", "ok"]})
    RE(bench.map(12))
    assert bench.detector.flights[1] == ((0, 3),)
    assert docs.counts["primary"] == 12 and "gp_failures" not in docs.counts


def test_a_point_that_fails_again_is_a_failed_pixel_with_its_reason(RE, docs):
    bench = FlownBench({(0, 3): ["fail"]})
    RE(bench.map(12))
    assert docs.data("gp_failures") == [
        {
            "gp_failures_pixel": [0, 3],
            "gp_failures_reason": "det: OSError: the shutter is stuck",
            "gp_failures_kind": "fault",
        }
    ]
    assert docs.counts["primary"] == 11 and docs.column("gp_n_failed", "gp") == [0, 1, 1]


def test_what_a_broken_batch_measured_is_kept_and_the_rest_is_flown_once_more(RE, docs):
    bench = FlownBench({(0, 3): ["break"]})
    RE(bench.map(12))
    assert [len(flight) for flight in bench.detector.flights] == [10, 7, 6, 2]
    assert [data["gp_failures_pixel"] for data in docs.data("gp_failures")] == [[0, 3]]
    assert "the scan unit lost its trigger" in docs.data("gp_failures")[0]["gp_failures_reason"]
    assert len(set(bench.detector.visited)) == 12 and docs.counts["primary"] == 11


def test_a_bad_spectrum_of_a_flight_is_a_rejected_measurement(RE, docs):
    bench = FlownBench({(0, 3): ["nan"]})
    RE(bench.map(12))
    (failure,) = docs.data("gp_failures")
    assert (failure["gp_failures_pixel"], failure["gp_failures_kind"]) == ([0, 3], "rejected")
    assert docs.counts["primary"] == 12 and len(bench.detector.flights) == 2


def test_too_many_faults_in_a_row_end_a_flown_run_and_say_why(RE, docs):
    bench = FlownBench({(0, col): ["break"] for col in range(2, 8)})
    with pytest.raises(TooManyFailures, match=r"5 pixels in a row failed, the last \(0, 6\) of det: FlightBrokenError"):
        RE(bench.map(30))
    assert docs.counts["gp_failures"] == 5 and docs.counts["primary"] == 2
    assert bench.detector.calls == ["stage", "unstage"]


def test_a_pause_at_any_message_of_a_flown_run_changes_nothing(RE, docs):
    def essence():
        return places(docs), [np.asarray(rows).tolist() for rows in docs.column("gp_proposed", "gp")]

    seen = []
    pausing(RE, (), seen)
    RE(FlownBench(batch_size=2).map(4))
    expected, docs.all[:] = essence(), []
    assert seen.count("kickoff") == 2
    for number, command in enumerate(seen):
        bench = FlownBench(batch_size=2)
        pausing(RE, (number,), [])
        to_the_end(RE, bench.map(4))
        assert docs.stops[-1]["exit_status"] == "success", f"paused at message {number}, {command}"
        assert essence() == expected and len(bench.detector.flights) == 2, f"paused at message {number}, {command}"
        docs.all[:] = []


def test_a_flight_holds_in_a_pause_before_its_next_point_and_goes_on_from_there(RE, docs):
    bench = FlownBench({(0, 3): ["hold"]})
    threading.Thread(target=lambda: bench.detector.holding.wait(20) and RE.request_pause(), daemon=True).start()
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(10))
    assert RE.state == "paused"
    bench.detector.going_on.set()
    assert bench.detector.held.wait(20.0)
    assert bench.detector.visited[-1] == (0, 3) and bench.detector._flight.is_alive()
    RE.resume()
    assert docs.counts["primary"] == 10 and len(bench.detector.flights) == 1
    assert len(bench.detector.visited) == 10


@pytest.mark.parametrize(("ending", "status"), [("abort", "abort"), ("stop", "success"), ("halt", "abort")])
def test_a_run_that_is_ended_in_the_middle_of_a_flight_keeps_what_was_measured(RE, docs, ending, status):
    bench = FlownBench({(0, 3): ["hold", "ok"]})
    threading.Thread(target=lambda: bench.detector.holding.wait(20) and RE.request_pause(), daemon=True).start()
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(20))
    getattr(RE, ending)()
    assert docs.stops[0]["exit_status"] == status and docs.counts["primary"] == 3
    assert bench.detector.calls == ["stage", "unstage"] and not bench.detector._flight.is_alive()
    RE(bench.map(12))
    assert docs.stops[1]["exit_status"] == "success"


def test_a_flown_run_is_replayed_bit_for_bit_out_of_documents_and_catalog(RE, docs, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        RE(session(script={(0, 3): ["fail"], (5, 5): ["nan"]}).map(NUM))
        run = catalog[-1]
        assert replay(through_text(docs.all)).identical
        assert replay(run.documents()).identical
        assert len(run["primary"].read()["det_height"]) == docs.counts["primary"]


@pytest.mark.parametrize("cut_at", range(1, 23, 3))
def test_a_flown_run_killed_anywhere_goes_on_as_if_it_had_never_been(RE, docs, tmp_path, cut_at):
    RE(session(script={(4, 4): ["fail"]}).map(NUM))
    whole, docs.all[:] = list(docs.all), []
    path = cut(whole, cut_at, tmp_path / "killed.jsonl")
    RE(session(script={(4, 4): ["fail"]}).map(NUM, resume_from=path))
    one, other, full = (RunRecord.from_documents(d) for d in (read_journal(path), docs.all, whole))
    assert pixels(one, other) == pixels(full)
    assert replay(docs.all).identical


def test_a_raster_is_flown_line_by_line(RE, docs):
    bench = FlownBench()
    RE(raster_map([bench.detector], bench.stage))
    assert [len(flight) for flight in bench.detector.flights] == [8] * 8 and docs.counts["primary"] == 64
    assert places(docs) == bench.detector.visited
