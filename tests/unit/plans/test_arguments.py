"""Slips of a new user: each is a sentence that names what came and what was expected, before the stage moves."""

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.plans import adaptive_map, go_to_best, raster_map, start_metadata


@pytest.fixture
def refused(bench, RE, docs):
    """Run a plan that must be refused before anything is staged, moved or recorded, and return the sentence."""

    def refuse(plan, error=TypeError):
        with pytest.raises(error) as caught:
            RE(plan)
        assert docs.all == [] and bench.detector.calls == []
        return str(caught.value)

    return refuse


def test_stage_and_agent_swapped(bench, refused):
    sentence = refused(adaptive_map([bench.detector], bench.agent, bench.stage, num=10))
    assert sentence == (
        "adaptive_map: stage and agent are swapped: adaptive_map(..., stage, agent), got GPAgent 'gp' as stage and "
        "PixelStage 'stage' as agent"
    )
    assert "stage and agent are swapped" in refused(go_to_best(bench.agent, bench.stage))


def test_the_optimizer_in_place_of_the_agent(bench, refused):
    sentence = refused(adaptive_map([bench.detector], bench.stage, bench.optimizer, num=10))
    assert "agent must be a GPAgent, got ListOptimizer" in sentence
    assert sentence.endswith(": GPAgent(optimizer, target=...) makes one")


def test_the_class_of_the_agent_or_nothing(bench, refused):
    assert "agent must be a GPAgent, got the class GPAgent" in refused(
        adaptive_map([bench.detector], bench.stage, type(bench.agent), num=10)
    )
    assert "agent must be a GPAgent, got NoneType None" in refused(
        adaptive_map([bench.detector], bench.stage, None, num=10)
    )


def test_a_detector_instead_of_a_list(bench, refused):
    sentence = refused(adaptive_map(bench.detector, bench.stage, bench.agent, num=10))
    assert "adaptive_map: detectors must be a list of detectors, got" in sentence and "write [det]" in sentence
    assert "raster_map: detectors must be a list" in refused(raster_map(bench.detector, bench.stage))


def test_detectors_that_are_none(bench, refused):
    for wrong, shown in (("det", "str 'det'"), (None, "NoneType None"), ({"det": 1}, "dict {'det': 1}")):
        sentence = refused(adaptive_map(wrong, bench.stage, bench.agent, num=10))
        assert sentence == f"adaptive_map: detectors must be a list of detectors, got {shown}"
    for wrong, shown in (
        (["det"], "str 'det'"),
        ([type(bench.detector)], "the class"),
        ([bench.agent], "GPAgent 'gp'"),
    ):
        sentence = refused(adaptive_map(wrong, bench.stage, bench.agent, num=10))
        assert f"each of the detectors must be a device that can be read, got {shown}" in sentence


def test_detectors_may_come_from_a_generator(bench, RE, docs):
    RE(adaptive_map((d for d in [bench.detector]), bench.stage, bench.agent, num=3))
    assert docs.counts["primary"] == 3


@pytest.mark.parametrize("num", [20.0, "20", None, True, [20], np.float64(20)])
def test_num_that_is_no_whole_number(bench, refused, num):
    sentence = refused(adaptive_map([bench.detector], bench.stage, bench.agent, num=num))
    assert sentence == f"adaptive_map: num must be a whole number of pixels such as 410, got {num!r}"


def test_num_may_be_a_whole_number_of_numpy(bench, RE, docs):
    RE(adaptive_map([bench.detector], bench.stage, bench.agent, num=np.int64(3)))
    assert docs.counts["primary"] == 3


@pytest.mark.parametrize("every", [2.0, "2", True])
def test_every_that_is_no_whole_number(bench, refused, every):
    sentence = refused(raster_map([bench.detector], bench.stage, every=every))
    assert sentence == f"raster_map: every must be a whole number of pixels such as 410, got {every!r}"


