"""A run is followed in its journal while that grows, is put away, or is damaged."""

import numpy as np
import pytest
from view_runs import documents_of_run, keep

from bluesky_gp.recording import Journal
from bluesky_gp.run import RunRecord
from bluesky_gp.view.followed import FollowedRun


@pytest.fixture(scope="module")
def documents():
    return documents_of_run(num=15)


def test_at_every_document_the_run_is_what_its_documents_say_so_far(tmp_path, documents):
    path = tmp_path / "run.jsonl"
    journal, run = Journal(path), None
    for count, (name, doc) in enumerate(documents, 1):
        journal.append(name, doc)
        run = FollowedRun("uid", lambda: path) if run is None else run
        record = run.record()
        assert (run.version, record.outcomes) == (count, RunRecord.from_documents(documents[:count]).outcomes)
    journal.close()
    assert record.stop["exit_status"] == "success"


def test_recorded_maps_are_found_again_to_the_last_bit(tmp_path, documents):
    keep(tmp_path, documents)
    run = FollowedRun("uid", lambda: next((tmp_path / "journal").glob("*.jsonl")))
    run.record()
    recorded = {
        doc["data"]["gp_maps_iteration"]: doc["data"]["gp_maps_mean"]
        for name, doc in documents
        if name == "event" and "gp_maps_mean" in doc["data"]
    }
    assert len(recorded) > 2
    for iteration, mean in recorded.items():
        np.testing.assert_array_equal(run.maps(iteration)["mean"], mean)


def test_a_journal_that_is_put_away_is_followed_where_it_is(tmp_path, documents):
    uid = keep(tmp_path, documents[:20], pending=True)
    run = FollowedRun(uid, lambda: next((tmp_path / "journal").rglob("*.jsonl")))
    known = len(run.record().outcomes)
    [path] = (tmp_path / "journal" / "pending").glob("*.jsonl")
    moved = path.rename(tmp_path / "journal" / path.name)
    journal = Journal(tmp_path / "rest.jsonl")
    for name, doc in documents[20:]:
        journal.append(name, doc)
    journal.close()
    with moved.open("ab") as file:
        file.writelines((tmp_path / "rest.jsonl").read_bytes().splitlines(keepends=True)[1:])
    (tmp_path / "rest.jsonl").unlink()
    assert len(run.record().outcomes) > known
    assert run.record().stop


def test_what_stands_before_damage_is_shown_and_the_damage_said(tmp_path, documents):
    keep(tmp_path, documents[:20])
    [path] = (tmp_path / "journal").glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b"damage\n")
    run = FollowedRun("uid", lambda: path)
    assert run.record().outcomes and "line 22 is damaged" in run.fault
    assert run.record().outcomes
