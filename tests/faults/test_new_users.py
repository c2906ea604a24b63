"""Slips of people who had read the README or the names of the doors, and nothing else: each ends in a sentence.

The sentence says what came and what was expected; nothing has moved, and there is no run.
"""

from pathlib import Path

import numpy as np
import pytest

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import (
    MeasuredSample,
    PixelStage,
    SimulatedAxis,
    SimulatedSpectrometer,
    SyntheticEELS,
)
from bluesky_gp.live import IterationLine, ProgressBar
from bluesky_gp.plans import adaptive_map, one_pixel, raster_map, tolerant
from bluesky_gp.plots import run_figure
from bluesky_gp.recording import documents_of, open_catalog
from bluesky_gp.rehearsal import rehearse
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.session import end_on_signals

GRID = PixelGrid((8, 8), step=(0.5, 0.5), units="um")


def agent(**options):
    return GPAgent(PixelOptimizer(GRID, "height"), target="det_height", **options)


def spectrometer(sample="ferroelectric", **options):
    return SimulatedSpectrometer(sample, PixelStage(grid=GRID, name="stage"), **{"name": "det", **options})


def sentence_of(slip):
    with pytest.raises((TypeError, ValueError, LookupError)) as caught:
        slip()
    return str(caught.value)


@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        (
            lambda: spectrometer(scalarizer=["loop_area"]),
            "no setting 'scalarizer', there are sample, stage, scalarizers, exposure, registry, name, prefix; did you",
        ),
        (
            lambda: spectrometer(exposre=1.0),
            "SimulatedSpectrometer 'det': there is no setting 'exposre', there are",
        ),
        (lambda: spectrometer(name=""), "name must be a text, with which the keys of events begin, got ''"),
        (lambda: PixelStage(grid=GRID, name=None), "PixelStage: name must be a text"),
        (
            lambda: PixelStage(grid=GRID, name="stage", shape=3),
            "PixelStage 'stage': there is no setting 'shape', there are prefix, grid",
        ),
        (lambda: SimulatedAxis(name="x", limits=5), "x: limits must be two numbers, the lowest and the highest, got 5"),
        (lambda: spectrometer(SyntheticEELS), "got the class SyntheticEELS: give an object, SyntheticEELS(...)"),
        (
            lambda: SimulatedSpectrometer(PixelStage(grid=GRID, name="s"), SyntheticEELS(), name="d"),
            "the stage 's': the sample comes first",
        ),
        (lambda: spectrometer(np.zeros((8, 8, 4))), "numpy.savez('map.npz', spectra=..., axis=...) makes a file"),
        (lambda: MeasuredSample(np.zeros((8, 8, 4))), "expected the path of a file of spectra, got ndarray"),
        (lambda: MeasuredSample(3), "expected the path of a file of spectra, got int 3"),
        (
            lambda: spectrometer(scalarizers={"total": lambda spectrum: spectrum.sum()}),
            "scalarizer is called as scalarizer(spectrum, axis), not <lambda>(spectrum): too many",
        ),
    ],
)
def test_a_slip_with_a_device_is_answered_where_it_is_made(slip, sentence):
    assert sentence in sentence_of(slip)


@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        (lambda: agent().mark_failed(12, "a bubble"), "a pixel is (row, col), got 12: the flat index 12 is (1, 4)"),
        (lambda: agent().mark_failed(99, "a bubble"), "a pixel is (row, col), got 99"),
        (lambda: agent().mark_failed("1, 4", "a bubble"), "a pixel is (row, col), got '1, 4'"),
        (lambda: agent().mark_failed((1, 4, 2), "a bubble"), "a pixel is (row, col), got (1, 4, 2)"),
        (lambda: agent().mark_failed((1, 40), "a bubble"), "pixel [[1, 40]] lies outside the grid"),
        (lambda: agent().mark_failed((1, 4), 5), "reason must be a text such as 'a bubble', got 5"),
        (lambda: agent(axes="stage_row"), "axes must be 2 keys of events such as ['stage_row', 'stage_col'], got"),
        (lambda: agent(axes=["stage_row"]), "axes must be 2 keys of events"),
        (lambda: agent(axes=3), "axes must be 2 keys of events"),
        (lambda: agent(maps="all"), "gp: maps= must be 0 (never) or a number of iterations, got 'all'"),
        (lambda: agent(scalarizer=lambda y: y.sum()), "GPAgent: scalarizer is called as scalarizer(spectrum, axis)"),
        (lambda: tolerant(one_pixel, retries=-1), "tolerant: retries must be at least 0, got -1"),
        (lambda: tolerant(one_pixel, max_failures=0), "tolerant: max_failures must be at least 1, got 0"),
        (lambda: tolerant("one_pixel"), "tolerant: per_pixel must be a plan such as one_pixel, got 'one_pixel'"),
        (lambda: IterationLine("log.txt"), "IterationLine: show must be a function of a RunProgress, got 'log.txt'"),
        (lambda: end_on_signals(GRID), "end_on_signals: expected the RunEngine, got PixelGrid"),
    ],
)
def test_a_slip_with_an_agent_is_answered_where_it_is_made(slip, sentence):
    assert sentence in sentence_of(slip)


