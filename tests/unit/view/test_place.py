"""The runs of a place, whether journals, a catalog or both have them."""

import shutil

import numpy as np
import pytest
from bluesky.plans import count
from ophyd.sim import det
from view_runs import Setup, documents_of_run, engine, keep

from bluesky_gp.recording import open_catalog
from bluesky_gp.run import RunRecord
from bluesky_gp.view import Place
from bluesky_gp.view.copies import Copies
from bluesky_gp.view.worker import Worker


@pytest.fixture
def opened():
    """Return places, which are closed in the end."""
    places = []

    def place_of(folder):
        places.append(Place(folder))
        return places[-1]

    yield place_of
    for place in places:
        place.close()


@pytest.fixture(scope="module")
def catalogued(tmp_path_factory):
    """A catalog that has lost the journals of its two runs, and the documents of one."""
    folder, documents, RE = tmp_path_factory.mktemp("catalog"), [], engine()  # noqa: N806
    with open_catalog(folder) as catalog:
        RE.subscribe(catalog.writer)
        RE(count([det], 2))
        RE(Setup().map(12), lambda name, doc: documents.append((name, doc)))
        catalog.flush(120.0)
    shutil.rmtree(folder / "journal")
    return folder, documents


@pytest.mark.slow
def test_runs_without_a_journal_are_read_from_the_catalog_and_nothing_is_written(catalogued, opened):
    folder, documents = catalogued
    place = opened(folder)
    place.open()
    assert place.catalog_says == ""
    runs = place.runs()
    assert [(run["steered"], run["exit_status"]) for run in runs] == [(True, "success"), (False, "success")]
    expected = RunRecord.from_documents(documents)
    followed = place.followed(runs[0]["uid"])
    record = followed.record()
    assert [outcome.pixel for outcome in record.outcomes] == [outcome.pixel for outcome in expected.outcomes]
    np.testing.assert_array_equal(followed.maps(3)["mean"], expected.maps["mean"])
    assert not list(folder.rglob("*.jsonl"))


@pytest.mark.slow
def test_a_catalog_that_cannot_be_opened_is_said_and_journals_are_shown(tmp_path, opened):
    keep(tmp_path, documents_of_run(num=5))
    (tmp_path / "catalog.db").write_text("no database")
    place = opened(tmp_path)
    place.open()
    assert "cannot be opened, so journals alone are shown" in place.catalog_says
    assert len(place.runs()) == 1


def test_without_a_database_there_is_no_catalog_to_open(tmp_path, opened):
    keep(tmp_path, documents_of_run(num=5))
    place = opened(tmp_path)
    place.open()
    assert place.catalog_says == "" and len(place.runs()) == 1
    assert not (tmp_path / "catalog.db").exists()


def test_a_run_left_by_a_session_that_died_has_neither_ended_nor_goes_on(tmp_path, opened):
    keep(tmp_path, documents_of_run(num=5)[:-1], pending=True)
    [run] = opened(tmp_path).runs()
    assert (run["exit_status"], run["goes_on"]) == (None, False)


def test_a_journal_that_is_none_is_left_out(tmp_path, opened):
    keep(tmp_path, documents_of_run(num=5))
    (tmp_path / "journal" / "20260101T000000Z_x.jsonl").write_text("nothing of ours\n")
    assert len(opened(tmp_path).runs()) == 1


class Away:
    """A catalog whose server does not answer."""

    def __getitem__(self, uid):
        raise OSError("no route")


def test_a_server_that_is_away_is_said_and_leaves_no_copy():
    copies = Copies("http://server:8000")
    try:
        with pytest.raises(ConnectionError, match="http://server:8000 does not give run abcdefgh: no route"):
            copies.write(Away(), "abcdefghij")
        with pytest.raises(KeyError, match="there is no run x in http://server:8000"):
            copies.write({}, "x")
    finally:
        copies.close()


def test_no_more_runs_are_kept_in_memory_than_a_few(tmp_path, opened):
    documents = documents_of_run(num=3)
    uids = []
    for number in range(10):
        start = {**documents[0][1], "uid": f"{number}" * 8}
        uids.append(keep(tmp_path, [("start", start)]))
    place = opened(tmp_path)
    first = place.followed(uids[0])
    for uid in uids:
        place.followed(uid)
    assert place.followed(uids[-1]) is place.followed(uids[-1])
    assert place.followed(uids[0]) is not first


@pytest.mark.slow
def test_the_process_that_computes_gives_the_maps_and_outlives_a_question_that_has_no_answer(kinds):
    folder, uids = kinds
    worker, journal = Worker(), next((folder / "journal").glob(f"*{uids['no maps']}.jsonl"))
    try:
        with pytest.raises(ValueError, match="maps of decision 99 of run .* cannot be computed"):
            worker.frame(journal, uids["no maps"], 99)
        for number in (3, 4):
            assert worker.frame(journal, uids["no maps"], number).decision == number
    finally:
        worker.close()
    with pytest.raises(ValueError, match="has been ended"):
        worker.frame(journal, uids["no maps"], 3)
