"""An agent that learns from runs of other plans."""

from copy import deepcopy

import bluesky.plans as bp
import pytest
from recorded_runs import Run, in_pages

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage
from bluesky_gp.plans import raster_map
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


@pytest.fixture
def session(make_bench):
    """Makes what a new session has: stage, detector, optimizer and agent."""
    return lambda **options: make_bench(optimizer=PixelOptimizer, **{"batch_size": 5, "n_initial": 5, **options})


@pytest.fixture
def recorded(RE, docs):  # noqa: N803
    """Runs a plan and returns its documents, as a run of a catalog."""

    def run(plan):
        RE(plan)
        documents, docs.all[:] = list(docs.all), []
        return Run(documents)

    return run


def test_a_coarse_map_is_learnt_before_the_first_decision_and_recorded_as_such(session, recorded, RE, docs):
    bench = session()
    coarse = recorded(raster_map([bench.detector], bench.stage, every=2))
    bench.agent.learn_from(coarse, who="jane")
    RE(bench.map(10))
    record = RunRecord.from_documents(docs.all)
    assert record.iterations["n_measured"].tolist() == [16, 21, 26] and len(record.outcomes) == 10
    assert all(row % 2 or col % 2 for row, col in record.measured[0].tolist())
    (action,) = record.actions
    assert (action.kind, action.who, action.arguments["plan"]) == ("learn_from", "jane", "raster_map")
    assert action.arguments["run"] == coarse.all[0][1]["uid"] and len(action.arguments["values"]) == 16
    assert record.iterations["acquisition"][0][0] == record.iterations["acquisition"][0][0]  # a model chose already
    assert replay(docs.all).identical


def test_a_run_of_plain_bluesky_is_learnt_by_its_dimensions(session, recorded, RE, docs):
    bench = session()
    scan = recorded(bp.grid_scan([bench.detector], bench.stage.row, 0, 7, 3, bench.stage.col, 0, 7, 3))
    bench.agent.learn_from(scan)
    RE(bench.map(5))
    assert docs.column("gp_n_measured", "gp") == [9, 14]


def test_events_in_pages_teach_what_events_teach(session, recorded):
    bench = session()
    coarse = recorded(raster_map([bench.detector], bench.stage, every=2))
    bench.agent.learn_from(coarse)
    bench.agent.learn_from(Run(in_pages(coarse.all)))
    events, pages = (action.arguments for action in bench.agent.hands.waiting)
    assert events == pages and len(pages["values"]) == 16


def test_an_earlier_run_of_an_agent_is_learnt_and_resumed_with_what_it_taught(session, recorded, RE, docs):
    earlier = recorded(session().map(10))
    bench = session()
    bench.agent.learn_from(earlier)
    first = recorded(bench.map(10))
    RE(session().map(15, resume_from=first))
    record = RunRecord.from_documents(docs.all)
    assert record.iterations["n_measured"][-1] == 25 and len(record.outcomes) == 5
    assert replay(docs.all).identical


COARSE = PixelGrid((4, 4), step=(1.0, 1.0), origin=(0.3, -0.2), units="um")  # of twice the step, and elsewhere


@pytest.fixture
def coarse_map(session, recorded):
    """A map of the same sample on another grid; its heights are the numbers of its pixels."""
    bench = session()
    stage = PixelStage(grid=COARSE, name="stage")
    detector = type(bench.detector)("det", stage, lambda row, col: 4.0 * row + col)
    return recorded(raster_map([detector], stage))


def edited(run, change):
    """A run whose documents are another's, each changed."""
    documents = deepcopy(run.all)
    for name, doc in documents:
        change(name, doc)
    return Run(documents)


