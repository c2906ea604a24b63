"""Axes of a signal: which one is spectral, and the lattice that the others make."""

import numpy as np
import pytest

from bluesky_gp.files.axes import Axis, lattice, marked, plain_text, split_units


def axis(name="", units="", values=(0.0, 1.0, 2.0), *, spectral=False):
    return Axis(name, units, np.asarray(values, dtype=float), spectral)


def spectral(axes):
    return [each.spectral for each in marked(axes)]


def test_one_spectral_axis_is_left_as_it_is_marked():
    assert spectral([axis("y", "nm"), axis("E", "eV"), axis("x", "nm", spectral=True)]) == [False, False, True]


@pytest.mark.parametrize(
    "axes",
    [
        [axis("y", "nm", spectral=True), axis("x", "nm", spectral=True), axis("E", "eV")],
        [axis("y", "um", spectral=True), axis("x", "um", spectral=True), axis("Wavelength", "nm")],
        [axis("y", "um", spectral=True), axis("x", "um", spectral=True), axis("", "nm")],
    ],
)
def test_where_the_marks_are_wrong_the_unit_or_the_name_tells(axes):
    assert spectral(axes) == [False, False, True]


def test_two_axes_of_energies_leave_the_marks():
    assert spectral([axis("a", "eV"), axis("b", "eV")]) == [False, False]


def test_even_axes_of_one_unit_make_a_lattice():
    assert lattice([axis(units="nm", values=[1, 3, 5]), axis(units="nm", values=[7])]) == ((2.0, 1.0), (1.0, 7.0), "nm")


@pytest.mark.parametrize(
    "axes",
    [
        [axis(units="nm"), axis(units="um")],
        [axis(), axis()],
        [axis(units="nm", values=[0, 1, 3]), axis(units="nm")],
        [axis(units="nm", values=[0, np.nan, 2]), axis(units="nm")],
    ],
)
def test_anything_else_counts_pixels(axes):
    assert lattice(axes) == ((1.0, 1.0), (0.0, 0.0), "px")


def test_units_are_split_off_and_signs_are_plain():
    assert split_units("Amplitude [pm]") == ("Amplitude", "pm")
    assert [plain_text(text) for text in (b"\xc2\xb5m", "None", "<undefined>", "eV")] == ["um", "", "", "eV"]
