"""``bluesky-gp catalog copy``: what it says, and its exit code."""

import bluesky.plans as bp
import numpy as np
import pytest
from ophyd.sim import det

from bluesky_gp.recording import open_catalog


def test_runs_are_copied_once_and_said(command, tmp_path, RE):
    with open_catalog(tmp_path / "from") as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = RE(bp.count([det]))
    code, out, _ = command("catalog", "copy", tmp_path / "from", tmp_path / "to")
    assert code == 0 and f"1 of 1: {uid} copied" in out
    code, out, _ = command("catalog", "copy", tmp_path / "from", tmp_path / "to")
    assert (code, out.strip()) == (0, "1 there already")


def test_a_catalog_that_is_not_there_is_said(command, tmp_path):
    code, _, err = command("catalog", "copy", tmp_path / "from", tmp_path / "to")
    assert code == 2 and "there is no catalog in" in err
    assert not (tmp_path / "to").exists()


@pytest.mark.slow
def test_a_copy_for_a_viewer_has_its_stream_as_arrays(command, folder):
    code, _, _ = command("catalog", "copy", folder, "to", "--adaptive")
    assert code == 0
    with open_catalog("to") as catalog:
        run = catalog[-1]
        maps, stream = run["gp_maps"].read()["gp_maps_mean"].values, run["adaptive"]
        assert np.array_equal(stream["posterior_mean"].read(), maps.reshape(len(maps), -1))
        assert stream.metadata["configuration"]["tsuchinoko"]["data"]["evaluation_grid_x"] == [*range(6)]
        assert run.stop["num_events"]["adaptive"] == len(maps)
        assert "adaptive" not in catalog[0]
