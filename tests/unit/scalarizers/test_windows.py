"""Windows on the axis of a spectrum."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from bluesky_gp.scalarizers.windows import channel_width, channels, checked_windows, scalarizer_name

AXIS = np.linspace(0.0, 10.0, 11)


@dataclass(frozen=True)
class Sum:
    window: Any

    name: ClassVar[str] = "sum"

    def __post_init__(self):
        checked_windows(self, "window")


def test_a_window_is_two_numbers_and_becomes_a_tuple_of_floats():
    assert Sum([1, 3]).window == (1.0, 3.0)


@pytest.mark.parametrize("window", [(3.0, 1.0), (1.0, 1.0), (1.0,), (1.0, 2.0, 3.0), "ab", 5.0, (1.0, float("nan"))])
def test_anything_else_is_named_with_its_field(window):
    with pytest.raises(ValueError, match="sum: window must be two numbers, start and end, got "):
        Sum(window)


def test_the_end_of_a_window_is_left_out_and_no_window_is_everything():
    assert AXIS[channels(Sum((1, 3)), AXIS, (1.0, 3.0))].tolist() == [1.0, 2.0]
    assert channels(Sum((1, 3)), AXIS, None).all()


def test_a_window_beside_the_axis_is_refused_with_the_axis():
    with pytest.raises(ValueError, match=r"sum: window \(20.0, 30.0\) lies outside the axis, 0 to 10"):
        channels(Sum((20, 30)), AXIS, (20.0, 30.0))


def test_the_width_of_a_channel_has_no_sign():
    assert channel_width(AXIS[::-1]) == pytest.approx(1.0)


def test_a_scalarizer_is_called_by_its_name_that_of_a_function_or_of_its_class():
    assert [scalarizer_name(each) for each in (Sum((1, 2)), np.mean, object())] == ["sum", "mean", "object"]
