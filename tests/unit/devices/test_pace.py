"""Speeds and settling that are asked of a stage."""

import pytest
from ophyd import Signal

from bluesky_gp.devices import PixelStage, SimulatedAxis, pace_of
from bluesky_gp.optimizer import OnTheWay


class Record:
    """What a motor record has."""

    def __init__(self, velocity, name="m1"):
        self.name, self.settle_time = name, 0.02
        self.velocity, self.acceleration = Signal(name="velo", value=velocity), Signal(name="accl", value=0.1)


def test_a_batch_for_a_slow_stage_knows_its_speeds_and_settling():
    axes = SimulatedAxis(name="y", velocity=0.5, settle=0.03), SimulatedAxis(name="x")
    stage = PixelStage(grid={"shape": [8, 8]}, axes=axes, name="stage")
    assert OnTheWay(**pace_of(stage), exposure=0.1) == OnTheWay((0.5, 1e9), exposure=0.1, settle=0.03)


def test_a_motor_record_says_its_velocity_and_what_starting_and_braking_take():
    pace = pace_of([Record(2.0), Record(4)])
    assert pace["speed"] == (2.0, 4.0) and pace["settle"] == pytest.approx(0.12)


def test_what_the_user_gives_counts_and_is_not_asked_of_the_axes():
    axes = [Record(2.0), object()]
    assert pace_of(axes, speed=(1.0, 3.0), settle=0.0) == {"speed": (1.0, 3.0), "settle": 0.0}
    assert pace_of(axes, speed=1, settle=0.5) == {"speed": 1, "settle": 0.5}


@pytest.mark.parametrize("velocity", [0.0, -1.0, "fast"])
def test_an_axis_without_a_speed_is_named(velocity):
    with pytest.raises(ValueError, match=r"m1: its speed is .*: pace_of\(stage, speed=\.\.\.\)"):
        pace_of([Record(1.0, "m0"), Record(velocity)])
