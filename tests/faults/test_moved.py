"""A catalog's folder is copied or moved after the measurement: all that it holds is found again."""

import shutil

import numpy as np
import pytest
from bluesky import RunEngine
from recorded_runs import NUM

from bluesky_gp import GPAgent
from bluesky_gp.recording import open_catalog
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


@pytest.fixture(scope="module")
def record(session):
    """Records a map in a folder and returns its uid; the catalog is closed afterwards."""
    RE = RunEngine({}, context_managers=[])  # noqa: N806

    def run(folder, num, **options):
        bench = session()
        with open_catalog(folder) as catalog:
            bench.agent = GPAgent(bench.optimizer, target="det_height", catalog=catalog)
            (uid,) = RE(bench.map(num, **options), catalog.writer)
        return uid

    return run


@pytest.fixture(scope="module")
def here(record, tmp_path_factory):
    """The folder in which a run was recorded, and the run's uid."""
    folder = tmp_path_factory.mktemp("measured") / "here"
    return folder, record(folder, 12)


def everything(catalog, uid):
    """Tables and arrays of a run, and its decisions made once more, all from the catalog rather than the journal."""
    run = catalog[uid]
    return (
        run.primary.read()["det_height"].values.tolist(),
        np.asarray(run["gp_maps"].read()["gp_maps_mean"]).tolist(),
        RunRecord.from_documents(run.documents()).outcomes,
        replay(run.documents()).identical,
    )


def test_a_copy_is_read_in_its_place_and_so_it_is_when_it_was_moved(here, tmp_path):
    folder, uid = here
    with open_catalog(folder) as catalog:
        before = everything(catalog, uid)
    shutil.copytree(folder, tmp_path / "there é 50%")
    for place in (tmp_path / "there é 50%", tmp_path / "there é 50%", folder):
        with open_catalog(place) as catalog:
            assert everything(catalog, uid) == before
    shutil.move(tmp_path / "there é 50%", tmp_path / "at last")
    with open_catalog(tmp_path / "at last") as catalog:
        assert everything(catalog, uid) == before


def test_what_is_recorded_there_goes_there_and_the_old_run_is_gone_on_with(here, record, tmp_path):
    folder, old = here
    shutil.copytree(folder, tmp_path / "there")
    new = record(tmp_path / "there", NUM, resume_from=old)
    with open_catalog(tmp_path / "there") as catalog, open_catalog(folder) as other:
        assert list(catalog) == [old, new] and list(other) == [old]
        assert everything(catalog, old) == everything(other, old)
        assert len(everything(catalog, new)[0]) == NUM - 12 and everything(catalog, new)[-1]
    shutil.move(tmp_path / "there", tmp_path / "at last")
    with open_catalog(tmp_path / "at last") as catalog:
        assert [everything(catalog, uid)[-1] for uid in (old, new)] == [True, True]
