"""What may happen to a session: pause, stop, abort, suspenders, errors around the plan; and the run after that."""

import threading

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import pytest
from bluesky.suspenders import SuspendBoolHigh
from bluesky.utils import RunEngineInterrupted
from ophyd import Signal
from ophyd.sim import SynSignal

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.plans import ask_agent, measure_pixels, one_pixel, start_metadata
from bluesky_gp.recording import open_catalog
from bluesky_gp.testing import ListOptimizer

PATIENCE = 20  # s; a test that waits that long has failed


class Blocking(ListOptimizer):
    """At question number `at` it calls `then` and computes until it is released."""

    def __init__(self, *args, at=2, then=lambda: None, **options):
        super().__init__(*args, **options)
        self.at, self.then = at, then
        self.questions = 0
        self.release = threading.Event()

    def propose(self, state, num_points, *, pending=(), stopping=True):
        self.questions += 1
        if self.questions == self.at:
            self.then()
            assert self.release.wait(PATIENCE)
        return super().propose(state, num_points, pending=pending, stopping=stopping)


@pytest.fixture
def blocking(make_bench, RE):
    """A bench whose agent computes for ever at its second question, and asks for a pause then."""
    return make_bench(optimizer=Blocking, then=RE.request_pause)


def rows(docs):
    return [(data["stage_row"], data["stage_col"]) for data in docs.data()]


def at_trigger(bench, number, action):
    """Do something while the detector is triggered for the `number`-th time."""
    trigger = bench.detector.trigger

    def doing():
        status = trigger()
        if len(bench.detector.triggered) == number:
            action()
        return status

    bench.detector.trigger = doing


def in_background(action):
    """Call from a thread: what the RunEngine's own thread cannot wait for."""
    return lambda: threading.Thread(target=action, daemon=True).start()


def test_a_pause_is_served_while_the_agent_computes_and_the_run_goes_on_as_if_there_had_been_none(
    blocking, make_bench, RE, docs
):
    with pytest.raises(RunEngineInterrupted):
        RE(blocking.map(35))
    assert RE.state == "paused" and not blocking.optimizer.release.is_set()
    blocking.optimizer.release.set()
    RE.resume()
    assert docs.counts == {"gp": 5, "primary": 35, "gp_maps": 4}
    assert docs.stops[0]["exit_status"] == "success"
    RE(make_bench().map(35))
    assert rows(docs)[:35] == rows(docs)[35:]


def test_the_question_repeated_after_a_pause_is_not_computed_twice(blocking, RE):
    with pytest.raises(RunEngineInterrupted):
        RE(blocking.map(35))
    blocking.optimizer.release.set()
    RE.resume()
    assert blocking.optimizer.questions == 4  # and the fifth decision proposes nothing


def test_an_answer_that_is_recorded_twice_after_a_rewind_is_the_same(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer)

    def outer():
        yield from bpp.plan_mutator(bench.map(25), pausing_after_the_answer())

    with pytest.raises(RunEngineInterrupted):
        RE(outer())
    RE.resume()
    decriptor = docs.descriptor("gp")["uid"]
    twice = [doc for doc in docs.of("event") if doc["descriptor"] == decriptor and doc["seq_num"] == 2]
    assert len(twice) == 2
    assert repr(twice[0]["data"]) == repr(twice[1]["data"]) and twice[0]["timestamps"] == twice[1]["timestamps"]
    assert bench.optimizer.state.n_measured == 25 and docs.counts["primary"] == 25


def pausing_after_the_answer():
    """Insert a pause after the second event of the agent is saved, before the next checkpoint."""
    seen = {"reads": 0, "due": False}

    def mutate(msg):
        if msg.command == "read" and msg.obj.name == "gp":
            seen["reads"] += 1
            seen["due"] = seen["reads"] == 2
        if msg.command == "save" and seen["due"]:
            seen["due"] = False
            return None, bps.pause()
        return None, None

    return mutate


def test_a_pixel_interrupted_by_a_pause_is_measured_again_and_counted_once(bench, RE, docs):
    at_trigger(bench, 13, in_background(RE.request_pause))
    bench.detector.script = {(1, 4): ["slow"]}
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(20))
    RE.resume()
    assert docs.counts["primary"] == 20 and bench.optimizer.state.n_measured == 20
    assert bench.detector.triggered.count((1, 4)) == 2


def test_of_a_pixel_whose_event_comes_twice_the_first_counts(bench, RE, docs):
    paused = []

    def pausing(detectors, stage, agent, pixel):
        yield from one_pixel(detectors, stage, agent, pixel)
        if pixel == (0, 5) and not paused:
            paused.append(pixel)
            bench.detector.truth = lambda *_: 99.0
            yield from bps.pause()

    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(12, per_pixel=pausing))
    RE.resume()
    heights = [doc["data"]["det_height"] for doc in docs.of("event") if "det_height" in doc["data"]]
    assert heights[6] == 99.0 and len(heights) == 13
    assert bench.optimizer.state.values[5] == heights[5]


def test_stop_ends_the_run_as_a_success_and_the_agent_can_be_used_again(bench, RE, docs):
    at_trigger(bench, 13, in_background(RE.request_pause))
    bench.detector.script = {(1, 4): ["slow"]}
    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(20))
    RE.stop()
    assert docs.stops[0]["exit_status"] == "success" and bench.detector.calls[-1] == "unstage"
    RE(bench.map(20))
    assert docs.stops[1]["exit_status"] == "success" and bench.optimizer.state.n_measured == 20


