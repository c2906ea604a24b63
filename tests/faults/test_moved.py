"""A catalog's folder is copied or moved after the measurement: all that it holds is found again."""

import shutil

import numpy as np
import pytest
from recorded_runs import NUM

from bluesky_gp import GPAgent
from bluesky_gp.recording import open_catalog
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


@pytest.fixture
def record(session, RE, tmp_path):  # noqa: N803
    """Records a map in a folder and returns its uid; the catalog is closed afterwards."""

    def run(folder, num=NUM, **options):
        bench = session()
        with open_catalog(folder) as catalog:
            bench.agent = GPAgent(bench.optimizer, target="det_height", catalog=catalog)
            token = RE.subscribe(catalog.writer)
            (uid,) = RE(bench.map(num, **options))
            RE.unsubscribe(token)
        return uid

    return run


def everything(catalog, uid):
    """Tables and arrays of a run, and its decisions made once more, all from the catalog rather than the journal."""
    run = catalog[uid]
    return (
        run.primary.read()["det_height"].values.tolist(),
        np.asarray(run["gp_maps"].read()["gp_maps_mean"]).tolist(),
        RunRecord.from_documents(run.documents()).outcomes,
        replay(run.documents()).identical,
    )


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree], ids=["moved", "copied"])
def test_it_is_read_in_its_new_place(record, tmp_path, move):
    uid = record(tmp_path / "here")
    with open_catalog(tmp_path / "here") as catalog:
        before = everything(catalog, uid)
    move(tmp_path / "here", tmp_path / "there é 50%")
    for _ in range(2):
        with open_catalog(tmp_path / "there é 50%") as catalog:
            assert everything(catalog, uid) == before
    if (tmp_path / "here").exists():
        with open_catalog(tmp_path / "here") as catalog:
            assert everything(catalog, uid) == before


def test_what_is_recorded_there_goes_there_and_the_old_run_is_gone_on_with(record, tmp_path):
    old = record(tmp_path / "here", 12)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    new = record(tmp_path / "there", NUM, resume_from=old)
    with open_catalog(tmp_path / "there") as catalog, open_catalog(tmp_path / "here") as other:
        assert list(catalog) == [old, new] and list(other) == [old]
        assert everything(catalog, old) == everything(other, old)
        assert len(everything(catalog, new)[0]) == NUM - 12 and everything(catalog, new)[-1]
    shutil.move(tmp_path / "there", tmp_path / "at last")
    with open_catalog(tmp_path / "at last") as catalog:
        assert [everything(catalog, uid)[-1] for uid in (old, new)] == [True, True]
