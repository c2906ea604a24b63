"""A scalarizer applied to a spectrum: a bad one is rejected in words."""

import numpy as np
import pytest

from bluesky_gp.scalarizers.evaluation import as_spectrum, evaluate, scalarized_map
from bluesky_gp.scalarizers.peaks import Area

AXIS = np.arange(4.0)
SPECTRUM = np.array([0.0, 1.0, 3.0, 1.0])


def broken(spectrum, axis):
    raise KeyError("peak")


def test_a_good_spectrum_has_a_value_and_no_reason():
    assert evaluate(lambda spectrum, axis: spectrum.max(), SPECTRUM, AXIS) == (3.0, "")


@pytest.mark.parametrize(
    ("scalarizer", "spectrum", "reason"),
    [
        (lambda s, a: s.max(), SPECTRUM[:3], "the spectrum has 3 channels, and its axis 4"),
        (lambda s, a: np.nanmax(s), np.array([0.0, np.nan, 3.0, np.inf]), "2 of 4 channels are NaN or infinite"),
        (broken, SPECTRUM, "the scalarizer raised KeyError('peak')"),
        (lambda s, a: 1j, SPECTRUM, "the scalarizer answers 1j, a complex number: have it give its modulus, say"),
        (lambda s, a: np.nan, SPECTRUM, "the scalarizer says that the measurement failed (nan)"),
        (lambda s, a: -np.inf, SPECTRUM, "the scalarizer says that the measurement failed (-inf)"),
    ],
)
def test_a_bad_one_has_nan_and_the_reason(scalarizer, spectrum, reason):
    value, said = evaluate(scalarizer, spectrum, AXIS)
    assert np.isnan(value) and said == reason


def test_a_complex_spectrum_is_no_real_one_to_a_scalarizer_of_the_package_and_any_to_ones_own():
    spectrum, axis = np.array([1.0, 2.0j]), np.arange(2.0)
    value, reason = evaluate(Area(), spectrum, axis)
    assert np.isnan(value) and reason.startswith("the spectrum is complex, and area takes real ones")
    assert evaluate(lambda s, a: float(np.abs(s).max()), spectrum, axis) == (2.0, "")


def test_times_are_no_spectrum():
    with pytest.raises(ValueError, match=r"a spectrum has numbers, got times, timedelta64\[s\]"):
        as_spectrum(np.ones(3, "m8[s]"))


@pytest.mark.parametrize("text", ["1.5", ["1", "2"], np.array([1.0, "2"], dtype=object), b"12"])
def test_a_text_that_reads_like_numbers_is_no_spectrum(text):
    with pytest.raises(ValueError, match="a spectrum has numbers, got the text "):
        as_spectrum(text)


def test_a_map_has_a_number_where_a_spectrum_has_one():
    spectra = np.array([[SPECTRUM, 2.0 * SPECTRUM], [np.full(4, np.nan), SPECTRUM]])
    expected = [[3.0, 6.0], [np.nan, 3.0]]
    np.testing.assert_array_equal(scalarized_map(lambda s, a: s.max(), spectra, AXIS), expected)


def test_leading_axes_of_one_are_taken_off_and_others_refused():
    assert as_spectrum(np.ones((1, 1, 5))).shape == (5,) and as_spectrum([1j, 2]).dtype == np.complex128
    with pytest.raises(ValueError, match=r"one axis, got an array of shape \(2, 5\)"):
        as_spectrum(np.ones((2, 5)))
