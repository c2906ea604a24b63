"""A run, exported by the command line."""

import pytest
import xarray as xr


@pytest.mark.slow
def test_a_run_without_an_agent_is_shown_but_not_exported(on_catalog, tmp_path):
    code, out, _ = on_catalog("show", 1)
    assert (code or 0, "count" in out, "primary" in out) == (0, True, True)
    code, out, err = on_catalog("export", 1, tmp_path / "map.nc")
    assert (code, out) == (2, "")
    assert "was not steered by a GPAgent" in err


@pytest.mark.slow
def test_a_run_is_exported_once_unless_it_is_to_be_overwritten(on_catalog, tmp_path):
    file = tmp_path / "map.nc"
    assert on_catalog("export", "last", file)[1] == f"{file}\n"
    assert xr.open_dataset(file)["mean"].shape == (6, 7)
    assert on_catalog("export", "last", file) == (
        2,
        "",
        f"bluesky-gp export: {file} exists already; --overwrite replaces it\n",
    )
    assert on_catalog("export", "last", file, "--overwrite")[1] == f"{file}\n"