@pytest.mark.parametrize("ending", ["abort", "halt", "stop"])
def test_a_computation_that_outlives_its_run_delays_nothing_and_is_discarded(blocking, RE, docs, ending):
    with pytest.raises(RunEngineInterrupted):
        RE(blocking.map(35))
    getattr(RE, ending)()
    assert len(docs.stops) == 1 and not blocking.optimizer.release.is_set()
    assert RE.state == "idle"
    RE(blocking.map(12))  # the first computation is still going on
    assert docs.stops[1]["exit_status"] == "success"
    blocking.optimizer.release.set()
    assert blocking.optimizer.state.n_measured == 12
    if ending != "halt":
        assert blocking.detector.calls[-1] == "unstage"


@pytest.mark.parametrize("number", [3, 10, 13])
def test_a_suspender_that_trips_in_a_batch_is_waited_for(bench, RE, docs, number):
    shutter = Signal(name="shutter", value=0)

    def trip():
        shutter.put(1)
        threading.Timer(0.2, shutter.put, [0]).start()

    at_trigger(bench, number, trip)
    RE(bpp.suspend_wrapper(bench.map(20), SuspendBoolHigh(shutter)))
    assert docs.counts["primary"] == 20 and docs.stops[0]["exit_status"] == "success"
    assert bench.optimizer.state.n_measured == 20


def test_a_suspender_that_trips_during_computation_is_waited_for(make_bench, RE, docs):
    shutter = Signal(name="shutter", value=0)

    def trip():
        shutter.put(1)
        threading.Timer(0.2, shutter.put, [0]).start()
        threading.Timer(0.4, bench.optimizer.release.set).start()

    bench = make_bench(optimizer=Blocking, then=trip)
    RE(bpp.suspend_wrapper(bench.map(20), SuspendBoolHigh(shutter)))
    assert docs.counts["primary"] == 20 and bench.optimizer.questions == 2


def test_the_agent_may_be_subscribed_to_everything_as_well(bench, RE, docs):
    RE.subscribe(bench.agent)
    RE(bench.map(20))
    assert bench.optimizer.state.n_measured == 20 and docs.counts["gp"] == 3


def test_preprocessors_of_bluesky_go_around_it(bench, RE, docs):
    temperature = SynSignal(name="temperature", func=lambda: 4.2)
    RE(bpp.baseline_wrapper(bench.map(12), [temperature]))
    assert docs.counts["baseline"] == 2 and docs.counts["primary"] == 12


def test_the_stubs_go_into_a_run_wrapper_with_streams_of_ones_own(bench, RE, docs):
    temperature = SynSignal(name="temperature", func=lambda: 4.2)

    def mine():
        while pixels := (yield from ask_agent(bench.agent)):
            yield from bps.trigger_and_read([temperature], name="temperatures")
            yield from measure_pixels(*bench.things, pixels)

    RE(bpp.subs_wrapper(bpp.run_wrapper(mine(), md=start_metadata(*bench.things)), bench.agent))
    assert docs.counts["primary"] == 64 and docs.counts["temperatures"] == 7
    assert docs.stops[0]["exit_status"] == "success"


def test_an_error_in_the_plan_around_it_leaves_everything_ready_for_the_next_run(bench, RE, docs):
    def broken(pixels):
        yield from bps.null()
        if pixels[0] != (0, 0):
            raise ValueError("the drift correction found nothing")

    with pytest.raises(ValueError, match="drift correction"):
        RE(bench.map(20, per_batch=broken))
    assert docs.stops[0]["exit_status"] == "fail" and "drift correction" in docs.stops[0]["reason"]
    assert bench.detector.calls[-1] == "unstage"
    RE(bench.map(20))
    assert docs.stops[1]["exit_status"] == "success" and bench.optimizer.state.n_measured == 20


def test_an_error_in_another_subscriber_leaves_everything_ready_for_the_next_run(bench, RE, docs):
    def broken(name, doc):
        if name == "event" and doc["seq_num"] == 5:
            raise ValueError("in a plot")

    token = RE.subscribe(broken)
    with pytest.raises(ValueError, match="in a plot"):
        RE(bench.map(20))
    RE.unsubscribe(token)
    assert docs.stops[0]["exit_status"] == "fail" and bench.detector.calls[-1] == "unstage"
    RE(bench.map(20))
    assert bench.optimizer.state.n_measured == 20


def test_the_event_at_which_another_subscriber_fails_is_in_the_catalog_if_the_writer_came_first(bench, RE, tmp_path):
    def broken(name, doc):
        if name == "event" and doc["data"].get("det_height") and doc["seq_num"] == 5:
            raise ValueError("in a plot")

    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        RE.subscribe(broken)
        with pytest.raises(ValueError, match="in a plot"):
            RE(bench.map(20))
        run = catalog[-1]
        assert run.stop["exit_status"] == "fail" and run.stop["num_events"]["primary"] == 5
        assert len(run.primary.read()["det_height"]) == 5


def test_after_an_error_in_the_acquisition_function_the_agent_can_be_used_again(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer)
    good = bench.optimizer.acquisition

    def broken(mean, std, best, *, rng):
        raise ZeroDivisionError("in my acquisition")

    bench.optimizer.acquisition = broken
    with pytest.raises(Exception, match="in my acquisition"):
        RE(bench.map(25))
    bench.optimizer.acquisition = good
    RE(bench.map(25))
    assert docs.stops[1]["exit_status"] == "success" and bench.optimizer.state.n_measured == 25


def test_two_agents_in_one_session_do_not_hear_each_others_runs(bench, RE, docs):
    other = GPAgent(ListOptimizer(bench.grid, "height"), target="det_height", name="other")
    RE.subscribe(other)
    RE(bench.map(12))
    with pytest.raises(RuntimeError, match="other: asked for pixels, but it hears no run"):
        other.trigger()
