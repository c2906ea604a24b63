"""Slips of two people more, one with the README alone, one with the reference alone: each ends in a sentence."""

import numpy as np
import pytest

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedAxis, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.export import export, to_dataset, to_signal
from bluesky_gp.live import LiveMaps, ProgressBar
from bluesky_gp.optimizer import Listed, LocalPenalization, MapChangeBelow
from bluesky_gp.plans import adaptive_map, list_map, raster_map
from bluesky_gp.plots import grid_on_image
from bluesky_gp.recording import JournalError, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify

GRID = PixelGrid((8, 8), step=(0.5, 0.5), units="um")


def agent(**options):
    return GPAgent(PixelOptimizer(GRID, "area"), **{"target": "det_loop_area", **options})


def stage(name="stage"):
    return PixelStage(grid=GRID, name=name)


def spectrometer(where):
    return SimulatedSpectrometer("ferroelectric", where, name="det")


SLIPS = {
    "a picture that is no PNG": (lambda: LiveMaps("live.jpeg"), "LiveMaps: the picture is a PNG, such as 'live.png'"),
    "a folder for a picture": (lambda: LiveMaps("."), "LiveMaps: the picture is a PNG, such as 'live.png', got '.'"),
    "a number for a picture": (
        lambda: LiveMaps(10),
        "file must be the path of a picture such as 'live.png', got 10",
    ),
    "a number of pixels for a bar": (lambda: ProgressBar(410), "console must be a rich.console.Console, got 410"),
    "keys of others as a list": (
        lambda: agent(others=["det_imprint"]),
        "others must be a mapping such as {'imprint': 'det_imprint'}, got ['det_imprint']",
    ),
    "a unit that is no text": (lambda: agent(units=3), "units must be a text such as 'pm V', got 3"),
    "room as a text": (lambda: agent(largest_batch="20"), "largest_batch must be a whole number, got '20'"),
    "a floor that no change is below": (lambda: MapChangeBelow(-0.1), "MapChangeBelow: floor must be at least 0"),
    "a switch in words": (lambda: LocalPenalization("yes"), "log must be True or False, got 'yes'"),
    "a first pixel off the grid": (
        lambda: PixelOptimizer(GRID, "area", initial=[(8, 0)]),
        "pixel [[8, 0]] lies outside the grid of shape (8, 8)",
    ),
    "first pixels as flat indices": (
        lambda: PixelOptimizer(GRID, "area", initial=Listed([3, 4])),
        "the pixels to begin with need row and col, got [(3,), (4,)]",
    ),
    "a pixel of three coordinates": (lambda: GRID.ravel([(1, 2, 3)]), "a pixel is (row, col), got [[1, 2, 3]]"),
    "a pixel as a text": (lambda: stage().set("1, 2"), "stage: expected a pixel (row, col), got '1, 2'"),
    "a sample of one number": (lambda: SyntheticFerroelectric(shape=50), "one to three positive whole numbers, got 50"),
    "a seed in words": (lambda: SyntheticFerroelectric(seed="a"), "seed must be a whole number, got 'a'"),
    "noise below zero": (lambda: SyntheticFerroelectric(noise=-1), "noise must be at least 0, got -1"),
    "a unit of an axis": (lambda: SimulatedAxis(name="x", units=3), "x: units must be a text such as 'um', got 3"),
    "image and grid swapped": (
        lambda: grid_on_image(GRID, np.zeros((9, 9))),
        "image: expected the numbers of an image, got PixelGrid",
    ),
    "the file of an image": (
        lambda: grid_on_image("haadf.png", GRID),
        "expected the numbers of an image, got str 'haadf.png'",
    ),
    "a shape for a grid": (lambda: grid_on_image(np.eye(9), (8, 8)), "image: grid must be a PixelGrid, got tuple"),
    "documents for a dataset": (lambda: to_dataset([("start", {})]), "to_dataset: expected a RunRecord, got list"),
    "documents for a signal": (lambda: to_signal([("start", {})]), "to_signal: expected a RunRecord, got list"),
    "the uid of a run to verify": (lambda: verify("1a2b3c4d"), "verify: expected documents, got '1a2b3c4d'"),
    "nothing to replay": (lambda: replay([]), "replay: there is not one document, so there is no run"),
    "a folder for a journal": (lambda: list(read_journal(".")), "is a folder, and a journal is a file of it"),
}


