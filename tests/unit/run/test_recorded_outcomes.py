"""The outcomes of a whole run of any plan."""

import pytest
from recorded_runs import in_pages

from bluesky_gp import PixelOptimizer
from bluesky_gp.plans import raster_map
from bluesky_gp.run import Axes, PixelKeys
from bluesky_gp.run.recorded_outcomes import read_outcomes


@pytest.fixture
def run(RE, docs, make_bench):  # noqa: N803
    """A coarse map, and what to listen for in it."""
    bench = make_bench(optimizer=PixelOptimizer)
    grid = bench.agent.optimizer.grid
    RE(raster_map([bench.detector], bench.stage, every=2))
    return list(docs.all), PixelKeys("gp", "det_height", grid, Axes(grid.pixel_keys("stage")))


@pytest.mark.parametrize("given", [list, in_pages], ids=["events", "pages"])
def test_every_pixel_is_read_in_its_order_with_its_time(run, given):
    documents, keys = run
    start, outcomes = read_outcomes(given(documents), lambda start: keys)
    events = [doc for name, doc in documents if name == "event"]
    assert start == documents[0][1]
    assert [outcome.value for outcome in outcomes] == [event["data"][keys.target] for event in events]
    assert [outcome.seconds for outcome in outcomes] == [event["time"] - start["time"] for event in events]


def test_without_a_start_document_there_is_nothing(run):
    documents, keys = run
    assert read_outcomes(documents[1:], lambda start: keys) == ({}, [])
