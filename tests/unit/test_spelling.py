"""Names of settings that there are not, or that lack."""

import pytest

from bluesky_gp.spelling import meant, misspelt, settings_of, unfit


def took(place, *rest, grid, name="stage", **others):
    """Has a parameter of each kind."""


def test_the_parameters_that_are_taken_by_name_are_the_settings():
    assert settings_of(took) == ["place", "grid", "name"]


def test_a_name_near_a_known_one_is_asked_for_and_one_far_from_all_is_not():
    assert meant("net_count", ["peak", "net_counts"]) == "; did you mean 'net_counts'?"
    assert meant("xyz", ["peak", "net_counts"]) == ""
    assert meant(None, ["peak"]) == meant(3, ["peak"]) == meant("peak", []) == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"place": 1, "grid": 2}, ""),
        ({"place": 1, "grid": 2, "labels": 3}, ""),
        ({"place": 1, "gird": 2}, "there is no setting 'gird', there are place, grid, name; did you mean 'grid'?"),
        ({"place": 1, "grid": 2, "rest": 3}, "there is no setting 'rest', there are place, grid, name"),
        ({"place": 1, "grid": 2, "label": 3}, "there is no setting 'label', .*; did you mean 'labels'?"),
        ({"place": 1}, "'grid' is missing, there are place, grid, name"),
        ({}, "'place' and 'grid' are missing, there are place, grid, name"),
    ],
)
def test_what_a_function_cannot_be_given_is_said(given, sentence):
    begins, _, ends = sentence.partition(".*")
    said = unfit(took, given, also=["labels"])
    assert said.startswith(begins) and said.endswith(ends)
    assert bool(said) == bool(sentence)


def test_where_there_are_no_settings_that_is_said():
    assert misspelt(["beta"], []) == "there is no setting 'beta', there are none"
