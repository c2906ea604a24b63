"""Numbers of any spectrum: where its peak is, how high, how much lies under it."""

import numpy as np
import pytest

from bluesky_gp.plain_data import describe, make
from bluesky_gp.scalarizers.peaks import Area, Centroid, Peak, PeakPosition


def test_the_centroid_of_a_peak_is_where_it_is():
    axis = np.arange(100.0)
    assert Centroid()(np.exp(-0.5 * ((axis - 42.5) / 3) ** 2), axis) == pytest.approx(42.5)
    assert np.isnan(Centroid()(np.zeros(100), axis))


AXIS = np.linspace(300.0, 340.0, 81)


def gaussian(at, height=2.0, width=3.0):
    return height * np.exp(-0.5 * ((AXIS - at) / width) ** 2)


@pytest.mark.parametrize("at", [310.0, 317.1, 325.36])
def test_the_position_of_a_peak_lies_between_the_channels(at):
    assert PeakPosition()(gaussian(at), AXIS) == pytest.approx(at, abs=0.01)
    assert Peak()(gaussian(at), AXIS) == pytest.approx(2.0, rel=0.01)


def test_of_two_peaks_the_window_chooses():
    both = gaussian(310.0) + gaussian(330.0, height=1.0)
    assert PeakPosition()(both, AXIS) == pytest.approx(310.0, abs=0.01)
    assert PeakPosition((320, 340))(both, AXIS) == pytest.approx(330.0, abs=0.01)


def test_what_rises_to_the_end_of_the_window_is_no_peak():
    assert np.isnan(PeakPosition()(AXIS, AXIS))
    assert np.isnan(PeakPosition((300, 305))(gaussian(310.0), AXIS))


def test_a_plateau_has_its_first_channel():
    assert PeakPosition()(np.where((AXIS > 310) & (AXIS < 320), 1.0, 0.0), AXIS) == pytest.approx(310.5, abs=0.5)


@pytest.mark.parametrize("window", [None, (300, 320.1)])
def test_counts_over_an_axis_that_falls_have_the_same_area(window):
    spectrum = gaussian(325.0) + np.linspace(0.0, 1.0, len(AXIS))
    assert Area(window)(spectrum[::-1], AXIS[::-1]) == pytest.approx(Area(window)(spectrum, AXIS), rel=1e-12)


@pytest.mark.parametrize("name", ["bluesky_gp.shapes:Area", "bluesky_gp:Area"])
def test_a_record_made_when_counts_over_a_falling_axis_were_negative_keeps_their_sign(name):
    made, spectrum = make({"class": name, "window": None}), gaussian(325.0)
    assert made(spectrum[::-1], AXIS[::-1]) == pytest.approx(-Area()(spectrum, AXIS), rel=1e-12)
    assert made(spectrum, AXIS) == Area()(spectrum, AXIS)
    assert make(describe(Area())) == Area() and make(describe(made)) == made


def test_the_area_of_a_loop_keeps_its_sign():
    there_and_back = np.r_[np.linspace(0.0, 1.0, 9), np.linspace(1.0, 0.0, 9)]
    response = np.r_[np.zeros(9), np.ones(9)]
    assert Area()(response, there_and_back) == pytest.approx(-1.0)


def test_the_area_of_a_gaussian_is_known():
    assert Area()(gaussian(320.0), AXIS) == pytest.approx(2.0 * 3.0 * np.sqrt(2 * np.pi), rel=1e-6)
    assert Area((300, 320.1))(gaussian(320.0), AXIS) == pytest.approx(3.0 * np.sqrt(2 * np.pi), rel=0.01)


def test_windows_are_checked():
    with pytest.raises(ValueError, match="peak_position: window must be two numbers"):
        PeakPosition((5, 3))
    with pytest.raises(ValueError, match=r"area: window \(0.0, 3.0\) lies outside the axis, 300 to 340"):
        Area((0, 3))(gaussian(320.0), AXIS)
