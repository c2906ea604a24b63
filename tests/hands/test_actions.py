"""Every action of a person on a run of a real RunEngine: obeyed, recorded, replayed, resumed."""

import json

import numpy as np
import pytest
from recorded_runs import Run, cut

from bluesky_gp import ConfidenceBound, PixelOptimizer
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.packed import bits_as_text
from bluesky_gp.replay import replay
from bluesky_gp.run import Action, Orders, RunRecord


@pytest.fixture
def session(make_bench):
    """Makes what a new session has: stage, detector, optimizer and agent."""
    return lambda **options: make_bench(optimizer=PixelOptimizer, **{"batch_size": 5, "n_initial": 5, **options})


@pytest.fixture
def at(RE, docs):  # noqa: N803
    """Runs a map, and does something when so many pixels have been measured."""

    def run(bench, num, moments, **options):
        def do(name, doc):
            if name == "event" and "det_height" in doc["data"] and doc["seq_num"] in moments:
                moments.pop(doc["seq_num"])(bench.agent)

        RE(bench.map(num, **options), do)
        return RunRecord.from_documents(docs.all)

    return run


def greedy(mean, std, best, *, rng):
    """An acquisition function of one's own."""
    return mean


def pixels(record):
    return [tuple(p) for p in record.grid.unravel([outcome.pixel for outcome in record.outcomes]).tolist()]


def kinds(docs):
    return docs.column("gp_hands_action", "gp_hands")


def check_replay(docs):
    result = replay(docs.all)
    assert result.identical, str(result.difference)


# -- pixels of one's own -----------------------------------------------------------------------------------------------


def test_pixels_of_a_person_are_measured_next_and_flagged(session, at, docs):
    record = at(session(), 20, {7: lambda agent: agent.add_pixels([[0, 0], [6, 7]], who="jane")})
    assert pixels(record)[10:12] == [(0, 0), (6, 7)] and len(record.outcomes) == 20
    assert record.iterations["by_hand"].tolist() == [[0] * 5, [0] * 5, [1, 1, 0, 0, 0], [0] * 5, [-1] * 5]
    (event,) = docs.data("gp_hands")
    assert event["gp_hands_who"] == "jane" and event["gp_hands_when"] > 1.7e9
    assert json.loads(event["gp_hands_arguments"]) == {"pixels": [[0, 0], [6, 7]]}
    assert record.iterations["n_actions"].tolist() == [0, 0, 1, 1, 1]
    check_replay(docs)


def test_more_pixels_than_a_batch_has_are_measured_over_several(session, at, docs):
    row = [[3, col] for col in range(8)]
    record = at(session(), 20, {5: lambda agent: agent.add_pixels(row)})
    assert pixels(record)[5:13] == [tuple(p) for p in row]
    check_replay(docs)


def test_pixels_asked_for_at_the_end_are_measured_beyond_num(session, at, docs):
    record = at(session(), 10, {9: lambda agent: agent.add_pixels([[0, 0], [6, 7]])})
    assert pixels(record)[10:] == [(0, 0), (6, 7)]
    check_replay(docs)


def test_a_pixel_that_has_a_value_is_measured_again(session, at, docs):
    bench = session()
    first = {}

    def ask(agent):
        first["pixel"] = [round(docs.data()[0][f"stage_{axis}"]) for axis in ("row", "col")]
        agent.add_pixels([first["pixel"]])

    record = at(bench, 15, {6: ask})
    assert pixels(record).count(tuple(first["pixel"])) == 2 and len(record.outcomes) == 16
    check_replay(docs)


def test_a_pixel_that_failed_is_not_asked_for_again_and_again(session, at, docs):
    record = at(session(script={(0, 0): ["fail"]}), 15, {3: lambda agent: agent.add_pixels([[0, 0]])})
    assert pixels(record).count((0, 0)) == 1
    check_replay(docs)


# -- regions -----------------------------------------------------------------------------------------------------------

LEFT = {"rectangle": [[0, 0], [7, 3]]}


