import pytest
from bluesky.utils import FailedStatus, Msg
from ophyd.status import Status

from bluesky_gp.plans import start_and_wait


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
