"""The thread behind the journals, with a store that keeps runs in memory and can be away."""

import threading
import time

import numpy as np
import pytest
from memory_store import Memory, Session, document

from bluesky_gp.recording import follower as following
from bluesky_gp.recording import read_journal
from bluesky_gp.recording.follower import Follower
from bluesky_gp.recording.journal_folder import JournalFolder
from bluesky_gp.recording.recorder import Recorder
from bluesky_gp.recording.stores import Abandoned


@pytest.fixture
def store():
    return Memory()


@pytest.fixture
def session(tmp_path, store):
    session = Session(tmp_path, store)
    yield session
    session.follower.close(5.0)


def test_a_run_that_has_ended_is_in_the_store_and_its_journal_is_put_away(session, store):
    session.emit("start", "descriptor", 1, 2, "stop")
    assert store.runs == {"run-1": ["start", "descriptor", 1, 2, "stop"]}
    assert session.folder.pending() == []
    assert [name for name, _ in read_journal(session.folder.find("run-1"))] == [
        "start",
        "descriptor",
        "event",
        "event",
        "stop",
    ]


def test_a_run_that_goes_on_is_in_the_store_when_it_is_flushed(session, store):
    session.emit("start", "descriptor", 1)
    assert session.follower.flush(5.0)
    assert store.runs == {"run-1": ["start", "descriptor", 1]}
    assert len(session.folder.pending()) == 1


def test_the_store_is_used_on_a_thread_of_its_own(session, store):
    session.emit("start", "stop")
    session.follower.close(5.0)
    assert len(store.threads) == 1
    assert threading.current_thread() not in store.threads


def test_two_runs_at_once_do_not_mix(session, store):
    for name in ("start", "descriptor", 1, 2, "stop"):
        session.emit(name, uid="a")
        session.emit(name, uid="b")
    assert store.runs["a"] == store.runs["b"] == ["start", "descriptor", 1, 2, "stop"]


def test_repeated_events_count_once(session, store):
    session.emit("start", "descriptor", 1, 2, 2, 3, "stop")
    assert store.runs["run-1"] == ["start", "descriptor", 1, 2, 3, "stop"]


def test_the_events_of_a_page_count_one_by_one(session, store):
    columns = {"uid": ["a", "b"], "time": [1.0, 2.0], "seq_num": [1, 2], "data": {}, "timestamps": {}}
    session.emit("start", "descriptor", 1)
    session.recorder("event_page", {"descriptor": "d-run-1", **columns})
    session.emit("stop")
    assert store.runs["run-1"] == ["start", "descriptor", 1, 2, "stop"]


def test_datums_go_to_the_run_of_their_resource(session, store):
    session.emit("start", uid="a")
    session.emit("start", uid="b")
    session.recorder("resource", {"uid": "r", "run_start": "a"})
    session.recorder("datum", {"datum_id": "r/0", "resource": "r"})
    session.recorder("stream_resource", {"uid": "sr", "run_start": "a"})
    session.emit("descriptor", uid="a")
    session.recorder("stream_datum", {"uid": "sr/0", "stream_resource": "sr", "descriptor": "d-a"})
    session.emit("stop", uid="a")
    session.emit("stop", uid="b")
    assert store.runs["a"] == ["start", "resource", "datum", "stream_resource", "descriptor", "stream_datum", "stop"]
    assert store.runs["b"] == ["start", "stop"]


def test_a_store_that_goes_away_does_not_end_the_run_and_gets_it_whole_when_it_is_back(session, store, caplog):
    session.emit("start", "descriptor", 1)
    assert session.follower.flush(5.0)
    store.away = True
    session.emit(2)
    assert not session.follower.flush(0.2)  # it says so, rather than that all is well
    assert "could not be written to the catalog memory (ConnectionError: the server went away)" in caplog.text
    assert str(session.folder.pending()[0]) in caplog.text
    store.away = False
    session.emit(3, "stop")
    assert store.runs == {"run-1": ["start", "descriptor", 1, 2, 3, "stop"]}


def test_who_waits_for_a_store_that_comes_back_hears_of_it(session, store):
    store.away = True
    session.emit("start", "descriptor", 1)
    threading.Timer(0.3, setattr, [store, "away", False]).start()
    assert session.follower.flush(30.0)
    assert store.runs == {"run-1": ["start", "descriptor", 1]}


def test_a_journal_that_cannot_be_put_away_is_put_away_later_and_its_run_not_written_again(
    session, store, monkeypatch, caplog
):
    """Windows moves no file that somebody reads."""
    keep = session.folder.keep

    def once(run):
        monkeypatch.setattr(session.folder, "keep", keep)
        raise PermissionError("somebody reads it")

    monkeypatch.setattr(session.folder, "keep", once)
    session.emit("start", "descriptor", 1, "stop")
    store.refused = ["start"]
    assert session.follower.flush(5.0)
    assert store.runs == {"run-1": ["start", "descriptor", 1, "stop"]}
    assert session.folder.pending() == []


