"""The entry of a start document that an agent wrote."""

from importlib.metadata import version

import pytest

from bluesky_gp.run.schema import agent_entry, arithmetic, computed_with, steered_entry, versions


@pytest.mark.parametrize("start", [{}, {"gp": "general purpose"}, {"gp": {"grid": 3}}, {"gp": {"agent": 5}}])
def test_the_word_may_be_anybodys_metadata(start):
    assert agent_entry(start) is None


def test_an_entry_of_an_agent_is_returned():
    assert agent_entry({"gp": {"agent": "gp", "num": 3}}) == {"agent": "gp", "num": 3}


def test_versions_are_those_that_are_installed():
    assert dict(versions())["scipy"] == version("scipy") and "bluesky_gp" in dict(versions())


def test_the_arithmetic_names_the_linear_algebra_and_the_instructions_of_this_processor():
    assert "openblas" in arithmetic() and arithmetic().count(", ") >= 1
    assert computed_with() == {"versions": dict(versions()), "arithmetic": arithmetic()}


def test_a_run_is_steered_if_its_entry_says_where_its_pixels_are():
    entry = {"agent": "gp", "axes": {}, "grid": {}, "target": "det_height"}
    assert steered_entry({"gp": entry}) == entry
    assert steered_entry({"gp": {"agent": "gp", "num": 3}}) is None and steered_entry({}) is None
