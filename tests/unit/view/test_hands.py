"""What the page asks of a session goes into the run's mailbox."""

from time import time

import pytest
from view_runs import Setup, documents_of_run, engine, keep

from bluesky_gp.agent import Mailbox
from bluesky_gp.recording import read_journal
from bluesky_gp.run import RunRecord


@pytest.fixture
def box(tmp_path, monkeypatch):
    monkeypatch.setenv("BLUESKY_GP_HANDS", str(tmp_path))
    return Mailbox


@pytest.fixture
def running(kinds):
    """A run that has not ended."""
    documents = documents_of_run(num=5)
    uid = keep(kinds[0], documents[:-1], pending=True)
    yield uid
    next((kinds[0] / "journal" / "pending").glob(f"*{uid}.jsonl")).unlink()


def test_an_action_is_posted_and_its_answer_told(client, running, box):
    wish = {"action": "forbid", "arguments": {"region": {"above": 0.3}}, "who": "jane"}
    name = client.post(f"/api/runs/{running}/hands", json=wish).json()["name"]
    assert client.get(f"/api/runs/{running}/hands/{name}").json()["accepted"] is None
    assert dict(box(running).asks()) == {name: wish}
    box(running).reply(name, False, "the region has no pixel")
    told = client.get(f"/api/runs/{running}/hands/{name}").json()
    assert told == {"accepted": False, "sentence": "the region has no pixel"}


def test_a_session_lives_while_it_says_so(client, running, box):
    assert not client.get(f"/api/runs/{running}/hands").json()["lives"]
    box(running).tell({"num": 5, "over": False})
    assert client.get(f"/api/runs/{running}/hands").json()["lives"]
    box(running).tell({"num": 5, "over": True})
    assert not client.get(f"/api/runs/{running}/hands").json()["lives"]
    box(running).tell({"time": time() - 60, "over": False})
    assert not client.get(f"/api/runs/{running}/hands").json()["lives"]


def test_nobody_is_asked_for_anything_in_a_run_that_has_ended(client, kinds, box, tmp_path):
    uid = kinds[1]["usual"]
    refused = client.post(f"/api/runs/{uid}/hands", json={"action": "pause"})
    assert refused.status_code == 400 and "the run has ended" in refused.json()["error"]
    assert client.get(f"/api/runs/{uid}/hands").json() == {"lives": False}
    assert not list(tmp_path.iterdir())


def test_of_a_run_to_learn_from_the_session_is_told_the_journal(client, kinds, running, box):
    for uid in (kinds[1]["usual"], "of-another-place"):
        wish = {"action": "learn_from", "arguments": {"run": uid}, "who": "jane"}
        client.post(f"/api/runs/{running}/hands", json=wish)
    journal, as_it_was = [ask["arguments"]["run"] for _, ask in box(running).asks()]
    assert RunRecord.from_documents(read_journal(journal)).start["uid"] == kinds[1]["usual"]
    assert as_it_was == "of-another-place"


def test_the_course_has_what_was_learnt_of_another_run_and_a_click_tells_it(client, kinds):
    uid = f"/api/runs/{kinds[1]['taught']}"
    course = client.get(uid).json()
    [lesson] = course["taught"]
    assert course["actions"][0]["arguments"].startswith("8 pixels of run ") and lesson["decision"] == 0
    pixel = next(place for place in lesson["index"] if place not in course["pixels"]["index"])
    told = client.get(f"{uid}/decisions/1/pixels/{pixel}").json()
    assert told["outcome"] is None and told["taught"]["run"] == lesson["run"]
    assert told["taught"]["value"] == lesson["value"][lesson["index"].index(pixel)]
    assert client.get(f"{uid}/decisions/1/pixels/{course['pixels']['index'][0]}").json()["taught"] is None


def test_the_course_says_what_was_set_at_the_start_and_what_people_changed_and_asked_for(client, kinds):
    course = client.get(f"/api/runs/{kinds[1]['steered']}").json()
    decision = course["actions"][0]["decision"] + 1
    assert course["settings"] == f"ExpectedImprovement, from decision {decision} on ConfidenceBound, 5 a batch"
    said = [action["arguments"] for action in course["actions"]]
    assert said[:2] == ["(5, 5)", "rectangle (0, 0) to (4, 4)"]
    assert said[2].startswith("acquisition ConfidenceBound(beta=2.0)")


def test_each_pixel_is_counted_once_and_the_number_to_attempt_follows_people(client, kinds):
    documents, measured, setup = [], [], Setup()

    def steer(name, doc):
        documents.append((name, doc))
        if name == "event" and "spectrometer_loop_area" in doc["data"]:
            measured.append([round(doc["data"][f"stage_{axis}"]) for axis in ("row", "col")])
            if len(measured) == 6:
                setup.agent.go_on(5, who="jane")
                setup.agent.add_pixels(measured[:1], who="jane")

    engine()(setup.map(10), steer)
    course = client.get(f"/api/runs/{keep(kinds[0], documents)}").json()
    assert (len(course["pixels"]["index"]), course["attempted"], course["failed"], course["num"]) == (16, 15, 0, 15)


@pytest.mark.parametrize("wish", [{}, {"action": 3}, {"action": "pause", "arguments": [1]}])
def test_what_is_no_action_is_refused_before_it_is_posted(client, running, box, wish):
    assert "an action has a name" in client.post(f"/api/runs/{running}/hands", json=wish).json()["error"]


def test_a_name_that_leads_elsewhere_is_refused(client, running, box):
    assert client.get(f"/api/runs/{running}/hands/x%2F..%2Fy").status_code in (400, 404)
    assert "no ask has the name" in client.get(f"/api/runs/{running}/hands/secrets").json()["error"]


def test_the_course_has_the_actions_and_who_asked(client, kinds):
    course = client.get(f"/api/runs/{kinds[1]['steered']}").json()
    assert [(each["action"], each["who"]) for each in course["actions"]] == [
        (kind, "jane") for kind in ("add_pixels", "forbid", "configure")
    ]
    decision = course["decisions"][course["actions"][0]["decision"]]
    assert decision["by_hand"] == [0]
