"""When the disk itself has a document is a named choice, and only "document" makes the RunEngine's thread wait."""

import os
import threading

import pytest
from bluesky.plans import count
from ophyd.sim import det

from bluesky_gp.recording import Journal, open_catalog

DOCUMENTS = 7  # of a count of four: start, descriptor, events, stop
HEADER = 1


@pytest.fixture
def forced(monkeypatch):
    """The names of the threads that forced a journal onto the disk, in order."""
    names, fsync = [], os.fsync

    def noting(file):
        names.append(threading.current_thread().name)
        return fsync(file)

    monkeypatch.setattr(os, "fsync", noting)
    return names


@pytest.fixture
def recorded(RE, forced, tmp_path):  # noqa: N803
    def run(policy):
        with open_catalog(tmp_path, fsync=policy) as catalog:
            catalog.wait()
            RE.subscribe(catalog.writer)
            (uid,) = RE(count([det], 4))
            assert len(catalog[uid].primary.read().time) == 4
        ours = [name for name in forced if not name.startswith("catalog ")]
        return len(ours), len(forced) - len(ours)

    return run


def test_with_each_document_the_run_waits_for_the_disk(recorded):
    assert recorded("document") == (DOCUMENTS + HEADER, 0)


def test_once_a_second_it_is_the_catalogs_thread_that_waits(recorded):
    ours, the_catalogs = recorded("second")
    assert ours == 0 and the_catalogs >= 1


def test_never_is_never(recorded):
    assert recorded("never") == (0, 0)


def test_a_policy_that_there_is_not_is_refused(tmp_path):
    message = "fsync must be one of 'document', 'second', 'never', got 'often'"
    with pytest.raises(ValueError, match=message):
        open_catalog(tmp_path / "catalog", fsync="often")
    with pytest.raises(ValueError, match=message):
        Journal(tmp_path / "a.jsonl", fsync="often")
    assert not list(tmp_path.iterdir())
