"""An agent that learns from runs of other plans."""

import bluesky.plans as bp
import pytest
from recorded_runs import Run, in_pages

from bluesky_gp import PixelOptimizer
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


def test_what_teaches_nothing_is_refused_with_a_sentence(session, recorded):
    bench = session()
    count = recorded(bp.count([bench.detector], 3))
    with pytest.raises(ValueError, match=r"says nothing of 2 axes, its dimensions are \[\]: give axes="):
        bench.agent.learn_from(count)
    stage_only = recorded(bp.list_scan([], bench.stage.row, [1, 2], bench.stage.col, [3, 4]))
    with pytest.raises(KeyError, match="carry no .*det_height"):
        bench.agent.learn_from(stage_only)
    assert bench.agent.hands.waiting == ()
