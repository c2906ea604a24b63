"""Both ends of a journal say which run it is and how it ended."""

import pytest

from bluesky_gp.recording import Journal, JournalError, journals_of, open_catalog, run_of

START = {"uid": "a1", "time": 1.0}


def journal(path, *documents):
    made = Journal(path)
    for name, doc in documents:
        made.append(name, doc)
    made.close()
    return path


def test_a_run_that_has_ended_has_both_documents(tmp_path):
    many = [("event", {"data": {"x": "y" * 1000}}) for _ in range(200)]
    path = journal(tmp_path / "run.jsonl", ("start", START), *many, ("stop", {"exit_status": "success"}))
    run = run_of(path)
    assert (run.start, run.stop["exit_status"], run.goes_on) == (START, "success", False)


@pytest.mark.parametrize("tail", [b"", b'{"name":"stop","do', b"not a document\n"])
def test_a_run_without_its_last_line_has_no_stop_document(tmp_path, tail):
    path = journal(tmp_path / "run.jsonl", ("start", START), ("event", {"data": {}}))
    with path.open("ab") as file:
        file.write(tail)
    assert run_of(path).stop is None


def test_a_journal_without_a_line_is_no_run(tmp_path):
    assert run_of(journal(tmp_path / "run.jsonl")) is None


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"[1, 2]\n")
    with pytest.raises(JournalError, match="no journal that this version reads"):
        run_of(path)


def test_journals_of_a_place_are_those_put_away_and_those_of_runs_that_go_on(tmp_path):
    (tmp_path / "journal" / "pending").mkdir(parents=True)
    for path in ("1_a.jsonl", "pending/2_b.jsonl"):
        journal(tmp_path / "journal" / path, ("start", START))
    assert {path.name for path in journals_of(tmp_path)} == {"1_a.jsonl", "2_b.jsonl"}


def test_a_catalog_that_is_only_read_takes_no_journal_in(tmp_path):
    with open_catalog(tmp_path) as catalog:
        catalog.wait()
    path = journal(tmp_path / "journal" / "pending" / "2_b.jsonl", ("start", START))
    with open_catalog(tmp_path, take_in=False) as catalog:
        assert len(catalog) == 0
    assert path.exists() and run_of(path).stop is None
