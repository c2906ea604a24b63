import math

import pytest

from bluesky_gp.optimizer import MaxDose
from bluesky_gp.run import Budget

DOSE = {"dose": 1.0, "per_pixel": 0.1, "unit": "pC"}


def test_a_dose_is_a_rule_or_its_three_numbers():
    assert Budget.checked("map", None, MaxDose(1.0, 0.1, "pC")) == Budget.checked("map", None, DOSE)
    assert Budget.of({"budget": Budget.checked("map", 60, DOSE).to_mapping()}) == Budget(60.0, 1.0, 0.1, "pC")
    assert Budget.of({}).to_mapping() == {}


@pytest.mark.parametrize(
    ("seconds", "dose", "error", "message"),
    [
        ("1 h", None, TypeError, "map: seconds must be a number, got '1 h'"),
        (0.0, None, ValueError, "map: seconds must be larger than 0, got 0.0"),
        (None, 2e-9, TypeError, r"map: dose must be MaxDose\(.*, got 2e-09"),
        (None, {"dose": 1.0}, TypeError, r"map: dose must be MaxDose\(.*, got {'dose': 1.0}"),
        (None, {**DOSE, "per_pixel": -1.0}, ValueError, r"map: dose\['per_pixel'\] must be larger than 0, got -1.0"),
        (None, {**DOSE, "per_pixel": 2.0}, ValueError, "map: a dose of 1 pC is less than that of a single pixel"),
    ],
)
def test_a_budget_that_is_none_is_refused_in_a_sentence(seconds, dose, error, message):
    with pytest.raises(error, match=message):
        Budget.checked("map", seconds, dose)


def test_it_is_over_when_either_is_spent_and_says_which():
    budget = Budget(60.0, **DOSE)
    assert budget.over(59.0, 9) == ""
    assert budget.over(60.5, 9) == "60 s of 60 s"
    assert budget.over(1.0, 10) == "dose of 1 of 1 pC"
    assert Budget().over(1e9, 10**9) == ""


def test_there_is_room_for_what_fits_in_at_the_pace_so_far():
    assert Budget(60.0).room(50.0, 5, 3.0) == 3
    assert Budget(60.0).room(59.0, 5, 3.0) == 1
    assert Budget(60.0).room(0.0, 0, math.nan) is None
    assert Budget(60.0, **DOSE).room(0.0, 8, 1.0) == 2


def test_what_is_left_is_said_in_words():
    assert Budget(60.0, **DOSE).left(20.0, 4) == "40 s and 0.6 pC of the budget left"
    assert Budget().left(20.0, 4) == ""
