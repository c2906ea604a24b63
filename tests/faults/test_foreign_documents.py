"""Documents that nobody here wrote: foreign metadata, pages, runs inside runs, other writers beside ours."""

import json
import logging
from copy import deepcopy

import numpy as np
import pytest
from bluesky import plan_stubs as bps
from bluesky import plans as bp
from bluesky import preprocessors as bpp
from bluesky.callbacks.json_writer import JSONLinesWriter, JSONWriter
from ophyd.sim import SynAxis, det
from recorded_runs import NUM, cut, in_pages

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.agent.decision_events import LargeArray
from bluesky_gp.live import IterationLine
from bluesky_gp.plans import adaptive_map, one_pixel, tolerant
from bluesky_gp.recording import open_catalog, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify


@pytest.mark.parametrize("gp", ["general purpose", 3, ["a"], {"purpose": "general"}, {"agent": 7}], ids=repr)
def test_a_word_gp_in_anybodys_metadata_harms_no_run(RE, docs, gp):
    RE.subscribe(GPAgent(PixelOptimizer(PixelGrid((8, 8)), "det"), target="det"))
    RE.subscribe(IterationLine(show=pytest.fail))
    RE(bp.count([det]), gp=gp)
    assert docs.stops[0]["exit_status"] == "success"
    with pytest.raises(ValueError, match="was not steered by a GPAgent"):
        RunRecord.from_documents(docs.all)


def test_pages_of_events_are_read_replayed_and_resumed_as_events_are(whole, session, RE, docs, tmp_path):
    assert any(name == "event_page" for name, _ in in_pages(whole))
    assert RunRecord.from_documents(in_pages(whole)).outcomes == RunRecord.from_documents(whole).outcomes
    result = replay(in_pages(whole))
    assert result.identical and (result.n_iterations, result.n_maps) == (6, 5)
    RE(session().map(NUM, resume_from=cut(in_pages(whole[:-4]), 99, tmp_path / "pages.jsonl")))
    measured = [o.pixel for o in RunRecord.from_documents(whole[:-4]).outcomes]
    again = [o.pixel for o in RunRecord.from_documents(docs.all).outcomes]
    assert not set(measured) & set(again) and len(measured) + len(again) == NUM


def test_a_live_line_is_shown_for_decisions_that_come_in_pages(whole):
    lines = []
    line = IterationLine(show=lines.append)
    for name, doc in in_pages(whole):
        line(name, doc)
    assert len(lines) == 6 and lines[-1].ended


def test_a_run_without_decisions_is_not_called_identical(whole):
    result = replay([pair for pair in whole if not any("gp_iteration" in str(key) for key in pair[1].get("data", ()))])
    assert result.n_iterations == 0 and not result.identical


def test_a_run_inside_the_run_of_an_agent_with_axes_disturbs_it_not(RE, docs):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    optimizer = PixelOptimizer(PixelGrid((5, 5)), "det", batch_size=5, n_initial=5)
    agent = GPAgent(optimizer, target="det", axes=["y", "x"])
    RE.subscribe(agent)

    @bpp.run_decorator()
    def outer():
        for row in range(5):
            yield from bps.mv(y, row, x, row)
            yield from bps.trigger_and_read([det, y, x])
            inner = bpp.set_run_key_wrapper(bp.count([det]), f"inner {row}")
            yield from inner

    RE(outer())
    assert [stop["exit_status"] for stop in docs.stops] == ["success"] * 6
    assert [outcome.pixel for outcome in agent._run.heard.outcomes] == [0, 6, 12, 18, 24]


def test_an_agent_whose_target_stands_in_another_stream_says_so(RE, docs, caplog):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    agent = GPAgent(PixelOptimizer(PixelGrid((5, 5)), "det"), target="det", axes=["y", "x"])
    RE.subscribe(agent)

    @bpp.run_decorator()
    def elsewhere():
        yield from bps.trigger_and_read([det, y, x], name="pixels")

    with caplog.at_level(logging.WARNING, "bluesky_gp"):
        RE(elsewhere())
    assert "det stands in stream 'pixels', and pixels are heard in 'primary' alone" in caplog.text


def test_a_passive_agent_says_which_keys_a_foreign_run_lacks_and_ends_no_run(RE, docs, caplog):
    RE.subscribe(GPAgent(PixelOptimizer(PixelGrid((5, 5)), "det"), target="det", axes=["y", "x"]))
    with caplog.at_level(logging.WARNING, "bluesky_gp"):
        RE(bp.count([det]))
    assert docs.stops[0]["exit_status"] == "success" and "carry no ['y', 'x']" in caplog.text


def test_an_agent_beside_the_one_that_steers_says_that_it_hears_nothing(RE, docs, session, caplog):
    RE.subscribe(GPAgent(PixelOptimizer(PixelGrid((8, 8)), "area"), target="det_area", name="second"))
    with caplog.at_level(logging.WARNING, "bluesky_gp"):
        RE(session().map(NUM))
    assert "is steered by agent 'gp', and second hears nothing of it: give it axes=" in caplog.text


