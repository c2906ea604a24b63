"""A pause at each message of a small run, resumed: the same pixels, values and decisions as without it."""

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from pauses import pausing, to_the_end

from bluesky_gp import PixelOptimizer
from bluesky_gp.plans import measure_pixels, one_pixel, raster_map
from bluesky_gp.testing import ListOptimizer

NUM = 5


def essence(docs):
    """Pixels, values and decisions of a run; of events with one number, as a rewind makes them, the last."""
    names = {doc["uid"]: doc["name"] for doc in docs.of("descriptor")}
    found = {}
    for doc in docs.of("event"):
        stream, data = names[doc["descriptor"]], doc["data"]
        if stream == "primary":
            found[stream, doc["seq_num"]] = (data["stage_row"], data["stage_col"], data["det_height"])
        elif stream == "gp":
            found[stream, doc["seq_num"]] = (
                np.asarray(data["gp_proposed"]).tolist(),
                data["gp_n_measured"],
                data["gp_stop_reason"],
            )
        else:
            found[stream, doc["seq_num"]] = None
    return found


def runs_as_if_nothing_had_been(make_bench, RE, docs, optimizer, numbers):  # noqa: N803
    bench = make_bench(optimizer=optimizer, batch_size=2)
    to_the_end_of = bench.map(NUM)
    pausing(RE, numbers, [])
    to_the_end(RE, to_the_end_of)
    RE.msg_hook = None
    assert docs.stops[-1]["exit_status"] == "success", docs.stops[-1]
    assert bench.optimizer.state.n_measured == NUM
    assert bench.detector.calls.count("stage") == bench.detector.calls.count("unstage") == 1
    found, docs.all[:] = essence(docs), []
    return found


def undisturbed(make_bench, RE, docs, optimizer):  # noqa: N803
    bench, seen = make_bench(optimizer=optimizer, batch_size=2), []
    pausing(RE, (), seen)
    RE(bench.map(NUM))
    found, docs.all[:] = essence(docs), []
    return found, seen


def test_a_pause_at_any_message_changes_nothing(make_bench, RE, docs):
    expected, seen = undisturbed(make_bench, RE, docs, ListOptimizer)
    assert seen.count("read") > 10 and seen[-1] == "unsubscribe"
    for number, command in enumerate(seen):
        found = runs_as_if_nothing_had_been(make_bench, RE, docs, ListOptimizer, (number,))
        assert found == expected, f"paused at message {number}, {command}"


@pytest.mark.parametrize("which", ["the first reading of the agent", "the last"])
def test_pauses_that_meet_a_reading_of_the_agent_again_and_again(make_bench, RE, docs, which):
    expected, seen = undisturbed(make_bench, RE, docs, PixelOptimizer)
    asked = [number for number, command in enumerate(seen) if command == "trigger"]
    begin = asked[0] if which == "the first reading of the agent" else asked[-1]
    for offset in range(5):
        numbers = range(begin + offset, begin + offset + 24, 6)
        assert runs_as_if_nothing_had_been(make_bench, RE, docs, PixelOptimizer, numbers) == expected


def test_a_pause_at_any_message_of_a_raster_changes_nothing(make_bench, RE, docs):
    bench, seen = make_bench(), []
    pausing(RE, (), seen)
    RE(raster_map([bench.detector], bench.stage, every=4))
    expected, docs.all[:] = essence(docs), []
    for number, command in enumerate(seen):
        pausing(RE, (number,), [])
        to_the_end(RE, raster_map([bench.detector], bench.stage, every=4))
        assert docs.stops[-1]["exit_status"] == "success"
        assert essence(docs) == expected, f"paused at message {number}, {command}"
        docs.all[:] = []


def test_a_pause_at_the_last_event_of_ones_own_run(make_bench, RE, docs):
    """Plans of a user's that open a run of their own, pixel by pixel and with a plan of their own for a pixel."""

    def own(detectors, stage, agent, pixel):
        yield from bps.checkpoint()
        yield from bps.mv(stage, pixel)
        yield from bps.trigger_and_read([*detectors, stage])

    bench, seen = make_bench(), []

    @bpp.run_decorator()
    def by_hand():
        yield from measure_pixels([bench.detector], bench.stage, None, [(0, 0), (0, 1)], per_pixel=own)
        yield from measure_pixels([bench.detector], bench.stage, None, [(0, 2)], per_pixel=one_pixel)

    pausing(RE, (), seen)
    RE(by_hand())
    expected, docs.all[:] = essence(docs), []
    for number, command in enumerate(seen):
        pausing(RE, (number,), [])
        to_the_end(RE, by_hand())
        assert docs.stops[-1]["exit_status"] == "success"
        assert essence(docs) == expected, f"paused at message {number}, {command}"
        docs.all[:] = []


def test_a_pause_at_any_message_of_a_run_with_failing_pixels_changes_nothing(make_bench, RE, docs):
    script = {(0, 1): ["fail"], (0, 2): ["nan"]}
    bench, seen = make_bench(script=script, batch_size=2), []
    pausing(RE, (), seen)
    RE(bench.map(4))
    expected, docs.all[:] = essence(docs), []
    assert ("gp_failures", 2) in expected
    for number, command in enumerate(seen):
        bench = make_bench(script=script, batch_size=2)
        pausing(RE, (number,), [])
        to_the_end(RE, bench.map(4))
        assert docs.stops[-1]["exit_status"] == "success" and bench.optimizer.state.n_failed == 2
        assert essence(docs) == expected, f"paused at message {number}, {command}"
        docs.all[:] = []
