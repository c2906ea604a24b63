"""Catalogs in folders in which nothing can be written: an archive, somebody else's data."""

import bluesky.plans as bp
import numpy as np
import pytest
from disks import read_only
from readings import Given

from bluesky_gp.recording import JournalError, open_catalog, place_name
from bluesky_gp.recording.databases import prepare_postgresql


@pytest.fixture
def archive(tmp_path, RE):  # noqa: N803
    """A folder with a run, and the run's uid."""
    folder = tmp_path / "archive"
    with open_catalog(folder) as catalog:
        token = RE.subscribe(catalog.writer)
        (uid,) = RE(bp.count([Given([np.arange(4.0), np.arange(3.0)], shape=[4])], 2))
        RE.unsubscribe(token)
        assert catalog[uid].metadata["stop"]["exit_status"] == "success"  # the catalog has it all before it is closed
    with read_only(folder):
        yield folder, uid


def test_a_catalog_that_can_only_be_read_is_listed_and_read(archive, RE):  # noqa: N803
    folder, uid = archive
    with open_catalog(folder) as catalog:
        catalog.wait()
        assert repr(catalog) == f"<Catalog {folder}, 1 run, read-only>"
        assert list(catalog) == [uid]
        assert catalog[-1].primary.read()["det"].shape == (2, 4)
        assert [name for name, _ in catalog[uid].documents()] == ["start", "descriptor", "event", "event", "stop"]
        assert catalog.journal(uid[:6]).parent == folder / "journal"
        RE.subscribe(catalog.writer)
        with pytest.raises(JournalError, match=f"Nothing can be recorded in {folder}, which can only be read"):
            RE(bp.count([Given([np.arange(4.0)], shape=[4])]))
        assert len(catalog) == 1


def test_a_journal_elsewhere_does_not_make_it_writable(archive, tmp_path, RE):  # noqa: N803
    with open_catalog(archive[0], journal=tmp_path / "journal") as catalog:
        assert len(catalog) == 1
        RE.subscribe(catalog.writer)
        with pytest.raises(JournalError, match="can only be read"):
            RE(bp.count([Given([np.arange(4.0)], shape=[4])]))


def test_a_folder_without_a_catalog_that_can_only_be_read_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with (
        read_only(tmp_path / "empty") as folder,
        pytest.raises(JournalError, match="Give a folder that can be written"),
    ):
        open_catalog(folder)


def test_a_database_that_cannot_be_reached_is_a_sentence_without_the_password():
    with pytest.raises(ValueError, match=r"in the database 127.0.0.1:1/runs: \w+: ") as raised:
        prepare_postgresql("postgresql://gp:secret@127.0.0.1:1/runs")
    assert "secret" not in str(raised.value)


def test_the_key_in_a_url_is_in_no_name():
    assert place_name("http://127.0.0.1:8000/?api_key=secret") == "http://127.0.0.1:8000/"
