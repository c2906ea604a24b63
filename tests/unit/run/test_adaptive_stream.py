"""The stream ``adaptive``, in the schema of Tsuchinoko, beside the streams of a run."""

import numpy as np
import pytest
from conftest import Documents

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.run import RunRecord, with_adaptive_stream

GRID = (8, 8)


@pytest.fixture
def run(RE, docs, make_bench):
    """The documents of a map of 14 pixels in batches of four."""
    bench = make_bench(GRID)
    agent = GPAgent(PixelOptimizer(bench.grid, "height", batch_size=4, n_initial=4, seed=1), target="det_height")
    RE(adaptive_map([bench.detector], bench.stage, agent, num=14))
    return docs


@pytest.fixture
def shown(run):
    """The same, with the stream; validated like all documents."""
    documents = Documents()
    for name, doc in with_adaptive_stream(run.all):
        documents(name, doc)
    return documents


def test_every_map_of_a_run_is_an_event_with_its_batch_and_hyperparameters(run, shown):
    maps, decisions, events = run.data("gp_maps"), run.data("gp"), shown.data("adaptive")
    assert len(events) == len(maps) == shown.stops[0]["num_events"]["adaptive"] > 2
    by_iteration = {data["gp_iteration"]: data for data in decisions}
    for there, event in zip(maps, events, strict=True):
        decision = by_iteration[there["gp_maps_iteration"]]
        assert np.array_equal(event["posterior_mean"].reshape(GRID), there["gp_maps_mean"])
        assert np.array_equal(event["posterior_variance"].reshape(GRID), np.square(there["gp_maps_std"]))
        assert np.array_equal(event["acquisition_function"].reshape(GRID), there["gp_maps_acquisition"], equal_nan=True)
        assert np.array_equal(event["hyperparameters"], decision["gp_kernel_theta"])
        proposed = np.asarray(decision["gp_proposed"])
        targets = event["targets"].reshape(-1, 2)
        assert np.array_equal(targets[~np.isnan(targets[:, 0])], proposed[proposed[:, 0] >= 0])


def test_a_viewer_finds_shapes_and_axes_in_the_descriptor(shown):
    descriptor = shown.descriptor("adaptive")
    keys = descriptor["data_keys"]
    assert {key["source"] for key in keys.values()} == {"tsuchinoko"}
    assert keys["posterior_mean"]["grid_shape"] == list(GRID)
    assert keys["targets"]["target_shape"] == [4, 2]
    axes = descriptor["configuration"]["tsuchinoko"]["data"]
    assert axes == {"evaluation_grid_x": [*range(8)], "evaluation_grid_y": [*range(8)]}


def test_the_other_documents_are_those_of_the_run(run, shown):
    kept = [doc for name, doc in shown.all if name != "stop" and not str(doc.get("uid", "")).count("-adaptive")]
    assert kept == [doc for name, doc in run.all if name != "stop"]
    assert RunRecord.from_documents(shown.all).outcomes == RunRecord.from_documents(run.all).outcomes


def test_a_run_that_no_agent_steered_is_left_as_it_is():
    documents = [("start", {"uid": "a", "time": 1.0, "gp": "anything"}), ("stop", {"run_start": "a"})]
    assert list(with_adaptive_stream(documents)) == documents
