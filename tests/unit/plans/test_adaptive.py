import gc
import json
import weakref

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.simulators import check_limits, summarize_plan
from event_model import sanitize_doc
from ophyd.sim import SynAxis, SynSignal

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage
from bluesky_gp.plans import adaptive_map, go_to_best
from bluesky_gp.testing import ListOptimizer


def test_num_pixels_are_measured_in_batches_with_a_decision_each_and_one_at_the_end(bench, RE, docs):
    RE(bench.map(35))
    assert docs.counts == {"gp": 5, "primary": 35, "gp_maps": 4}
    assert docs.column("gp_n_measured", "gp") == [0, 10, 20, 30, 35]
    assert docs.column("gp_stop_reason", "gp") == ["", "", "", "", "num"]
    assert docs.stops[0]["exit_status"] == "success"


def test_pixels_are_measured_where_and_in_the_order_in_which_they_were_proposed(bench, RE, docs):
    RE(bench.map(35))
    proposed = np.concatenate(docs.column("gp_proposed", "gp"))
    proposed = proposed[proposed[:, 0] >= 0]
    measured = np.stack([docs.column("stage_row"), docs.column("stage_col")], axis=1)
    assert np.allclose(measured, proposed)


def test_the_plan_returns_the_uid_of_its_run(bench, RE, docs):
    uids = []

    def outer():
        uids.append((yield from bench.map(5)))

    RE(outer())
    assert uids == [docs.starts[0]["uid"]]


def test_it_finds_the_maximum_with_the_real_optimizer(make_bench, RE):
    bench = make_bench(optimizer=PixelOptimizer, batch_size=5, n_initial=5)
    RE(bench.map(25))
    assert bench.optimizer.best == {"row": 5, "col": 2, "height": pytest.approx(10.0, abs=1.0)}
    RE(go_to_best(bench.stage, bench.agent))
    assert bench.stage.locate()["readback"] == pytest.approx((5, 2))