def test_the_end_of_a_run_does_not_wait_for_a_store_that_is_away(session, store):
    store.away = True
    session.emit("start", "descriptor", 1, "stop")
    assert store.runs["run-1"] == []
    assert len(session.folder.pending()) == 1
    store.away = False
    session.follower.close(5.0)
    assert store.runs == {"run-1": ["start", "descriptor", 1, "stop"]}
    assert session.folder.pending() == []


def test_what_was_left_is_taken_in_once(tmp_path, store):
    store.away = True
    first = Session(tmp_path, store)
    first.emit("start", "descriptor", 1, "stop", uid="a")
    first.emit("start", "descriptor", 1, uid="b")
    first.follower.close(5.0)
    assert len(first.folder.pending()) == 2
    store.away = False
    for _ in range(2):
        second = Session(tmp_path, store)
        second.follower.wait_until_ready()
        second.follower.close(5.0)
        assert store.runs == {"a": ["start", "descriptor", 1, "stop"], "b": ["start", "descriptor", 1, "stop"]}
    assert second.folder.pending() == []


def test_the_journal_of_a_living_session_is_left_alone(tmp_path, store):
    first = Session(tmp_path, Memory())
    first.emit("start", "descriptor", 1)
    second = Session(tmp_path, store)
    second.follower.wait_until_ready()
    second.follower.close(5.0)
    assert store.runs == {}
    first.emit("stop")
    assert first.store.runs == {"run-1": ["start", "descriptor", 1, "stop"]}
    first.follower.close(5.0)


def test_a_damaged_journal_stays_where_it_is_and_is_named(tmp_path, store, caplog):
    store.away = True
    first = Session(tmp_path, store)
    first.emit("start", "descriptor", 1)
    first.follower.close(5.0)
    (path,) = first.folder.pending()
    with path.open("ab") as file:
        file.write(b"damage\n")
    store.away = False
    second = Session(tmp_path, store)
    second.follower.wait_until_ready()
    second.follower.close(5.0)
    assert f"{path}, line 5 is damaged" in caplog.text
    assert second.folder.pending() == [path]
    assert store.runs == {"run-1": []}


def test_a_journal_of_somebody_else_s_stays_where_it_is_and_keeps_nothing_from_being_opened(
    tmp_path, store, monkeypatch, caplog
):
    """In a folder that several people use, one may not touch another's files; root may, so it is said here."""
    folder = JournalFolder(tmp_path)
    store.away = True
    first = Session(tmp_path, store)
    first.emit("start", "descriptor", 1, uid="theirs")
    first.emit("start", "descriptor", 1, uid="ours")
    first.follower.close(5.0)
    store.away = False
    claim = folder.claim

    def refused(path):
        if "theirs" in path.name:
            raise PermissionError(13, "Permission denied", str(path))
        return claim(path)

    monkeypatch.setattr(folder, "claim", refused)
    follower = Follower(folder, lambda: store, place="memory")
    follower.wait_until_ready()
    follower.close(5.0)
    assert store.runs["ours"] == ["start", "descriptor", 1, "stop"]
    assert [path.name.rpartition("_")[2] for path in folder.pending()] == ["theirs.jsonl"]
    assert "Permission denied" in caplog.text


def test_a_journal_is_found_by_the_beginning_of_a_uid_that_only_one_has(session):
    for uid in ("abc1", "abc2", "abc"):
        session.emit("start", "stop", uid=uid)
    assert session.folder.find("abc2").name.endswith("_abc2.jsonl")
    assert session.folder.find("abc").name.endswith("_abc.jsonl")  # one that is the beginning of others
    assert session.folder.find("") is None
    with pytest.raises(ValueError, match="3 runs in .* begin with 'ab': give more letters"):
        session.folder.find("ab")


def test_a_run_that_the_store_has_whole_is_not_written_again(tmp_path, store):
    session = Session(tmp_path, store)
    session.emit("start", "stop")
    session.follower.close(5.0)
    kept = session.folder.find("run-1")
    kept.replace(session.folder.pending_path / kept.name)  # the session died before it put the journal away
    store.refused = ["start"]
    again = Session(tmp_path, store)
    again.follower.wait_until_ready()
    assert again.folder.pending() == []
    again.follower.close(5.0)


def test_a_store_that_cannot_be_opened_costs_no_run(tmp_path, store, caplog):
    def refuse():
        raise ConnectionRefusedError("nobody listens")

    folder = JournalFolder(tmp_path)
    follower = Follower(folder, refuse, place="memory")
    recorder = Recorder(folder, follower, fsync="second")
    for name in ("start", "descriptor", "stop"):
        recorder(name, document(name, "run-1"))
    with pytest.raises(ConnectionRefusedError, match="nobody listens"):
        follower.wait_until_ready()
    follower.close(5.0)
    assert [name for name, _ in read_journal(folder.find("run-1"))] == ["start", "descriptor", "stop"]
    assert f"Runs go on and are kept in {tmp_path}" in caplog.text


