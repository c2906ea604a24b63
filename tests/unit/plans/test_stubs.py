import pytest
from bluesky.utils import FailedStatus, Msg

from bluesky_gp import GPAgent
from bluesky_gp.agent import Failure, reason
from bluesky_gp.plans import measure_pixels, one_pixel, record_failure
from bluesky_gp.testing import ListOptimizer


def test_one_pixel_moves_triggers_and_reads_after_a_checkpoint(bench):
    commands = [msg.command for msg in one_pixel(*bench.things, (1, 2))]
    assert commands == (
        ["checkpoint", "set", "wait", "trigger", "trigger", "wait", "wait", "create", "read", "read", "save"]
    )


def test_one_pixel_returns_its_reading(bench, RE):
    readings = []

    def plan():
        yield Msg("open_run")
        readings.append((yield from one_pixel(*bench.things, (5, 2))))
        yield Msg("close_run")

    RE(plan())
    assert readings[0]["det_height"]["value"] == 10.0
    assert readings[0]["stage_row"]["value"] == 5.0


def test_measure_pixels_measures_each_where_nobody_asks_an_agent(bench, RE, docs):
    def plan():
        yield Msg("open_run")
        yield from measure_pixels([bench.detector], bench.stage, None, [(0, 0), (3, 4)])
        yield Msg("close_run")

    RE(plan())
    assert docs.column("stage_col") == [0.0, 4.0]


def test_failures_recorded_by_hand_are_events(bench, RE, docs):
    def plan():
        yield Msg("open_run")
        yield from record_failure(bench.agent, (1, 2), "a hole in the film")
        yield from record_failure(bench.agent, (1, 3), "a hole in the film")
        yield Msg("close_run")

    RE(plan())
    assert docs.column("gp_failures_pixel", "gp_failures") == [[1, 2], [1, 3]]
    assert docs.column("gp_failures_reason", "gp_failures") == ["a hole in the film"] * 2


def test_a_failure_of_a_pixel_with_too_many_axes_is_refused(bench):
    with pytest.raises(ValueError, match=r"gp_failures: a pixel has 2 axes, got \(1, 2, 3\)"):
        bench.agent.failures.check_value(Failure((1, 2, 3), "x"))


def test_the_reason_of_a_failed_status_is_its_cause_and_its_device():
    error = FailedStatus("status")
    error.__cause__ = OSError("stuck")
    assert reason(error) == "OSError: stuck"
    assert reason(TimeoutError("5 s")) == "TimeoutError: 5 s"


def test_an_agent_of_another_name_has_streams_of_its_own(bench, RE, docs):
    bench.agent = GPAgent(ListOptimizer(bench.grid, "height"), target="det_height", name="loops")
    bench.detector.script = {(0, 1): ["fail"]}
    RE(bench.map(12))
    assert set(docs.counts) == {"primary", "loops", "loops_maps", "loops_failures"}
    assert bench.agent.optimizer.state.n_failed == 1
