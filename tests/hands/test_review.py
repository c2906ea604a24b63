"""Batches that wait for a person's answer before they are measured."""

import json
import threading
import time

import pytest
from bluesky.utils import RunEngineInterrupted
from recorded_runs import cut

from bluesky_gp import PixelOptimizer
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


@pytest.fixture
def session(make_bench):
    """Makes what a new session has: stage, detector, optimizer and agent."""
    return lambda **options: make_bench(optimizer=PixelOptimizer, **{"batch_size": 5, "n_initial": 5, **options})


class Reviewer(threading.Thread):
    """Answers one batch after another, as it is told, then agrees to all."""

    def __init__(self, agent, *answers):
        super().__init__(daemon=True)
        self.agent, self.answers, self.shown = agent, list(answers), []
        self.words = []
        self.start()

    def run(self):
        seen = None
        while True:
            question = self.agent.review.question
            if question is not None and question is not seen:
                seen = question
                self.shown.append(question.pixels)
                self.words.append(question.words)
                answer = self.answers.pop(0) if self.answers else lambda agent: agent.agree(who="jane")
                answer(self.agent)
            time.sleep(0.005)


def pixels(record):
    return [tuple(p) for p in record.grid.unravel([outcome.pixel for outcome in record.outcomes]).tolist()]


def check_replay(docs):
    result = replay(docs.all)
    assert result.identical, str(result.difference)


def test_a_batch_is_measured_when_somebody_agrees(session, RE, docs):
    bench = session()
    reviewer = Reviewer(bench.agent)
    RE(bench.map(15, review=True))
    record = RunRecord.from_documents(docs.all)
    assert [pixel for batch in reviewer.shown for pixel in batch] == pixels(record)
    assert "nan" not in reviewer.words[0] and " +- " in reviewer.words[1]  # nothing is known of the first pixels
    assert docs.column("gp_hands_action", "gp_hands") == ["agree"] * 3
    assert set(docs.column("gp_hands_who", "gp_hands")) == {"jane"}
    check_replay(docs)


def test_of_a_batch_that_is_vetoed_in_part_others_are_chosen_and_shown(session, RE, docs):
    bench = session()
    vetoed = []

    def veto(agent):
        vetoed.extend(agent.review.question.pixels[:2])
        agent.veto(vetoed)

    reviewer = Reviewer(bench.agent, lambda agent: agent.agree(), veto)
    RE(bench.map(20, review=True))
    record = RunRecord.from_documents(docs.all)
    assert len(record.outcomes) == 20 and not set(vetoed) & set(pixels(record))
    assert len(reviewer.shown) == 5 and len(docs.data("gp")) == 6
    assert record.iterations["n_outcomes"].tolist() == [0, 5, 5, 10, 15, 20]
    check_replay(docs)


def test_a_batch_is_vetoed_whole(session, RE, docs):
    bench = session()
    reviewer = Reviewer(bench.agent, lambda agent: agent.veto())
    RE(bench.map(10, review=True))
    assert not set(reviewer.shown[0]) & set(pixels(RunRecord.from_documents(docs.all)))
    check_replay(docs)


def test_an_edited_batch_is_measured_as_it_is_and_flagged(session, RE, docs):
    bench = session()

    def edit(agent):
        agent.edit([[0, 0], agent.review.question.pixels[3], [0, 2]])

    reviewer = Reviewer(bench.agent, lambda agent: agent.agree(), edit)
    RE(bench.map(15, review=True))
    record = RunRecord.from_documents(docs.all)
    assert pixels(record)[5:8] == [(0, 0), reviewer.shown[1][3], (0, 2)]
    assert record.iterations["by_hand"][2].tolist() == [1, 0, 1, -1, -1]
    assert len(reviewer.shown) == 4 and len(record.outcomes) == 15
    check_replay(docs)


def test_nobody_answers_and_it_goes_on_by_itself(session, RE, docs):
    bench = session()
    RE(bench.map(10, review=0.05))
    assert docs.counts["primary"] == 10
    assert docs.column("gp_hands_who", "gp_hands") == ["", ""]
    assert [json.loads(a) for a in docs.column("gp_hands_arguments", "gp_hands")] == [{"after": 0.05}] * 2
    check_replay(docs)


def test_other_actions_wait_until_somebody_agrees_and_count_for_the_batch_at_hand(session, RE, docs):
    bench = session()

    def forbid_and_agree(agent):
        agent.forbid({"pixels": [agent.review.question.pixels[0]]})
        agent.agree()

    reviewer = Reviewer(bench.agent, forbid_and_agree)
    RE(bench.map(10, review=True))
    record = RunRecord.from_documents(docs.all)
    assert pixels(record)[:4] == list(reviewer.shown[0][1:]) and len(record.outcomes) == 10
    check_replay(docs)


def test_finished_in_review_the_batch_is_not_measured(session, RE, docs):
    bench = session()
    Reviewer(bench.agent, lambda agent: agent.agree(), lambda agent: agent.finish("enough"))
    RE(bench.map(40, review=True))
    assert docs.counts["primary"] == 5 and docs.column("gp_stop_reason", "gp")[-1] == "enough"
    check_replay(docs)


def test_while_the_engine_is_paused_no_time_runs_out_and_the_answer_counts(session, RE, docs):
    bench = session()

    def pause(name, doc):
        if name == "event" and doc["data"].get("gp_iteration") == 1:
            threading.Timer(0.1, RE.request_pause).start()

    with pytest.raises(RunEngineInterrupted):
        RE(bench.map(15, review=0.4), pause)
    time.sleep(0.6)
    assert docs.counts["primary"] == 5
    batch = bench.agent.review.question.pixels
    bench.agent.veto([batch[0]], who="jane")
    RE.resume()
    record = RunRecord.from_documents(docs.all)
    assert batch[0] not in pixels(record) and len(record.outcomes) == 15
    assert docs.column("gp_hands_action", "gp_hands") == ["agree", "veto", "agree", "agree"]
    check_replay(docs)


def test_without_a_batch_that_waits_there_is_nothing_to_answer(session, RE):
    bench = session()
    with pytest.raises(RuntimeError, match=r"gp: no batch waits for an answer: adaptive_map\(..., review=True\)"):
        bench.agent.agree()
    RE(bench.map(5))
    with pytest.raises(RuntimeError, match="gp: no batch waits"):
        bench.agent.veto()


@pytest.mark.parametrize("review", ["yes", -1.0, 0])
def test_a_review_is_a_switch_or_a_number_of_seconds(session, RE, review):
    with pytest.raises((TypeError, ValueError), match="adaptive_map: review must be"):
        RE(session().map(5, review=review))


def test_killed_before_the_answer_the_rest_is_shown_again(session, RE, docs, tmp_path):
    bench = session()
    Reviewer(bench.agent)
    RE(bench.map(10, review=True))
    second = next(
        i for i, (name, doc) in enumerate(docs.all) if name == "event" and doc["data"].get("gp_iteration") == 1
    )
    path = cut(docs.all, second + 1, tmp_path / "killed.jsonl")
    docs.all[:] = []
    bench = session()
    reviewer = Reviewer(bench.agent)
    RE(bench.map(10, review=True, resume_from=path))
    assert len(reviewer.shown) == 1 and docs.counts["primary"] == 5
    check_replay(docs)