def test_a_forbidden_region_is_not_measured_any_more_not_even_in_the_batch_under_way(session, at, docs):
    record = at(session(), 25, {6: lambda agent: agent.forbid(LEFT)})
    assert all(col > 3 for _, col in pixels(record)[6:])
    check_replay(docs)


def test_what_is_allowed_again_is_measured(session, at, docs):
    record = at(session(), 50, {1: lambda agent: agent.forbid(LEFT), 20: lambda agent: agent.allow(LEFT)})
    cols = [col for _, col in pixels(record)]
    assert all(col > 3 for col in cols[1:20]) and any(col <= 3 for col in cols[20:])
    check_replay(docs)


def test_the_search_is_restricted_to_a_region_in_place_of_another(session, at, docs):
    others = {"polygon": [[-0.5, 3.5], [7.5, 3.5], [7.5, 7.5], [-0.5, 7.5]]}
    record = at(session(), 30, {5: lambda agent: agent.restrict(LEFT), 15: lambda agent: agent.restrict(others)})
    cols = [col for _, col in pixels(record)]
    assert all(col <= 3 for col in cols[5:15]) and all(col > 3 for col in cols[15:])
    check_replay(docs)


def test_a_polygon_through_the_outermost_pixels_is_the_whole_grid(session):
    agent = session().agent
    agent.restrict({"polygon": [[0, 0], [0, 7], [7, 7], [7, 0]]})
    assert agent.orders.barred is None


def test_a_polygon_of_an_earlier_record_is_the_mask_that_stands_beside_it(session):
    grid = session().agent.optimizer.grid
    mask = np.zeros(grid.shape, dtype=bool)
    mask[:7, :7] = True  # as edges were before
    region = {"polygon": [[0, 0], [0, 7], [7, 7], [7, 0]]}
    action = Action("restrict", {"region": region, "mask": bits_as_text(mask)}, "jane", 1.0)
    assert np.array_equal(Orders().after([action], (), grid).barred, ~mask.ravel())


def test_the_search_is_restricted_to_where_the_map_is_high(session, at, docs):
    bench, high = session(), {}

    def restrict(agent):
        high["mask"] = agent.decision.state.mean > 7.0
        agent.restrict({"above": 7.0})

    record = at(bench, 25, {20: restrict})
    assert high["mask"].any() and all(high["mask"][pixel] for pixel in pixels(record)[20:])
    check_replay(docs)


def test_a_run_ends_with_a_sentence_where_every_pixel_left_is_barred(session, at, docs):
    record = at(session(), 60, {5: lambda agent: agent.restrict({"rectangle": [[0, 0], [1, 2]]})})
    assert record.iterations["stop_reason"][-1] == "every pixel that is left is barred"
    assert len(record.outcomes) < 12
    check_replay(docs)


def test_stopping_rules_look_at_what_may_be_measured(session, at):
    record = at(session(stopping=[MaxPixels(30)]), 60, {5: lambda agent: agent.forbid(LEFT)})
    assert len(record.outcomes) == 30


# -- settings ----------------------------------------------------------------------------------------------------------


def test_settings_change_for_what_comes(session, at, docs):
    def change(agent):
        agent.configure(acquisition="ucb", batch=1.0, batch_size=3, stopping=[MaxPixels(16)])

    record = at(session(), 40, {10: change})
    assert np.sum(record.iterations["proposed"][:, :, 0] >= 0, axis=1).tolist() == [5, 5, 3, 3, 0]
    assert record.iterations["stop_reason"][-1] == "16 pixels attempted"
    (event,) = docs.data("gp_hands")
    assert json.loads(event["gp_hands_arguments"])["acquisition"]["class"] == "bluesky_gp:ConfidenceBound"
    check_replay(docs)