@pytest.fixture
def without_collector():
    """Nothing is freed but what nobody refers to."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_decision_outlives_the_next_but_by_one_and_keeps_no_column_of_the_covariance(
    make_bench, RE, without_collector
):
    """The next is computed from the latest one, which a question that is asked again wants as well."""
    bench, states, alive = make_bench(optimizer=PixelOptimizer, batch_size=5, n_initial=5), [], []

    def remember(name, doc):
        if name == "event" and "gp_iteration" in doc["data"]:
            states.append(weakref.ref(bench.agent.decision.state))
            alive.append(sum(state() is not None for state in states))

    RE(bench.map(40), remember)
    assert len(alive) == 9 and max(alive) == 2
    state = bench.agent.decision.state
    assert not state.posterior.fantasies and not hasattr(state.ahead, "fantasies")


def test_the_same_seed_gives_the_same_run_again_with_the_same_agent(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer, batch_size=5, n_initial=5)
    RE(bench.map(20))
    RE(bench.map(20))
    rows = docs.column("stage_row")
    assert rows[:20] == rows[20:]


def test_the_start_document_says_how_to_repeat_the_run(bench, RE, docs):
    RE(bench.map(12, md={"operator": "Ada", "hints": {"mine": 1}}))
    start = docs.starts[0]
    assert start["plan_name"] == "adaptive_map" and start["operator"] == "Ada"
    assert start["shape"] == [8, 8] and start["extents"] == [[0.0, 7.0], [0.0, 7.0]]
    assert start["motors"] == ["stage"] and start["detectors"] == ["det"]
    assert start["num_points"] == 12 and start["plan_args"]["num"] == 12
    assert start["hints"]["gridding"] == "rectilinear_nonsequential" and start["hints"]["mine"] == 1
    assert start["hints"]["dimensions"] == [[["stage_row"], "primary"], [["stage_col"], "primary"]]
    gp = start["gp"]
    assert gp["schema_version"] == 1 and gp["agent"] == "gp" and gp["target"] == "det_height"
    assert gp["axes"] == {"keys": ["stage_row", "stage_col"], "space": "pixel"}
    assert PixelGrid.from_mapping(gp["grid"]) == bench.grid
    assert {"bluesky_gp", "numpy", "scipy", "scikit-learn"} <= set(gp["versions"])
    json.dumps(sanitize_doc(start))


def test_how_long_the_exposures_take_is_in_the_start_document(bench, RE, docs, caplog):
    bench.detector.exposure = SynSignal(name="exposure", func=lambda: 0.5)
    bench.detector.exposure.trigger()
    with caplog.at_level("INFO", logger="bluesky_gp"):
        RE(bench.map(12))
    assert docs.starts[0]["gp"]["expected_seconds"] == 6.0
    assert "12 pixels at 0.5 s: at least 6 s" in caplog.text


def test_two_motors_are_a_stage(RE, docs):
    grid = PixelGrid((4, 5), step=(0.5, -0.25), origin=(1.0, 2.0), units="um")
    my, mx = SynAxis(name="my"), SynAxis(name="mx")
    det = SynSignal(name="det", func=lambda: my.position + mx.position)
    agent = GPAgent(ListOptimizer(grid, "height"), target="det")
    RE(adaptive_map([det], (my, mx), agent, num=20))
    start = docs.starts[0]
    assert start["gp"]["axes"] == {"keys": ["my", "mx"], "space": "stage"}
    assert start["motors"] == ["my", "mx"] and start["extents"] == [[1.0, 2.5], [1.0, 2.0]]
    assert docs.column("my")[-1] == 2.5 and docs.column("mx")[-1] == 1.0
    assert agent.optimizer.state.best_pixel == (3, 0)
    RE(go_to_best((my, mx), agent))
    assert (my.position, mx.position) == (2.5, 2.0)


@pytest.mark.parametrize("num", [0, -3, 65])
def test_more_pixels_than_there_are_is_an_error_before_anything_moves(bench, RE, docs, num):
    with pytest.raises(ValueError, match=f"num must be between 1 and the 64 pixels .* got {num}; num=64 measures"):
        RE(bench.map(num))
    assert docs.all == [] and bench.detector.calls == []


def test_num_is_a_whole_number(bench, RE):
    with pytest.raises(TypeError):
        RE(bench.map(3.5))


def test_masked_pixels_are_not_counted_and_not_measured(RE, docs, make_bench):
    bench = make_bench()
    mask = np.zeros((8, 8), dtype=bool)
    mask[0] = mask[:, 0] = True
    grid = PixelGrid((8, 8), mask=mask)
    bench.stage = PixelStage(grid=grid, name="stage")
    bench.detector.stage_under_test = bench.stage
    bench.agent = GPAgent(ListOptimizer(grid, "height"), target="det_height")
    with pytest.raises(ValueError, match="the 49 pixels"):
        RE(bench.map(50))
    RE(bench.map(49))
    assert min(docs.column("stage_row")) == 1.0 and min(docs.column("stage_col")) == 1.0


def test_a_grid_that_the_stage_cannot_reach_is_refused_before_anything_moves(bench, RE, docs):
    bench.stage = PixelStage(grid=bench.grid, limits=[(0.0, 3.0), (0.0, 9.0)], name="stage")
    with pytest.raises(ValueError, match=r"stage: pixel \(7, .\) of the grid.* cannot be reached.*limits"):
        RE(bench.map(5))
    assert docs.all == []


def test_stage_and_optimizer_with_different_grids_are_refused(bench, RE):
    bench.stage = PixelStage(grid=PixelGrid((9, 9)), name="stage")
    with pytest.raises(ValueError, match="give PixelStage and PixelOptimizer the same PixelGrid"):
        RE(bench.map(5))


def test_a_stopping_rule_ends_the_run_and_is_recorded(make_bench, RE, docs):
    bench = make_bench(pixels=[(0, 0), (0, 1), (0, 2)])
    RE(bench.map(20))
    assert docs.counts["primary"] == 3
    assert docs.column("gp_stop_reason", "gp")[-1] == "the list is done"


def test_per_batch_runs_before_each_batch_and_is_told_its_pixels(bench, RE):
    told = []

    def correct_drift(pixels):
        told.append(len(pixels))
        yield from bps.null()

    RE(bench.map(25, per_batch=correct_drift))
    assert told == [10, 10, 5]


def test_per_pixel_is_used_for_every_pixel(bench, RE, docs):
    visited = []

    def mine(detectors, stage, agent, pixel):
        visited.append(pixel)
        yield from bps.mv(stage, pixel)
        yield from bps.trigger_and_read([*detectors, stage])

    RE(bench.map(12, per_pixel=mine))
    assert len(visited) == 12 and docs.counts["primary"] == 12
    assert bench.optimizer.state.n_measured == 12


def test_the_plan_can_be_summarized_and_its_limits_checked_without_running_it(bench, RE, docs, capsys):
    summarize_plan(bench.map(12))
    assert "Read ['gp']" in capsys.readouterr().out
    check_limits(bench.map(12))
    assert docs.all == []


def test_a_large_grid_has_its_maps_written_only_now_and_then():
    agent = GPAgent(ListOptimizer(PixelGrid((128, 128)), "height"), target="t")
    assert agent.maps._every == 10


def test_going_to_the_best_before_there_is_one_is_an_error(bench, RE):
    with pytest.raises(ValueError, match="gp: no pixel has been measured yet"):
        RE(go_to_best(bench.stage, bench.agent))