def test_a_session_that_ends_while_the_store_is_opened_says_what_is_not_in_it_in_a_line(tmp_path, store, caplog):
    """Python refuses to start threads then; a script of a few seconds on a slow computer gets there."""

    def too_late():
        raise RuntimeError("can't register atexit after shutdown")

    folder = JournalFolder(tmp_path)
    follower = Follower(folder, too_late, place="memory")
    recorder = Recorder(folder, follower, fsync="second")
    for name in ("start", "descriptor", "stop"):
        recorder(name, document(name, "run-1"))
    follower.close(5.0)
    (record,) = caplog.records
    assert "The catalog memory does not hold 1 run of this session yet. Nothing is lost" in record.message
    assert "run-1" in record.message and "catalog.close() waits" in record.message
    assert record.exc_info is None


@pytest.mark.parametrize("uid", ["../../etc/passwd", "CON", "a:b*c?d", "x" * 500, "ä ö"])
def test_a_uid_leads_nowhere_else(session, store, uid):
    session.emit("start", "stop", uid=uid)
    assert store.runs == {uid: ["start", "stop"]}
    path = session.folder.find(uid)
    assert path.parent == session.folder.path
    assert len(path.name) < 100
    assert path.name.isascii()


def test_a_run_that_began_before_the_writer_was_subscribed_is_not_recorded(session, store, caplog):
    session.emit("descriptor", 1, "stop", uid="earlier")
    assert store.runs == {}
    assert "whose beginning was not recorded" in caplog.text


def test_two_runs_of_one_uid_are_refused(session):
    session.emit("start")
    with pytest.raises(ValueError, match="being recorded already"):
        session.emit("start")


class Slow(Memory):
    """A store that takes a while for each document, until it is abandoned."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.is_abandoned = False

    def begin(self, uid, *, own):
        writer = super().begin(uid, own=own)
        store = self

        class Writer:
            is_outdated = False

            def __call__(self, name, doc):
                if store.is_abandoned:
                    raise Abandoned
                time.sleep(store.seconds)
                writer(name, doc)

            def flush(self):
                pass

        return Writer()

    def abandon(self):
        self.is_abandoned = True


def test_a_session_that_ends_while_the_store_is_slow_ends_in_time_and_loses_nothing(tmp_path, caplog):
    session = Session(tmp_path, Slow(0.2))
    session.emit("start", "descriptor", *range(1, 40), "stop", wait=0.1)
    begin = time.monotonic()
    session.follower.close(timeout=0.5)
    assert time.monotonic() - begin < 2.0
    assert not session.follower._thread.is_alive()
    assert len(session.folder.pending()) == 1
    assert "The catalog memory does not hold 1 run of this session yet. Nothing is lost: all that was" in caplog.text
    assert "and the catalog's next opening takes it in: run-1" in caplog.text
    assert "could not be written" not in caplog.text
    later = Session(tmp_path, Memory())
    later.follower.close(timeout=5.0)
    assert later.store.runs["run-1"] == ["start", "descriptor", *range(1, 40), "stop"]


def test_a_run_ends_without_waiting_for_a_slow_store_and_who_reads_is_told_what_he_waits_for(
    tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(following, "_LONG_WAIT", 0.1)
    session = Session(tmp_path, Slow(0.2))
    for uid in ("run-1", "run-2"):
        session.emit("start", "stop", uid=uid, wait=0.0)
    assert not caplog.records
    session.follower.wait_until_ready()
    assert [record.getMessage() for record in caplog.records] == [
        f"The catalog memory is still taking in 2 runs that have ended, which are whole in {tmp_path}. Reading waits "
        "for them, at most 60 s."
    ]
    assert session.folder.pending() == []
    session.follower.close(timeout=5.0)


@pytest.mark.parametrize("metadata", [{"names": {1: "a"}}, {"steps": [{"a": {np.int64(3): 1}}]}, {(0, 1): "pair"}])
def test_metadata_with_keys_that_are_no_text_is_refused_before_the_run_begins(session, metadata):
    with pytest.raises(TypeError, match=r"Metadata of a run has keys of text, got .*: give '"):
        session.recorder("start", document("start", "run-1") | metadata)
    assert session.folder.pending() == []


def test_a_start_document_that_cannot_be_recorded_leaves_nothing_behind(session, caplog):
    with pytest.raises(TypeError, match="numpy arrays, not set"):
        session.recorder("start", document("start", "run-1") | {"names": {"a"}})
    session.emit("stop")
    assert session.folder.pending() == []
    assert "a run whose beginning was not recorded" in caplog.text


@pytest.mark.parametrize(
    ("metadata", "size"),
    [
        ({"names": "a" * 2**26}, "64 MB"),
        ({"sample": {"image": np.zeros((1200, 2000)).tolist()}}, "9 MB"),
        ({"names": [f"pixel {n:06d}" for n in range(700_000)]}, "10 MB"),
    ],
    ids=["a text", "an image as a list", "many names"],
)
def test_a_very_long_start_document_is_said(session, caplog, metadata, size):
    session.recorder("start", document("start", "run-1") | metadata)
    assert f"has {size}, which take long and" in caplog.text


def test_a_start_document_of_usual_length_is_not(session, caplog):
    session.recorder("start", document("start", "run-1") | {"positions": list(range(100_000))})
    assert "which take long" not in caplog.text