def test_positions_that_are_taken_for_rows_and_columns_are_said(RE, docs, caplog):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    optimizer = PixelOptimizer(PixelGrid((3, 3), step=(-0.5, 0.5)), "det")
    for axes in (["y", "x"], {"keys": ["y", "x"], "space": "stage"}):
        agent = GPAgent(optimizer, target="det", axes=axes)
        token = RE.subscribe(agent)
        with caplog.at_level(logging.WARNING, "bluesky_gp"):
            RE(bp.grid_scan([det], y, 0, -1, 3, x, 0, 1, 3))
        RE.unsubscribe(token)
        said = "6 events lie outside the grid of shape (3, 3), as ['y', 'x'] are read as rows and columns"
        assert (said in caplog.text) == isinstance(axes, list)
        caplog.clear()
    assert [outcome.pixel for outcome in agent._run.heard.outcomes] == list(range(9))


def test_an_agent_that_is_never_asked_says_that_it_learnt_nothing_of_what_it_heard(RE, docs, caplog):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    RE.subscribe(GPAgent(PixelOptimizer(PixelGrid((3, 3)), "det"), target="det", axes=["y", "x"]))
    with caplog.at_level(logging.WARNING, "bluesky_gp"):
        RE(bp.grid_scan([det], y, 0, 2, 3, x, 0, 2, 3))
    assert "9 pixels were heard and none is learnt, as the plan never asked for pixels" in caplog.text


@pytest.mark.parametrize("writer", [JSONWriter, JSONLinesWriter])
def test_the_json_writers_of_bluesky_take_what_the_agent_emits(RE, docs, session, tmp_path, writer):
    RE.subscribe(writer(str(tmp_path)))
    RE(session().map(NUM))
    text = next(tmp_path.iterdir()).read_text()
    pairs = json.loads(text) if writer is JSONWriter else [json.loads(line) for line in text.splitlines()]
    assert replay([(pair["name"], pair["doc"]) for pair in pairs]).identical


def _by_hand(session):
    session.agent.forbid(np.eye(8, dtype=bool))
    session.agent.mark_failed((0, 1), "a bubble")
    return session.map(NUM)


WAYS = {
    "people who forbid a region and mark a pixel": _by_hand,
    "batches chosen ahead": lambda session: session.map(NUM, overlap=True),
    "pixels that fail": lambda session: session.map(NUM, per_pixel=tolerant(one_pixel, retries=0)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_json_writers_take_runs_of_every_kind_and_they_replay_from_there(RE, session, tmp_path, way):
    RE.subscribe(JSONLinesWriter(str(tmp_path)))
    RE(way(session(script={(row, 2): ["fail"] for row in range(8)})))
    pairs = [json.loads(line) for line in next(tmp_path.iterdir()).read_text().splitlines()]
    documents = [(pair["name"], pair["doc"]) for pair in pairs]
    assert replay(documents).identical and all(clause.holds for clause in verify(documents))


@pytest.mark.parametrize("writer", [JSONWriter, JSONLinesWriter])
def test_maps_of_any_size_are_taken_by_the_json_writers_and_stay_arrays_in_the_journal(RE, tmp_path, writer):
    y, x = SynAxis(name="y"), SynAxis(name="x")
    agent = GPAgent(PixelOptimizer(PixelGrid((80, 90)), "det"), target="det", maps=1)
    (tmp_path / "json").mkdir()
    with open_catalog(tmp_path / "catalog") as catalog:
        RE.subscribe(catalog)
        RE.subscribe(writer(str(tmp_path / "json")))
        (uid,) = RE(adaptive_map([det], (y, x), agent, num=11))
        kept = list(read_journal(catalog.journal(uid)))
    text = next((tmp_path / "json").iterdir()).read_text()
    pairs = json.loads(text) if writer is JSONWriter else [json.loads(line) for line in text.splitlines()]
    written = [pair["doc"]["data"] for pair in pairs if "gp_maps_mean" in pair["doc"].get("data", {})]
    journalled = [doc["data"] for name, doc in kept if name == "event" and "gp_maps_mean" in doc["data"]]
    assert len(written) == len(journalled) == 2
    for one, other in zip(written, journalled, strict=True):
        assert isinstance(other["gp_maps_std"], np.ndarray) and other["gp_maps_std"].shape == (80, 90)
        assert np.array_equal(one["gp_maps_std"], other["gp_maps_std"])
    assert replay([(pair["name"], pair["doc"]) for pair in pairs]).identical and replay(kept).identical


def test_a_large_map_is_a_list_to_whom_asks_for_one_and_an_array_to_numpy():
    map_of = np.random.default_rng(0).random((80, 90))
    large = LargeArray(map_of)
    assert json.loads(json.dumps(large)) == large.tolist() == map_of.tolist()
    assert np.asarray(large) is map_of and np.array(large, dtype="f4").dtype == np.float32
    assert not np.shares_memory(np.array(large), map_of), "a copy that is asked for is one"
    assert deepcopy(large) == large and np.array_equal(deepcopy(large), map_of)
