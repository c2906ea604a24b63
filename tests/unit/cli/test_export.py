"""A run, exported by the command line."""

import shutil

import pytest
import xarray as xr
from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog


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


@pytest.mark.slow
def test_a_run_that_resumes_another_is_exported_with_the_spectra_of_both(command, folder, tmp_path):
    place = tmp_path / "two"
    shutil.copytree(folder, place)
    grid = PixelGrid((6, 7), step=(0.1, 0.2), units="um")
    stage = PixelStage(grid=grid, name="stage")
    spectrometer = SimulatedSpectrometer(SyntheticFerroelectric(shape=grid.shape), stage, name="spectrometer")
    with open_catalog(place) as catalog:
        optimizer = PixelOptimizer(grid, "loop_area")
        agent = GPAgent(optimizer, target="spectrometer_loop_area", units="V pm", catalog=catalog)
        RE = RunEngine({}, context_managers=[])  # noqa: N806
        RE.subscribe(catalog.writer)
        RE(adaptive_map([spectrometer], stage, agent, num=20, resume_from=catalog[-1].start["uid"]))
    code, _, err = command("export", "last", tmp_path / "map.nc", "--catalog", place)
    assert (code, err) == (0, "")
    found = xr.open_dataset(tmp_path / "map.nc")
    assert found.sizes["measurement"] == 20 and "missing_spectra" not in found.attrs