def test_a_map_of_another_step_and_offset_teaches_the_pixels_that_its_own_lie_in(session, coarse_map, RE, docs):
    bench = session()
    bench.agent.learn_from(coarse_map)
    (action,) = bench.agent.hands.waiting
    rows = [1, 3, 5, 7]  # 0.3 um and on, a step of ours being 0.5 um
    cols = [0, 2, 4, 6]  # -0.2 um and on
    taught = dict(zip(action.arguments["pixels"], action.arguments["values"], strict=True))
    assert taught == {8 * rows[i] + cols[j]: 4.0 * i + j for i in range(4) for j in range(4)}
    RE(bench.map(5))
    assert docs.column("gp_n_measured", "gp") == [16, 21]
    assert replay(docs.all).identical


def test_pixels_beyond_the_grid_teach_nothing(make_bench, coarse_map):
    bench = make_bench(shape=(4, 4))
    bench.agent.learn_from(coarse_map)
    assert sorted(bench.agent.hands.waiting[0].arguments["pixels"]) == [4, 6, 12, 14]


def test_the_noise_of_a_quick_map_is_recorded_learnt_resumed_and_replayed(session, coarse_map, recorded, RE, docs):
    bench = session()
    bench.agent.learn_from(coarse_map, std=0.5)
    first = recorded(bench.map(5))
    assert bench.optimizer.state.measurements.std.tolist() == [0.5] * 16 + [0.0] * 5
    again = session()
    RE(again.map(10, resume_from=first))
    assert again.optimizer.state.measurements.std.tolist() == [0.5] * 16 + [0.0] * 10
    assert replay(first.all).identical and replay(docs.all).identical


def test_an_event_key_says_the_noise_of_each_value(session, coarse_map):
    def with_noise(name, doc):
        if name == "descriptor":
            doc["data_keys"]["det_height_std"] = doc["data_keys"]["det_height"]
        elif name == "event":
            doc["data"]["det_height_std"] = 0.1 * doc["seq_num"]

    bench = session()
    bench.agent.learn_from(edited(coarse_map, with_noise), std="det_height_std")
    arguments = bench.agent.hands.waiting[0].arguments
    assert arguments["std"] == pytest.approx([0.1 * n for n in range(1, 17)]) and arguments["others"] == {}
    with pytest.raises(KeyError, match=r"carry no \['det_height_std'\]"):
        bench.agent.learn_from(coarse_map, std="det_height_std")


def test_a_map_that_does_not_say_its_grid_is_refused_unless_it_is_given(session, coarse_map):
    bench = session()
    silent = edited(coarse_map, lambda name, doc: name == "start" and doc["plan_args"].pop("grid"))
    with pytest.raises(ValueError, match="is a map of another grid than .*: give grid="):
        bench.agent.learn_from(silent)
    bench.agent.learn_from(silent, grid=COARSE.to_mapping())
    bench.agent.learn_from(coarse_map)
    assert len({str(action.arguments) for action in bench.agent.hands.waiting}) == 1


def test_a_grid_in_other_units_and_a_noise_that_is_none_are_refused(session, coarse_map):
    bench = session()
    with pytest.raises(ValueError, match="cannot be laid over"):
        bench.agent.learn_from(coarse_map, grid=PixelGrid((4, 4), step=(1e3, 1e3), units="nm"))
    with pytest.raises(ValueError, match="learn_from: std must be larger than 0, got -1"):
        bench.agent.learn_from(coarse_map, std=-1.0)
    assert bench.agent.hands.waiting == ()


def test_what_teaches_nothing_is_refused_with_a_sentence(session, recorded):
    bench = session()
    count = recorded(bp.count([bench.detector], 3))
    with pytest.raises(ValueError, match=r"says nothing of 2 axes, its dimensions are \[\]: give axes="):
        bench.agent.learn_from(count)
    stage_only = recorded(bp.list_scan([], bench.stage.row, [1, 2], bench.stage.col, [3, 4]))
    with pytest.raises(KeyError, match="carry no .*det_height"):
        bench.agent.learn_from(stage_only)
    assert bench.agent.hands.waiting == ()
