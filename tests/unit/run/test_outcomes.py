"""Outcomes of pixels, of which a later one may take back an earlier one."""

from math import nan

from bluesky_gp.run.outcomes import Outcome, final_outcomes


def failed(pixel):
    return Outcome(pixel, nan, "marked by hand")


def test_a_failure_takes_back_the_values_before_it_and_a_value_the_failures():
    spoilt, repaired = [Outcome(3, 1.0), Outcome(3, 2.0), failed(3)], [failed(4), Outcome(4, 5.0)]
    assert final_outcomes([*spoilt, *repaired]) == [spoilt[-1], repaired[-1]]


def test_several_values_of_one_pixel_all_count():
    twice = [Outcome(3, 1.0), Outcome(7, 0.0), Outcome(3, 2.0)]
    assert final_outcomes(twice) == twice


def test_an_outcome_has_failed_if_it_has_a_reason():
    assert failed(1).failed and not Outcome(1, 2.0).failed
