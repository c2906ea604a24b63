"""A store is given each document once, whatever a rewind repeats."""

from bluesky_gp.recording.repetitions import first_time


def event(number):
    return {"uid": f"e{number}", "descriptor": "d", "seq_num": number, "time": 1.0, "data": {}, "timestamps": {}}


def test_an_event_that_comes_again_under_its_number_is_left_out():
    last = {}
    given = [kept for number in (1, 2, 2, 1, 3) for kept in first_time(last, "event", event(number))]
    assert [doc["seq_num"] for _, doc in given] == [1, 2, 3]


def test_a_page_is_given_as_the_events_that_have_not_been_there():
    last = {}
    first_time(last, "event", event(1))
    page = {"uid": ["a", "b"], "time": [1.0, 2.0], "seq_num": [1, 2], "data": {}, "timestamps": {}, "descriptor": "d"}
    assert [(name, doc["uid"]) for name, doc in first_time(last, "event_page", page)] == [("event", "b")]


def test_documents_without_a_number_are_known_by_their_uid():
    last = {}
    assert first_time(last, "start", {"uid": "run"}) == [("start", {"uid": "run"})]
    assert first_time(last, "start", {"uid": "run"}) == []
    assert first_time(last, "datum", {"datum_id": "r/0", "resource": "r"}) != []
