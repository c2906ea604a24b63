import numpy as np
import pytest

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticEELS
from bluesky_gp.live import LiveReader
from bluesky_gp.plans import adaptive_map, raster_map
from bluesky_gp.run import RunRecord


def read(documents):
    reader = LiveReader()
    for name, doc in documents:
        reader(name, doc)
    return reader.so_far


def test_the_run_so_far_is_what_a_reader_of_the_whole_run_finds(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer, script={(0, 3): ["fail"]})
    RE(bench.map(30))
    so_far, record = read(docs.all), RunRecord.from_documents(docs.all)
    assert so_far.pixels.tolist() == bench.grid.unravel([outcome.pixel for outcome in record.outcomes]).tolist()
    assert so_far.values[np.isfinite(so_far.values)].tolist() == record.measured[1].tolist()
    assert so_far.failed.tolist() == record.failed.tolist()
    assert np.array_equal(so_far.maps["mean"], record.maps["mean"])
    assert np.array_equal(so_far.best, record.iterations["best_value"], equal_nan=True)
    assert (so_far.target, so_far.units, so_far.progress.done) == ("height", "nm", 30)


def test_in_the_middle_of_a_batch_the_rest_of_it_is_still_to_be_measured(bench, RE, docs):
    RE(bench.map(30))
    events = [i for i, (name, doc) in enumerate(docs.all) if name == "event" and "det_height" in doc["data"]]
    so_far = read(docs.all[: events[13] + 1])
    assert len(so_far.pixels) == 14 and len(so_far.proposed) == 6
    assert [tuple(pixel) for pixel in so_far.proposed.tolist()] == bench.detector.triggered[14:20]


def test_an_older_map_keeps_the_iteration_that_it_is_of(RE, docs):
    grid = PixelGrid((8, 8))
    stage = PixelStage(grid=grid, name="stage")
    sample = SyntheticEELS(shape=(8, 8))
    agent = GPAgent(PixelOptimizer(grid, "net_counts"), target="spectrometer_net_counts", maps=2)
    spectrometer = SimulatedSpectrometer(sample, stage, scalarizers=["net_counts"], name="spectrometer")
    RE(adaptive_map([spectrometer], stage, agent, num=40))
    so_far = read(docs.all)
    assert so_far.ages == {"mean": 4, "std": 4, "acquisition": 2}
    assert so_far.spectrum.windows == {"edge": (454.0, 472.0), "background": (400.0, 450.0)}
    assert (so_far.spectrum.axis_units, so_far.spectrum.units) == ("eV", "counts")
    assert so_far.spectrum.pixel == tuple(so_far.pixels[-1])


def test_a_run_that_resumes_another_shows_the_pixels_of_both(bench, RE, docs, tmp_path):
    from bluesky_gp.recording import open_catalog

    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        (first,) = RE(bench.map(15))
        RE(bench.map(25, resume_from=catalog.journal(first)))
    so_far = read(docs.all)
    assert len(so_far.pixels) == 25 and so_far.attempted[-1] == 25
    assert [tuple(pixel) for pixel in so_far.pixels.tolist()] == bench.detector.triggered


def test_with_a_scalarizer_that_only_the_session_has_its_values_and_failures_are_shown(RE, docs):
    grid = PixelGrid((6, 6))
    stage = PixelStage(grid=grid, name="stage")
    spectrometer = SimulatedSpectrometer(SyntheticEELS(shape=(6, 6)), stage, scalarizers=[], name="spectrometer")
    visited = []

    def picky(spectrum, axis):
        visited.append(len(visited))
        return float("nan") if len(visited) == 3 else float(spectrum.mean())

    agent = GPAgent(PixelOptimizer(grid, "mean"), target="spectrometer_spectrum", scalarizer=picky)
    RE(adaptive_map([spectrometer], stage, agent, num=12))
    so_far = read(docs.all)
    assert len(so_far.pixels) == 12 and np.flatnonzero(np.isnan(so_far.values)).tolist() == [2]
    assert so_far.failed.tolist() == [so_far.pixels[2].tolist()]


def test_runs_that_no_agent_steers_leave_the_picture_as_it_is(bench, RE, docs):
    RE(raster_map([bench.detector], bench.stage, every=4))
    assert read(docs.all) is None
    RE(bench.map(5))
    RE(raster_map([bench.detector], bench.stage, every=4))
    assert len(read(docs.all).pixels) == 5


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_run_that_has_only_begun_can_be_asked(bench, RE, docs, n):
    RE(bench.map(5))
    so_far = read(docs.all[:n])
    assert len(so_far.pixels) == 0 and so_far.maps == {} and so_far.spectrum is None
