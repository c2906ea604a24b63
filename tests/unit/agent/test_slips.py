"""Slips of a new user with the agent, each answered in a sentence where the agent is made."""

import pathlib

import pytest
from ophyd.sim import det

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.scalarizers import LoopArea
from bluesky_gp.testing import ListOptimizer

GRID = PixelGrid((5, 5))
SLIPS = {
    "the grid": ({"optimizer": GRID}, r"optimizer must be a PixelOptimizer, got PixelGrid.*, which has no 'grid'"),
    "the class": ({"optimizer": PixelOptimizer}, r"optimizer is the class PixelOptimizer; give an object"),
    "the target first": ({"optimizer": "det"}, "optimizer must be a PixelOptimizer, got 'det'"),
    "the detector as target": ({"target": det}, "target must be a text such as 'spectrometer_loop_area', got SynGauss"),
    "an empty target": ({"target": ""}, "target must be a text .* got ''"),
    "a number as name": ({"name": 3}, "name must be a text .* got 3"),
    "a number as scalarizer": ({"scalarizer": 3}, r"must be a function f\(spectrum, axis\), or the name of one, got 3"),
    "the class of one": ({"scalarizer": LoopArea}, r"must be a function .* got <class .*LoopArea"),
    "the folder of a catalog": ({"catalog": "data"}, r"catalog must be an open one, open_catalog\(...\), got 'data'"),
    "the path of one": ({"catalog": pathlib.Path("data")}, "catalog must be an open one, .* got"),
}


@pytest.mark.parametrize(("arguments", "sentence"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_answered_in_a_sentence(arguments, sentence):
    with pytest.raises(TypeError, match=sentence):
        GPAgent(**{"optimizer": ListOptimizer(GRID, "height"), "target": "det", **arguments})


@pytest.mark.parametrize(
    ("scalarizer", "sentence"),
    [
        ("net_count", r"scalarizer 'net_count' is unknown, there are area, .*; did you mean 'net_counts'\?"),
        ({"kind": "net_counts", "egde": [1, 2]}, r"no setting 'egde', there are edge, .*; did you mean 'edge'\?"),
    ],
)
def test_a_scalarizer_that_there_is_not_is_answered_with_what_may_be_meant(scalarizer, sentence):
    with pytest.raises(ValueError, match=sentence):
        GPAgent(ListOptimizer(GRID, "height"), target="det", scalarizer=scalarizer)


@pytest.mark.parametrize("scalarizer", ["loop_area", {"kind": "loop_area"}])
def test_the_name_of_a_scalarizer_stands_for_it_in_the_record_too(scalarizer):
    by_name, by_object = (
        GPAgent(PixelOptimizer(GRID, "height"), target="det", scalarizer=given) for given in (scalarizer, LoopArea())
    )
    assert by_name.metadata()["scalarizer"] == by_object.metadata()["scalarizer"]


@pytest.mark.parametrize("name", ["det.area", "det/area", "primary"])
def test_a_name_that_no_stream_of_an_agent_can_have(name):
    with pytest.raises(ValueError, match=f"name must be other than 'primary', without '.' and '/', got '{name}'"):
        GPAgent(PixelOptimizer(PixelGrid((3, 3)), "det"), target="det", name=name)
