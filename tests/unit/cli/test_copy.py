"""``bluesky-gp catalog copy``: what it says, and its exit code."""

import bluesky.plans as bp
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
