import logging

import pytest

from bluesky_gp.grid import PixelGrid
from bluesky_gp.units import check_unit, ratio, stated_unit

GRID = PixelGrid((6, 4), step=(20.0, -40.0), origin=(0.0, 100.0), units="um")


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("um", "µm", 1.0),  # U+00B5, the sign
        ("um", "μm", 1.0),  # U+03BC, the letter
        ("micron", "microns", 1.0),
        ("Micron", "um", 1.0),
        ("MM", "mm", 1.0),
        ("degrees", "DEG", 1.0),
        ("mm", "um", 1000.0),
        ("nm", "m", 1e-9),
        ("angstrom", "nm", 0.1),
        ("mrad", "rad", 0.001),
        ("V", "um", None),
        ("steps of mine", "um", None),
        ("%", "um", None),
    ],
)
def test_units_are_known_by_any_of_their_spellings(one, other, factor):
    assert ratio(one, other) == factor


def test_an_axis_in_the_unit_of_the_grid_is_taken_without_a_word(caplog):
    check_unit("stage", GRID, "y", "microns")
    assert caplog.text == ""


def test_the_refusal_of_another_unit_says_the_same_grid_in_that_unit():
    with pytest.raises(ValueError) as caught:
        check_unit("stage", GRID, "y", "mm")
    assert str(caught.value) == (
        "stage: the grid is in 'um', but y says 'mm'; the same grid there is "
        "PixelGrid((6, 4), step=(0.02, -0.04), origin=(0.0, 0.1), units='mm')"
    )


@pytest.mark.parametrize("unit", ["V", "encoder counts"])
def test_a_unit_into_which_nothing_can_be_converted_is_refused(unit):
    with pytest.raises(ValueError, match=f"y says '{unit}'; give the grid's step, origin and units in '{unit}'"):
        check_unit("stage", GRID, "y", unit)


@pytest.mark.parametrize(
    ("grid", "unit", "sentence"),
    [
        (GRID, "", "stage: y names no unit: it is taken to count in 'um', as the grid does"),
        (PixelGrid((4, 4)), "mm", "stage: the grid names no unit: its steps are taken to be in 'mm', as y counts"),
        (PixelGrid((4, 4)), "", "stage: neither the grid nor y names a unit: a step of 1 is taken to be 1 of"),
    ],
)
def test_where_one_of_the_two_names_no_unit_a_sentence_is_logged(caplog, grid, unit, sentence):
    with caplog.at_level(logging.WARNING, logger="bluesky_gp"):
        check_unit("stage", grid, "y", unit)
    assert sentence in caplog.text


class Positioner:
    def __init__(self, egu="mm"):
        self.egu = egu


def test_the_data_key_speaks_before_egu_and_a_default_that_nobody_chose_is_none():
    assert stated_unit(Positioner("nm"), {"units": "um"}) == "um"
    assert stated_unit(Positioner("nm"), {}) == "nm"
    assert stated_unit(Positioner(), {}) == ""
    assert stated_unit(object(), {"units": None}) == ""
