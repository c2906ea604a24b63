"""Documents that a full disk does not take; runs that are paused by it are in faults/test_journal_faults."""

import pytest
from disks import fill, make_room, mounted

from bluesky_gp.recording import Journal, JournalError, read_journal, spill
from bluesky_gp.recording.backlog import Backlog
from bluesky_gp.recording.spill import put_back


@pytest.fixture
def small_disk(tmp_path):
    with mounted(tmp_path / "small disk") as path:
        yield path


@pytest.fixture
def journal(small_disk):
    journal = Journal(small_disk / "a.jsonl")
    yield journal
    journal.close()


def notes(journal):
    return [doc["note"][0] for _, doc in read_journal(journal.path)]


def append(backlog, letters):
    return [backlog.append("event", {"note": letter * 6000}) for letter in letters]


def test_what_a_full_disk_does_not_take_is_written_later_in_order(journal, small_disk):
    backlog = Backlog(journal)
    assert append(backlog, "a") == [True]
    fill(small_disk)
    assert append(backlog, "bc") == [False, False]
    assert (backlog.waiting, notes(journal)) == (2, ["a"])
    make_room(small_disk)
    assert append(backlog, "d") == [True]
    assert (backlog.waiting, backlog.error, notes(journal)) == (0, None, ["a", "b", "c", "d"])


def test_no_more_is_kept_than_the_memory_is_to_hold(journal, small_disk):
    backlog = Backlog(journal, largest=20_000)
    fill(small_disk)
    append(backlog, "abc")
    with pytest.raises(JournalError, match="3 documents wait in memory, no more are kept.*Make room"):
        append(backlog, "d")
    make_room(small_disk)
    assert backlog.tend()
    assert notes(journal) == ["a", "b", "c"]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "folder", lambda: tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def test_what_cannot_be_written_at_the_end_is_kept_elsewhere_and_put_back(journal, small_disk, elsewhere, caplog):
    backlog = Backlog(journal)
    append(backlog, "a")
    fill(small_disk)
    append(backlog, "bc")
    backlog.close()
    assert f"2 documents (2 event) of the run in {journal.path} could not be written" in caplog.text
    assert f"are kept in {elsewhere / 'a.jsonl'}: make room" in caplog.text
    make_room(small_disk)
    put_back(journal.path)
    assert notes(journal) == ["a", "b", "c"]
    assert list(elsewhere.iterdir()) == []


def test_what_was_kept_stays_there_until_there_is_room(journal, small_disk, elsewhere):
    backlog = Backlog(journal)
    append(backlog, "a")
    fill(small_disk)
    append(backlog, "bcd")
    backlog.close()
    with pytest.raises(JournalError, match="is not whole: the rest of it is in .*elsewhere"):
        put_back(journal.path)
    assert notes(journal) == ["a"]
    make_room(small_disk)
    put_back(journal.path)
    assert notes(journal) == ["a", "b", "c", "d"]


def test_what_cannot_be_kept_anywhere_is_an_error_that_says_what(journal, small_disk, elsewhere, caplog):
    elsewhere.write_text("a file in its place")
    backlog = Backlog(journal)
    fill(small_disk)
    append(backlog, "ab")
    backlog.close()
    assert f"2 documents (2 event) of the run in {journal.path} are lost" in caplog.text


def test_of_a_journal_that_is_whole_nothing_is_put_back(journal, elsewhere):
    append(Backlog(journal), "a")
    put_back(journal.path)
    assert notes(journal) == ["a"]


def test_a_file_that_was_removed_is_written_anew(tmp_path):
    backlog = Backlog(Journal(tmp_path / "folder" / "a.jsonl"))
    append(backlog, "ab")
    (tmp_path / "folder" / "a.jsonl").unlink()
    (tmp_path / "folder").rmdir()
    assert backlog.tend()
    append(backlog, "c")
    backlog.close()
    assert [doc["note"][0] for _, doc in read_journal(tmp_path / "folder" / "a.jsonl")] == ["a", "b", "c"]