@pytest.mark.parametrize(("slip", "sentence"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_answered_where_it_is_made(slip, sentence):
    with pytest.raises((TypeError, ValueError, JournalError, RuntimeError)) as caught:
        slip()
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        ([3, 4], "got int 3 for one of them"),
        ("all", "pixels must be a list such as [[0, 0], [1, 1]], got str 'all'"),
        (None, "got NoneType None"),
        ([], "got none"),
        ([(1, 2, 3)], "a pixel is (row, col), got [[1, 2, 3]]"),
        ([(1.5, 2)], "pixels are whole numbers"),
    ],
)
def test_a_list_of_pixels_that_is_none_is_told_before_there_is_a_run(bench, RE, docs, pixels, sentence):
    with pytest.raises((TypeError, ValueError)) as caught:
        RE(list_map([bench.detector], bench.stage, pixels))
    assert sentence in str(caught.value) and docs.all == []


def test_pixels_may_come_as_an_array(bench, RE, docs):
    RE(list_map([bench.detector], bench.stage, np.array([[1, 2], [3, 4]], "u1")))
    assert docs.starts[0]["plan_args"]["pixels"] == [[1, 2], [3, 4]] and docs.counts["primary"] == 2


@pytest.mark.parametrize("plan", [adaptive_map, raster_map])
def test_a_plan_for_a_pixel_that_takes_other_arguments_is_told_before_there_is_a_run(bench, RE, docs, plan):
    def mine(detectors, stage, pixel):
        yield from ()

    parts, num = (bench.things, {"num": 5}) if plan is adaptive_map else (bench.things[:2], {})
    with pytest.raises(TypeError, match=r"called as per_pixel\(detectors, stage, agent, pixel\), not mine\(detectors"):
        RE(plan(*parts, per_pixel=mine, **num))
    assert docs.all == []


def test_a_plan_for_a_batch_that_takes_nothing_is_told_before_there_is_a_run(bench, RE, docs):
    with pytest.raises(TypeError, match=r"per_batch is called as per_batch\(pixels\), not <lambda>\(\)"):
        RE(bench.map(5, per_batch=lambda: iter(())))
    assert docs.all == []


@pytest.mark.parametrize("hook", ["per_batch", "per_pixel"])
def test_a_function_without_a_yield_is_told_before_the_stage_moves(bench, RE, docs, hook):
    def refocus(*parts):
        pass

    with pytest.raises(
        TypeError, match="refocus must be a plan, with a `yield from`, or return one: it returned NoneType"
    ):
        RE(bench.map(5, **{hook: refocus}))
    assert "primary" not in docs.counts and docs.stops[0]["exit_status"] == "fail"


@pytest.mark.parametrize("plan", [adaptive_map, raster_map])
def test_a_spectrometer_that_looks_at_the_stage_of_an_earlier_cell_is_told_before_there_is_a_run(RE, docs, plan):
    detector, new, rest = spectrometer(stage("old")), stage("new"), ((agent(),) if plan is adaptive_map else ())
    with pytest.raises(ValueError, match="looks where another PixelStage 'old' is than the one that is moved, Pixel"):
        RE(plan([detector], new, *rest, **({"num": 5} if rest else {})))
    assert docs.all == []


def test_a_stage_made_anew_over_the_same_axes_is_the_one_that_is_looked_at(RE, docs):
    old = stage()
    detector = spectrometer(old)
    RE(adaptive_map([detector], PixelStage(grid=GRID, axes=old.axes, name="anew"), agent(), num=5))
    RE(adaptive_map([detector], tuple(old.axes), agent(), num=5))
    assert [stop["exit_status"] for stop in docs.stops] == ["success"] * 2


def test_a_scalarizer_for_a_number_beside_its_spectrum_is_told_before_there_is_a_run(RE, docs):
    where = stage()
    learner = agent(scalarizer=lambda spectrum, axis: float(spectrum.sum()))
    sentence = r"det_loop_area is a number already: leave out scalarizer=, or .* target= \('det_spectrum'\)"
    with pytest.raises(ValueError, match=sentence):
        RE(adaptive_map([spectrometer(where)], where, learner, num=5))
    assert docs.all == []


@pytest.mark.parametrize("read", [RunRecord.from_documents, replay])
def test_a_list_that_was_kept_for_a_whole_session_is_not_read_as_one_run(bench, RE, docs, read):
    RE(bench.map(5))
    RE(bench.map(9))
    with pytest.raises(ValueError, match=r"expected the documents of one run, got those of \w{8} and then of \w{8}: "):
        read(docs.all)
    broken = [clause for clause in verify(docs.all) if clause.name == "documents" and not clause.holds]
    assert "expected the documents of one run" in broken[0].sentence


def test_a_file_into_a_folder_that_there_is_not(bench, RE, docs, tmp_path):
    RE(bench.map(5))
    record = RunRecord.from_documents(docs.all)
    with pytest.raises(FileNotFoundError, match="run.nc: there is no folder .*away"):
        export(record, tmp_path / "away" / "run.nc")
