import pytest
from event_model import DocumentNames, schema_validators
from journals import RUN, START, event, write

from bluesky_gp.recording import JournalError, read_journal
from bluesky_gp.recording.journal_end import finish_journal


def test_the_end_of_a_run_whose_session_died_is_added(tmp_path):
    path = write(tmp_path / "a.jsonl", [*RUN[:-1], ("event", event(2))])
    with path.open("ab") as file:
        file.write(b'{"name":"event","doc":{"uid":"half')
    assert finish_journal(path) == START["uid"]
    *before, (name, stop) = read_journal(path)
    assert [name for name, _ in before] == ["start", "descriptor", "event", "event", "event"]
    assert name == "stop"
    schema_validators[DocumentNames.stop].validate(stop)
    assert stop["run_start"] == START["uid"]
    assert stop["exit_status"] == "abort"
    assert stop["num_events"] == {"primary": 2}
    assert stop["time"] == 1.5e9 + 2


def test_a_finished_journal_stays_as_it_is(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    before = path.read_bytes()
    assert finish_journal(path) == START["uid"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "no start document"),
        ([("start", {})], "a start document that is none"),
        (RUN[2:3], "an? event document that is none"),
    ],
)
def test_a_journal_of_no_run_is_not_finished(tmp_path, documents, message):
    with pytest.raises(JournalError, match=message):
        finish_journal(write(tmp_path / "a.jsonl", documents))