@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        (
            lambda: RunRecord.from_documents("data/a.jsonl"),
            "RunRecord: expected documents, got 'data/a.jsonl': documents_of",
        ),
        (lambda: RunRecord.from_documents(Path("a.jsonl")), "a.jsonl'): documents_of(uid or path, catalog) reads them"),
        (lambda: RunRecord.from_documents(dict), "call it"),
        (lambda: RunRecord.from_documents([{"uid": "a"}]), "which is no pair: give (name, document)"),
        (lambda: RunRecord.from_documents(3), "RunRecord: expected documents, got int 3"),
        (
            lambda: replay([("start", {}, 1)]),
            "replay: expected documents, got tuple ('start', {}, 1), which is no pair",
        ),
        (lambda: run_figure([("start", {})]), "run_figure: expected a RunRecord, got list"),
        (lambda: run_figure("1a2b3c4d"), "run_figure: expected a RunRecord, got '1a2b3c4d': RunRecord.from_documents("),
        (
            lambda: rehearse("file.npz", "best"),
            "rehearse: expected a PixelGrid, then the values of its pixels, got 'fi",
        ),
        (lambda: open_catalog(3), "open_catalog: place must be a folder, a URL or the name of a profile, got 3"),
        (lambda: open_catalog(None), "open_catalog: place must be a folder, a URL or the name of a profile, got None"),
        (
            lambda: documents_of({"uid": "1a2b"}),
            "there is no journal dict {'uid': '1a2b'}, and no catalog to look it up",
        ),
    ],
)
def test_a_slip_with_a_record_is_answered_in_a_sentence(slip, sentence):
    assert sentence in sentence_of(slip)


@pytest.mark.parametrize(
    ("point", "sentence"),
    [
        ({"_id": 3, "row": 7, "col": 7}, "_id 3 is pixel (0, 3), and row is 7 in the point"),
        ({"_id": 3, "row": 0, "col": 4.0}, "_id 3 is pixel (0, 3), and col is 4.0 in the point"),
        ({"row": 1.5, "col": 7}, "row must be a whole number of pixels, got 1.5: grid.pixel(position)"),
        ({"row": 1, "col": 6.7}, "col must be a whole number of pixels, got 6.7"),
    ],
)
def test_a_point_that_contradicts_itself_or_lies_between_pixels_teaches_nothing(point, sentence):
    optimizer = PixelOptimizer(GRID, "height")
    assert sentence in sentence_of(lambda: optimizer.ingest([{**point, "height": 1.0}]))
    assert optimizer.state.n_measured == 0


@pytest.mark.parametrize(
    "point", [{"_id": 3}, {"_id": 3, "row": 0.02, "col": 2.9}, {"row": -0.1, "col": np.float32(3)}]
)
def test_a_point_may_name_its_pixel_twice_and_by_its_read_back(point):
    optimizer = PixelOptimizer(GRID, "height")
    optimizer.ingest([{**point, "height": 1.0}])
    assert optimizer.points(optimizer.state)[0]["_id"] == 3


def test_a_grid_too_large_says_what_memory_it_takes():
    sentence = sentence_of(lambda: PixelGrid((10**6, 10**6)))
    assert sentence == (
        "PixelGrid: 1000000 x 1000000 pixels are 1e+12, of which a single map takes 7.28 TiB; 2e+09 are the most"
    )
    with pytest.raises(
        MemoryError, match=r"a grid of 40000 x 40000 pixels takes about 745 GiB of memory, and there are"
    ):
        PixelOptimizer(PixelGrid((40000, 40000)), "height")


