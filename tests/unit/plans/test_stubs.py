import pytest
from bluesky.utils import FailedStatus, Msg
from ophyd.status import Status

from bluesky_gp import GPAgent
from bluesky_gp.agent import Failure, reason
from bluesky_gp.plans import Motors, as_stage, measure_pixels, one_pixel, record_failure, start_and_wait
from bluesky_gp.testing import ListOptimizer


class Movable:
    parent = None

    def __init__(self, name, error=None):
        self.name, self.error = name, error
        self.status = None

    def set(self, value):
        self.status = Status(self)
        if isinstance(self.error, TypeError):
            raise self.error
        if self.error is None:
            self.status.set_finished()
        else:
            self.status.set_exception(self.error)
        return self.status


def settling(RE, movables):  # noqa: N803
    RE(start_and_wait([Msg("set", movable, 1.0) for movable in movables]))


def test_start_and_wait_is_done_when_everything_is(RE):
    movables = [Movable("a"), Movable("b")]
    settling(RE, movables)
    assert all(movable.status.done for movable in movables)


def test_start_and_wait_raises_the_first_error_after_all_have_ended(RE):
    movables = [Movable("a", OSError("a is stuck")), Movable("b", OSError("b is stuck")), Movable("c")]
    with pytest.raises(FailedStatus) as caught:
        settling(RE, movables)
    assert "is stuck" in str(caught.value.__cause__)
    assert all(movable.status.done for movable in movables)


def test_after_start_and_wait_has_raised_no_other_failure_is_left_to_surface(RE):
    def plan():
        for _ in range(3):
            with pytest.raises(FailedStatus):
                yield from start_and_wait([Msg("set", Movable(name, OSError(name)), 1.0) for name in "abc"])
            yield Msg("null")

    RE(plan())


def test_start_and_wait_waits_for_the_others_where_a_start_itself_raises(RE):
    movables = [Movable("a"), Movable("b", TypeError("no such value"))]
    with pytest.raises(TypeError, match="no such value"):
        settling(RE, movables)
    assert movables[0].status.done


def test_start_and_wait_goes_through_a_plan_that_nobody_runs():
    assert [msg.command for msg in start_and_wait([Msg("set", Movable("a"), 1.0), Msg("set", Movable("b"), 1.0)])] == (
        ["set", "set", "wait", "wait"]
    )


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


def test_a_pair_of_motors_needs_a_grid(bench):
    with pytest.raises(ValueError, match=r"has no grid of its own: pass grid=PixelGrid"):
        as_stage((Movable("a"), Movable("b")), None)
    with pytest.raises(ValueError, match=r"a grid of 2 axes takes as many motors, got \['a'\]"):
        as_stage((Movable("a"),), bench.grid)


def test_motors_unpack_into_what_they_are(bench):
    a, b = Movable("a"), Movable("b")
    stage = as_stage((a, b), bench.grid)
    assert isinstance(stage, Motors) and [*stage] == [a, b] and stage.name == "a, b"
    assert as_stage(stage, None) is stage


def test_an_agent_of_another_name_has_streams_of_its_own(bench, RE, docs):
    bench.agent = GPAgent(ListOptimizer(bench.grid, "height"), target="det_height", name="loops")
    bench.detector.script = {(0, 1): ["fail"]}
    RE(bench.map(12))
    assert set(docs.counts) == {"primary", "loops", "loops_maps", "loops_failures"}
    assert bench.agent.optimizer.state.n_failed == 1