def test_a_stage_that_cannot_be_moved(bench, refused):
    for wrong, shown in (
        ("stage", "str 'stage'"),
        (None, "NoneType None"),
        (type(bench.stage), "the class PixelStage"),
    ):
        sentence = refused(adaptive_map([bench.detector], wrong, bench.agent, num=10))
        assert sentence == f"adaptive_map: stage must be a PixelStage, or one motor an axis, got {shown}"
    assert "got PixelGrid" in refused(raster_map([bench.detector], bench.stage.grid))
    one, _ = bench.stage.axes
    assert "got str 'x'" in refused(adaptive_map([bench.detector], (one, "x"), bench.agent, num=10))


def test_the_wrong_number_of_motors_or_one_of_them_twice(bench, refused):
    y, x = bench.stage.axes
    assert "a grid of 2 axes takes as many motors, got ['stage_y']" in refused(
        adaptive_map([bench.detector], (y,), bench.agent, num=10), ValueError
    )
    assert "each axis of a grid takes a motor of its own, got ['stage_x', 'stage_x']" in refused(
        adaptive_map([bench.detector], (x, x), bench.agent, num=10), ValueError
    )


def test_a_grid_that_is_none(bench, refused):
    sentence = refused(raster_map([bench.detector], bench.stage.axes, grid=(8, 8)))
    assert sentence == "raster_map: grid must be a PixelGrid, got tuple (8, 8)"


@pytest.mark.parametrize(
    ("md", "sentence"),
    [
        ({1: "one"}, "keys of metadata must be strings, got 1 (int) in md: a catalog keeps no others; write '1'"),
        ({"sample": {2: "two"}}, "keys of metadata must be strings, got 2 (int) in md['sample']"),
        ({"steps": [{}, {None: 1}]}, "keys of metadata must be strings, got None (NoneType) in md['steps'][1]"),
        ("sample A7", "md must be a mapping such as {'sample': 'A7'}, got str 'sample A7'"),
        ([("a", 1)], "md must be a mapping such as {'sample': 'A7'}, got list [('a', 1)]"),
        ({"hints": []}, "md['hints'] must be a mapping, got list []"),
    ],
)
def test_metadata_that_no_catalog_keeps(bench, refused, md, sentence):
    assert sentence in refused(adaptive_map([bench.detector], bench.stage, bench.agent, num=10, md=md))
    assert sentence in refused(raster_map([bench.detector], bench.stage, md=md))
    with pytest.raises(TypeError):
        start_metadata([bench.detector], bench.stage, bench.agent, md=md)


def test_a_plan_that_was_called_instead_of_handed_over(bench, refused):
    def refocus(pixels):
        yield from ()

    sentence = refused(adaptive_map([bench.detector], bench.stage, bench.agent, num=10, per_batch=refocus([])))
    assert "adaptive_map: per_batch must be a function that returns a plan, got generator" in sentence
    assert "per_pixel must be a function" in refused(raster_map([bench.detector], bench.stage, per_pixel="one_pixel"))


def test_a_grid_for_a_stage_that_has_another(bench, refused):
    sentence = refused(raster_map([bench.detector], bench.stage, grid=PixelGrid((3, 3))), ValueError)
    assert "is not the one asked for" in sentence


@pytest.mark.parametrize(
    ("md", "said"),
    [
        ({"uid": "mine"}, "md['uid'] is what the RunEngine gives a run"),
        ({"time": 12.0}, "md['time'] is what the RunEngine gives a run"),
        ({"sample.name": "A7"}, "keys of metadata have no '.' and no '/', got 'sample.name' in md"),
        ({"sample": {"a/b": 1}}, "keys of metadata have no '.' and no '/', got 'a/b' in md['sample']"),
    ],
)
def test_metadata_that_no_document_takes(bench, refused, md, said):
    for plan in (
        adaptive_map([bench.detector], bench.stage, bench.agent, num=10, md=md),
        raster_map([bench.detector], bench.stage, md=md),
    ):
        assert said in refused(plan, ValueError)


def test_one_detector_twice(bench, refused):
    sentence = refused(adaptive_map([bench.detector, bench.detector], bench.stage, bench.agent, num=10), ValueError)
    assert sentence == "adaptive_map: two of the detectors are called 'det': each key of an event is there once"
