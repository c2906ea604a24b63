"""Folders of catalogs that somebody removes, moves or empties while a run goes on, and between sessions."""

import shutil

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
from bluesky.preprocessors import run_decorator
from readings import Given

from bluesky_gp.recording import open_catalog

pytestmark = pytest.mark.slow

NUM = 4


def remove_all(folder):
    shutil.rmtree(folder)


def remove_database(folder):
    (folder / "catalog.db").unlink()


def remove_arrays(folder):
    shutil.rmtree(folder / "arrays")


def move(folder):
    folder.rename(folder.with_name("moved"))


def detector():
    return Given([np.arange(3.0) + n for n in range(NUM)], shape=[3])


@pytest.mark.parametrize("harm", [remove_all, remove_database, remove_arrays, move])
def test_a_folder_that_is_harmed_in_mid_run_costs_no_event(tmp_path, RE, caplog, harm):  # noqa: N803
    folder = tmp_path / "catalog"

    @run_decorator()
    def run():
        det = detector()
        for number in range(NUM):
            yield from bps.checkpoint()
            yield from bps.trigger_and_read([det])
            if number == 1:
                catalog.flush()
                harm(folder)
            yield from bps.sleep(0.4)

    with open_catalog(folder) as catalog:
        catalog.wait()
        RE.subscribe(catalog.writer)
        (uid,) = RE(run())
    assert "The run goes on and loses nothing: its journal" in caplog.text
    if harm is not remove_arrays:
        assert "catalog.db has been removed or is away" in caplog.text
    with open_catalog(folder) as catalog:
        assert catalog[uid].stop["exit_status"] == "success"
        assert catalog[uid].primary.read()["det"].values.tolist() == [[n, n + 1, n + 2] for n in range(NUM)]
        assert not list((folder / "journal" / "pending").iterdir())


def test_a_catalog_that_has_lost_its_database_is_made_again_from_its_journals(tmp_path, RE, caplog):  # noqa: N803
    folder = tmp_path / "catalog"
    with open_catalog(folder) as catalog:
        token = RE.subscribe(catalog.writer)
        uids = [uid for _ in range(2) for uid in RE(bp.count([detector()], NUM))]
        RE.unsubscribe(token)
    remove_database(folder)
    with open_catalog(folder) as catalog:
        assert list(catalog) == uids
        for uid in uids:
            assert catalog[uid].primary.read()["det"].values.tolist() == [[n, n + 1, n + 2] for n in range(NUM)]
        assert catalog.journal(uids[0]).parent == folder / "journal"
    assert f"The catalog in {folder} was lost. It is made again from 2 journals" in caplog.text
