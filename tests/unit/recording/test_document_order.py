import pytest

from bluesky_gp.recording.document_order import in_order

START, STOP = ("start", {"uid": "r", "time": 100.0}), ("stop", {"uid": "s", "time": 50.0})


def describe(stream, time, uid=None):
    return "descriptor", {"uid": uid or stream, "name": stream, "time": time}


def event(stream, number, time):
    return "event", {"descriptor": stream, "seq_num": number, "time": time}


EMITTED = {
    "never": [
        describe("gp", 101.0), event("gp", 1, 102.0), describe("primary", 103.0), event("primary", 1, 104.0),
        event("primary", 2, 105.0), event("gp", 2, 106.0), event("primary", 3, 107.0),
    ],
    "between two pixels": [
        describe("gp", 101.0), event("gp", 1, 102.0), describe("primary", 103.0), event("primary", 1, 104.0),
        event("primary", 2, 5.0), event("gp", 2, 6.0), event("primary", 3, 7.0),
    ],
    "before the first pixel": [
        describe("gp", 101.0), event("gp", 1, 102.0), describe("primary", 3.0), event("primary", 1, 4.0),
        event("primary", 2, 5.0), event("gp", 2, 6.0), event("primary", 3, 7.0),
    ],
    "between a description and its first event": [
        describe("gp", 101.0), event("gp", 1, 2.0), describe("primary", 3.0), event("primary", 1, 4.0),
        event("gp", 2, 6.0),
    ],
    "where a configuration changed": [
        describe("primary", 101.0), event("primary", 1, 104.0), describe("primary", 5.0, "again"),
        event("again", 2, 6.0), event("again", 3, 7.0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("when", EMITTED)
def test_documents_are_in_the_order_of_their_emission_wherever_the_clock_was_set_back(when):
    by_time = sorted(EMITTED[when], key=lambda document: document[1]["time"])
    assert in_order([START, *by_time, STOP]) == [START, *EMITTED[when], STOP]


def test_documents_of_files_come_before_the_events_whose_frames_they_name():
    of_files = ("stream_resource", {"uid": "f"}), ("stream_datum", {"uid": "f/0", "descriptor": "primary"})
    documents = [START, describe("primary", 101.0), *of_files, event("primary", 1, 102.0), STOP]
    assert [name for name, _ in in_order(documents)] == [
        "start", "descriptor", "stream_resource", "stream_datum", "event", "stop",
    ]  # fmt: skip


def test_documents_of_files_that_no_event_has_come_last():
    documents = [START, describe("primary", 101.0), ("stream_resource", {"uid": "f"}), event("primary", 1, 102.0), STOP]
    assert [name for name, _ in in_order(documents)] == ["start", "descriptor", "event", "stream_resource", "stop"]


def test_a_run_without_events_stays_as_it_is():
    assert in_order([START, STOP]) == [START, STOP]
