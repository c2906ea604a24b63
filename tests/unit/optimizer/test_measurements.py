"""Measurements grow, and are taken back."""

import numpy as np
import pytest

from bluesky_gp.optimizer.measurements import Measurements


def measured(pixels, values, **others):
    arrays = {name: np.array(each, dtype=float) for name, each in others.items()}
    return Measurements.of(np.array(pixels), np.array(values, dtype=float), np.zeros(len(pixels)), arrays)


def test_new_ones_stand_behind_those_before():
    grown = Measurements.none().plus(measured([3, 1], [1.0, np.nan])).plus(measured([7], [2.0]))
    assert grown.pixels.tolist() == [3, 1, 7] and grown.has_value.tolist() == [True, False, True] and len(grown) == 3


def test_without_some_the_others_keep_all_that_belongs_to_them():
    left = measured([3, 1, 7], [1.0, 2.0, 3.0], tilt=[4.0, 5.0, 6.0]).without(np.array([False, True, False]))
    assert left.pixels.tolist() == [3, 7] and left.others["tilt"].tolist() == [4.0, 6.0] and len(left.std) == 2


def test_a_value_takes_back_a_failure_and_a_failure_a_value():
    before = measured([3, 1, 7], [1.0, np.nan, 3.0])
    assert before.taken_back_by(measured([1, 7], [5.0, np.nan])).tolist() == [False, True, True]
    assert not before.taken_back_by(measured([3], [9.0])).any()  # measured again: both values count


def test_an_auxiliary_quantity_is_missing_before_its_name_came_up():
    grown = measured([3], [1.0]).plus(measured([4], [2.0], tilt=[7.0]))
    np.testing.assert_array_equal(grown.others["tilt"], [np.nan, 7.0])


def test_a_missing_spectrum_takes_the_number_of_channels_of_the_others():
    grown = measured([3], [1.0]).plus(measured([4], [2.0], spectrum=[[1.0, 2.0]]))
    np.testing.assert_array_equal(grown.others["spectrum"], [[np.nan, np.nan], [1.0, 2.0]])


def test_spectra_with_other_numbers_of_channels_are_refused():
    with pytest.raises(ValueError, match=r"spectrum of shape \(3,\) came after some of shape \(2,\)"):
        measured([3], [1.0], spectrum=[[1.0, 2.0]]).plus(measured([4], [2.0], spectrum=[[1.0, 2.0, 3.0]]))