@pytest.mark.parametrize("misspelt", ["det_hieght", "Det_height", "height"])
def test_a_target_that_no_event_will_carry_is_told_before_there_is_a_run(bench, RE, docs, misspelt):
    bench.agent = GPAgent(bench.optimizer, target=misspelt)
    assert f"carry no ['{misspelt}']; they carry ['det_height'" in sentence_of(lambda: RE(bench.map(5)))
    assert docs.all == [] and bench.detector.calls == ["stage", "unstage"]


def test_a_target_that_is_no_number_is_told_before_there_is_a_run(RE, docs):
    detector = spectrometer()
    learner = GPAgent(PixelOptimizer(GRID, "x"), target="det_spectrum")
    slip = adaptive_map([detector], detector.pixel_stage, learner, num=5)
    assert "det_spectrum is of type array and shape [64], not a number" in sentence_of(lambda: RE(slip))
    assert docs.all == []


def test_no_detector_at_all_is_told_before_there_is_a_run(bench, RE, docs):
    assert "carry no ['det_height']" in sentence_of(lambda: RE(adaptive_map([], bench.stage, bench.agent, num=5)))
    assert docs.all == []


def test_a_plan_of_ones_own_for_a_pixel_may_read_what_the_detectors_do_not_say(bench, RE, docs):
    def mine(detectors, stage, agent, pixel):
        return (yield from one_pixel([bench.detector], stage, agent, pixel))

    RE(adaptive_map([], bench.stage, bench.agent, num=5, per_pixel=mine))
    assert docs.counts["primary"] == 5


@pytest.mark.parametrize("plan", [raster_map, lambda *parts: adaptive_map(*parts, agent(), num=5)])
def test_the_stage_among_the_detectors_is_told_before_there_is_a_run(bench, RE, docs, plan):
    slip = plan([bench.detector, bench.stage], bench.stage)
    assert "the stage is read into every event: leave PixelStage 'stage' out" in sentence_of(lambda: RE(slip))
    assert docs.all == []


def test_another_grid_in_stage_and_optimizer_is_told_by_what_differs(bench, RE):
    other = GPAgent(PixelOptimizer(PixelGrid((50, 50), step=(0.5, 0.5), units="um"), "height"), target="det_height")
    sentence = sentence_of(lambda: RE(adaptive_map([bench.detector], bench.stage, other, num=5)))
    assert "is not the one asked for, shape [8, 8] and not [50, 50]; give PixelStage" in sentence


@pytest.mark.parametrize("kind", [IterationLine, ProgressBar])
def test_the_class_of_a_callback_subscribed_is_told_before_the_stage_moves(bench, RE, kind):
    RE.subscribe(kind)
    sentence = sentence_of(lambda: RE(bench.map(5)))
    assert sentence == f"{kind.__name__} is the class; subscribe an object: RE.subscribe({kind.__name__}())"
    assert "trigger" not in bench.detector.calls


@pytest.mark.parametrize(
    ("truth", "came"), [(np.zeros((4, 4)), "float64 of shape (4, 4)"), ("loop_area", "<U9 of shape ()")]
)
def test_a_truth_of_another_shape_is_told_with_both(bench, RE, docs, truth, came):
    RE(bench.map(12))
    sentence = sentence_of(lambda: run_figure(RunRecord.from_documents(docs.all), truth=truth))
    assert sentence == f"run_figure: truth must be a map of shape (8, 8), got {came}"


def test_a_catalog_that_is_subscribed_itself_records_as_its_writer_does(bench, RE, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog)
        (uid,) = RE(bench.map(5))
        assert catalog[-1].start["uid"] == uid
        assert "has 1 run, and none is number -2" in sentence_of(lambda: catalog[-2])
        with pytest.raises(AttributeError, match=r"the run has no stream 'primay', there are .*primary"):
            catalog[-1].primay.read()
        assert not hasattr(catalog[-1], "_repr_html_") and hasattr(catalog[-1], "primary")
        assert "give what its documents() returns" in sentence_of(lambda: RunRecord.from_documents(catalog[-1]))
        assert ": call it" in sentence_of(lambda: replay(catalog[-1].documents))


def test_numbers_of_numpy_are_settings_as_any(bench, RE, docs):
    settings = {"batch_size": np.int64(4), "n_initial": np.int32(5), "seed": np.uint8(3), "maximize": np.True_}
    bench.agent = GPAgent(PixelOptimizer(GRID, "height", **settings), target="det_height", maps=np.int64(1))
    RE(adaptive_map([bench.detector], bench.stage, bench.agent, num=np.int16(9)))
    assert replay(docs.all).identical
    entry = docs.starts[0]["gp"]
    assert [type(entry[name]) for name in settings] == [int, int, int, bool]
