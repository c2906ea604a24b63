"""The simulated axis keeps its time by the monotonic clock: a wall clock that is set does not move it."""

import time

import pytest

from bluesky_gp.devices import SimulatedAxis


@pytest.fixture
def set_clock(monkeypatch):
    """Set the wall clock by some seconds, back if they are negative."""
    true, shift = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: true() + shift[0])
    return lambda seconds: shift.__setitem__(0, seconds)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_is_set_in_the_middle_of_a_move(set_clock, hours):
    axis = SimulatedAxis(name="y", velocity=10.0)
    status = axis.set(2.0)
    set_clock(3600.0 * hours)
    assert 0.0 <= axis.position < 2.0
    status.wait(2)
    assert axis.position == 2.0 and axis.read()["y"]["value"] == 2.0
    assert axis.read()["y"]["timestamp"] == pytest.approx(time.time(), abs=1)


@pytest.mark.parametrize("velocity", [0.0, 1000.0])
def test_moves_over_and_over_while_the_clock_jumps(set_clock, velocity):
    axis = SimulatedAxis(name="y", velocity=velocity)
    for number in range(20):
        set_clock(-3600.0 * (number % 3))
        axis.set(float(number % 2)).wait(2)
        assert axis.position == number % 2


def test_a_stop_after_the_clock_was_set_back_stays_where_the_axis_is(set_clock):
    axis = SimulatedAxis(name="y", velocity=1.0)
    axis.set(100.0)
    set_clock(-3600.0)
    axis.stop(success=True)
    assert 0.0 <= axis.position < 1.0 and axis.locate()["setpoint"] == axis.position


def test_a_move_of_no_length_ends_at_once():
    axis = SimulatedAxis(name="y", velocity=1.0)
    axis.set(0.0).wait(1)
    assert axis.position == 0.0
