"""Habits that figures share."""

import numpy as np
import pytest

from bluesky_gp.panels import aspect, color_limits, drawn_order, is_sweep, with_units

SWEEP = np.array([0.0, 1.0, 0.0, -1.0])


def test_pixels_are_square_unless_the_map_is_a_strip():
    assert [aspect(shape) for shape in ((50, 50), (30, 8), (49, 6), (6, 49))] == ["equal", "equal", "auto", "auto"]


def test_a_few_outliers_do_not_take_all_the_colours():
    values = np.append(np.linspace(0.0, 1.0, 2000), [1e9, np.nan])
    assert color_limits(values) == pytest.approx((0.0, 1.0), abs=0.01)


def test_the_line_of_a_sweep_there_and_back_is_closed_and_that_of_a_spectrum_is_not():
    assert is_sweep(SWEEP) and drawn_order(SWEEP).tolist() == [0, 1, 2, 3, 0]
    assert not is_sweep(np.arange(3.0)) and drawn_order(np.arange(3.0)).tolist() == [0, 1, 2]
    assert not is_sweep(np.arange(3.0)[::-1])


def test_a_number_without_units_has_no_empty_brackets():
    assert (with_units("area", "V pm"), with_units("area", "")) == ("area (V pm)", "area")