def test_a_changed_acquisition_function_chooses_as_one_that_was_given_from_the_beginning(session, at):
    changed = at(session(seed=3), 10, {1: lambda agent: agent.configure(acquisition=ConfidenceBound(9.0), batch=1.0)})
    state = session(seed=3, acquisition=ConfidenceBound(9.0), batch=1.0).optimizer
    values = {outcome.pixel: outcome.value for outcome in changed.outcomes[:5]}
    state.ingest([{"_id": pixel, "height": value} for pixel, value in values.items()])
    assert [point["_id"] for point in state.suggest(5)] == [outcome.pixel for outcome in changed.outcomes[5:]]


def test_a_batch_grows_where_there_is_room(make_bench, at, docs):
    bench = make_bench(optimizer=PixelOptimizer, batch_size=3, n_initial=3)
    bench.agent = type(bench.agent)(bench.optimizer, target="det_height", largest_batch=8)
    record = at(bench, 30, {3: lambda agent: agent.configure(batch_size=8)})
    assert np.sum(record.iterations["proposed"][:, :, 0] >= 0, axis=1).tolist()[:3] == [3, 8, 8]
    check_replay(docs)


@pytest.mark.parametrize("more", [lambda agent: agent.go_on(10), lambda agent: agent.configure(num=20)])
def test_a_run_goes_on_for_more_pixels(session, at, docs, more):
    record = at(session(), 10, {9: more})
    assert len(record.outcomes) == 20 and record.iterations["stop_reason"][-1] == "num"
    check_replay(docs)


def test_what_was_to_end_goes_on_when_somebody_says_so(session, at):
    record = at(session(), 10, {6: lambda agent: agent.finish(), 7: lambda agent: agent.go_on(5)})
    assert len(record.outcomes) == 15


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"batch_size": 4, "colour": 3}, "PixelOptimizer: 'colour' cannot be changed in mid-run: acquisition, batch"),
        ({"batch_size": 4, "seed": 3}, "'seed' cannot be changed in mid-run"),
        ({"num": 12, "batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"batch_size": 4, "num": 65}, "num must be between 1 and the 64 pixels that the grid has, got 65"),
        ({"batch_size": 4, "num": 1.5}, "num must be a whole number, got 1.5"),
        ({"num": 12, "batch_size": 6}, r"at most, got batch_size=6: GPAgent\(..., largest_batch=...\) makes room"),
        (
            {"num": 12, "acquisition": "ubc"},
            "no acquisition function 'ubc', there are ei, pi, ucb.*; did you mean 'ucb'",
        ),
        (
            {"num": 12, "acquisition": greedy},
            "no acquisition function 'greedy', there are ei, pi.*a function of your own",
        ),
        ({"num": 12, "stopping": MaxPixels(3)}, "stopping must be a list of rules"),
        ({"num": 12, "batch": 1.5}, "batch is a share between 0 and 1"),
        ({"num": 12, "batch": 0.5, "purpose": "map"}, "give batch=0.5 or purpose='map', not both"),
        ({}, "give the settings to change"),
    ],
)
def test_settings_change_all_of_them_or_none(session, settings, sentence):
    agent = session().agent
    with pytest.raises((TypeError, ValueError), match=sentence):
        agent.configure(**settings)
    assert agent.hands.waiting == ()


# -- the end, and a pause ----------------------------------------------------------------------------------------------


def test_a_run_that_is_finished_says_who_wanted_it(session, at, docs):
    record = at(session(), 40, {12: lambda agent: agent.finish("the beam goes off", who="jane")})
    assert len(record.outcomes) == 15 and record.iterations["stop_reason"][-1] == "the beam goes off"
    assert kinds(docs) == ["finish"] and docs.column("gp_hands_who", "gp_hands") == ["jane"]
    check_replay(docs)


def test_it_pauses_after_the_batch_and_heeds_what_is_asked_for_meanwhile(session, RE, docs):
    from bluesky.utils import RunEngineInterrupted

    bench = session()

    def pause(name, doc):
        if name == "event" and "det_height" in doc["data"] and doc["seq_num"] == 7:
            bench.agent.pause_after_batch()

    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(15), pause)
    assert RE.state == "paused" and docs.counts["primary"] == 10 and docs.counts["gp"] == 2
    bench.agent.add_pixels([[0, 0]])
    RE.resume()
    record = RunRecord.from_documents(docs.all)
    assert pixels(record)[10] == (0, 0) and len(record.outcomes) == 15
    assert kinds(docs) == ["pause", "add_pixels"]
    check_replay(docs)


