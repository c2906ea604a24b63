"""The folder by which another process asks a running session for actions."""

import json
import threading
import time

import pytest

from bluesky_gp import PixelOptimizer
from bluesky_gp.agent import Mailbox
from bluesky_gp.run import RunRecord


@pytest.fixture(autouse=True)
def mailboxes(tmp_path, monkeypatch):
    monkeypatch.setenv("BLUESKY_GP_HANDS", str(tmp_path / "hands"))
    return tmp_path / "hands"


@pytest.fixture
def bench(make_bench):
    return make_bench(optimizer=PixelOptimizer, batch_size=5, n_initial=5)


def answered(box, name):
    for _ in range(2000):
        if answer := box.answer(name):
            return answer
        time.sleep(0.01)
    raise AssertionError("nobody answered")


def is_over(box):
    """Whether the session says that its run is over, in the end: it answers first."""
    for _ in range(2000):
        if (box.state() or {}).get("over"):
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def with_page(RE, docs, bench):  # noqa: N803
    """Runs a map of a batch that waits for a page, a function of the mailbox; returns what that returns."""

    def run(page):
        found = []

        def browse(uid):
            box = Mailbox(uid)
            found.append(page(box))
            while not (box.state() or {}).get("over"):
                box.post("agree")
                time.sleep(0.1)

        def opened(name, doc):
            if name == "start":
                threading.Thread(target=browse, args=[doc["uid"]], daemon=True).start()

        RE(bench.map(5, review=True), opened)
        return found[0]

    return run


def waiting(box):
    """Wait until a batch waits, and return it."""
    for _ in range(2000):
        if (state := box.state()) and state["review"]:
            return state
        time.sleep(0.01)
    raise AssertionError("no batch waits")


def test_a_page_sees_the_batch_that_waits_and_the_session_obeys(with_page, RE, docs, bench):

    def page(box):
        state = waiting(box)
        added = box.post("add_pixels", {"pixels": [[0, 0]]}, who="jane")
        vetoed = box.post("veto", {"pixels": state["review"]["pixels"][:1]}, who="jane")
        return state, answered(box, added), answered(box, vetoed)

    state, added, vetoed = with_page(page)
    assert added == {"accepted": True, "sentence": "add_pixels: it counts from the next decision on"}
    assert vetoed["accepted"]
    assert state["run"] == docs.starts[0]["uid"] and state["num"] == 5 and state["iteration"] == 0
    record = RunRecord.from_documents(docs.all)
    assert [action.kind for action in record.actions][:2] == ["add_pixels", "veto"]
    assert record.actions[0].who == "jane"
    measured = [tuple(p) for p in record.grid.unravel([outcome.pixel for outcome in record.outcomes]).tolist()]
    assert measured[0] == (0, 0) and tuple(state["review"]["pixels"][0]) not in measured


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"action": "forbid", "arguments": {"region": {"rectangle": [[0, 0], [9, 9]]}}}, "outside the grid"),
        ({"action": "forbid", "arguments": {"regoin": 3}}, "unexpected keyword argument"),
        ({"action": "add_pixels", "arguments": {"pixels": [[0, 0], [8, 0]]}}, "outside the grid"),
        ({"action": "configure", "arguments": {"batch_size": 4, "colour": "red"}}, "'colour' cannot be changed"),
        ({"action": "stop"}, "an action is one of add_pixels"),
        ({"action": "__init__", "arguments": {}}, "an action is one of add_pixels"),
        ({"action": "agree", "arguments": [1]}, "arguments are a mapping"),
        ([], "an action is one of"),
        ("no json", "an action is one of"),
    ],
)
def test_what_is_wrong_is_refused_whole_with_a_sentence_and_the_run_goes_on(with_page, docs, bench, content, sentence):
    def page(box):
        waiting(box)
        text = content if content == "no json" else json.dumps(content)
        (box.folder / "ask_1.json").write_text(text)
        return answered(box, "1")

    answer = with_page(page)
    assert not answer["accepted"] and sentence in answer["sentence"]
    assert docs.stops[0]["exit_status"] == "success" and docs.counts["primary"] == 5
    assert set(docs.column("gp_hands_action", "gp_hands")) == {"agree"}


def test_without_a_page_no_folder_is_made(RE, bench, mailboxes):
    RE(bench.map(10))
    assert not mailboxes.exists()


def test_what_is_asked_for_after_the_run_is_answered_too(RE, docs, bench):
    boxes = []

    def late(name, doc):
        if name == "start":
            boxes.append(Mailbox(doc["uid"]))
        elif name == "stop":
            boxes.append(boxes[0].post("pause"))

    RE(bench.map(5), late)
    assert answered(*boxes) == {"accepted": False, "sentence": "the run is over"}
    assert is_over(boxes[0])