# -- between runs ------------------------------------------------------------------------------------------------------


def test_what_is_asked_for_before_a_run_stands_in_it_and_counts_from_the_first_decision(session, at, docs):
    bench = session()
    bench.agent.add_pixels([[0, 0]])
    bench.agent.forbid(LEFT.copy() | {"rectangle": [[1, 0], [7, 3]]})
    record = at(bench, 10, {})
    assert pixels(record)[0] == (0, 0) and kinds(docs) == ["add_pixels", "forbid"]
    check_replay(docs)


def test_what_came_too_late_for_a_run_and_means_nothing_to_another_is_dropped(session, RE, docs, caplog):
    bench = session()

    def late(name, doc):
        if name == "event" and doc["data"].get("gp_stop_reason"):
            bench.agent.finish()
            bench.agent.forbid(LEFT)

    RE(bench.map(5), late)
    assert [action.kind for action in bench.agent.hands.waiting] == ["forbid"]
    assert "too late for the run: ['finish']; for the next: ['forbid']" in caplog.text


# -- resuming ----------------------------------------------------------------------------------------------------------


def every_action(agent):
    agent.add_pixels([[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6]])
    agent.forbid({"rectangle": [[0, 6], [7, 7]]})
    agent.restrict({"rectangle": [[0, 0], [7, 6]]})
    agent.allow({"pixels": [[0, 6]]})
    agent.configure(acquisition="ucb", batch_size=4)
    agent.go_on(3)


def test_cut_anywhere_a_run_with_actions_is_resumed_as_it_went_on_and_both_replay(session, at, RE, docs, tmp_path):
    record = at(session(), 30, {8: every_action})
    whole, docs.all[:] = list(docs.all), []
    places = [i for i, (name, _) in enumerate(whole) if name == "event"]
    compared = 0
    for place in places[8::6]:
        path = cut(whole, place + 1, tmp_path / f"{place}.jsonl")
        bench = session()
        RE(bench.map(33, resume_from=path))
        other = RunRecord.from_documents(docs.all)
        inherited = other.inherited
        if "configure" in [action.kind for action in (*inherited.heeded, *inherited.unheeded)]:  # the last but one
            compared += 1
            assert pixels(other.together) == pixels(record)
        check_replay(docs)
        docs.all[:] = []
    assert compared > 3


def test_a_run_that_was_resumed_is_resumed_again_with_what_was_asked_for_in_the_first(session, at, RE, docs):
    at(session(), 10, {3: lambda agent: agent.forbid(LEFT)})
    for num in (15, 20):
        before, docs.all[:] = list(docs.all), []
        RE(session().map(num, resume_from=Run(before)))
    record = RunRecord.from_documents(docs.all)
    assert [action.kind for action in record.inherited.heeded] == ["forbid"]
    assert all(col > 3 for _, col in pixels(record))
    check_replay(docs)


def test_a_number_below_what_is_attempted_is_refused_and_the_run_goes_on(session, at):
    def less(agent):
        with pytest.raises(
            ValueError, match=r"num=5 is less than the 1[12] pixels that the run has attempted .* finish"
        ):
            agent.configure(num=5)
        agent.configure(num=13)

    assert len(at(session(), 20, {12: less}).outcomes) == 15  # the batch under way is measured


@pytest.mark.parametrize("ask", ["go_on", "pause_after_batch"])
def test_what_is_for_a_run_that_goes_on_is_refused_between_two_with_what_to_do(session, at, ask):
    bench = session()
    at(bench, 10, {})
    with pytest.raises(RuntimeError, match=r"there is no run to steer: .* adaptive_map\(..., num=...\)"):
        getattr(bench.agent, ask)()
