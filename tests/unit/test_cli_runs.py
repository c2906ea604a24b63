"""What the commands ``runs``, ``show`` and ``export`` print, of a catalog on disk."""

import json
import sys

import pytest
import xarray as xr
from bluesky import RunEngine
from bluesky.plans import count
from ophyd.sim import det

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.cli import main
from bluesky_gp.cli.runs import summary, written
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog

GRID = PixelGrid((6, 7), step=(0.1, 0.2), units="um")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A catalog of two runs: a count, and a map of 12 pixels."""
    folder = tmp_path_factory.mktemp("catalog")
    stage = PixelStage(grid=GRID, name="stage")
    spectrometer = SimulatedSpectrometer(SyntheticFerroelectric(shape=GRID.shape), stage, name="spectrometer")
    agent = GPAgent(PixelOptimizer(GRID, "loop_area"), target="spectrometer_loop_area", units="V pm")
    RE = RunEngine({}, context_managers=[])  # noqa: N806
    with open_catalog(folder) as catalog:
        RE.subscribe(catalog.writer)
        RE(count([det], 3))
        RE(adaptive_map([spectrometer], stage, agent, num=12))
    return folder


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command; returns exit code, output and what went to standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bluesky-gp", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def on_catalog(command, folder, monkeypatch):
    """The same, on the catalog."""
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(folder))
    return command


@pytest.mark.slow
def test_runs_are_listed_the_latest_last(on_catalog, folder):
    code, out, err = on_catalog("runs")
    assert (code or 0, err) == (0, "")
    assert f"2 runs in {folder}" in out
    *_, first, second, _ = out.splitlines()
    assert "count" in first
    assert "adaptive_map" in second
    assert "spectrometer_loop_area" in second
    assert "12 of 12" in second


@pytest.mark.slow
def test_the_list_as_json_has_whole_uids_and_as_many_as_are_asked_for(on_catalog):
    _, out, _ = on_catalog("runs", "--json", "--limit", 1)
    (run,) = json.loads(out)
    assert (run["plan_name"], run["num_events"], run["exit_status"], len(run["uid"])) == (
        "adaptive_map",
        12,
        "success",
        36,
    )


@pytest.mark.slow
def test_a_run_is_shown_by_uid_by_its_beginning_by_scan_id_and_as_the_last(on_catalog):
    shown = [json.loads(on_catalog("show", key, "--json")[1]) for key in ("last", 2)]
    uid = shown[0]["uid"]
    shown += [json.loads(on_catalog("show", key, "--json")[1]) for key in (uid, uid[:8])]
    assert all(each == shown[0] for each in shown)
    assert (shown[0]["n_measured"], shown[0]["stop_reason"]) == (12, "num")
    assert set(shown[0]["streams"]) >= {"primary", "gp", "gp_maps"}
    code, out, _ = on_catalog("show", uid[:8])
    assert "12 measured, 0 failed" in out
    assert "RotatedMatern(length_scale=" in out


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
    assert xr.open_dataset(file)["mean"].shape == GRID.shape
    assert on_catalog("export", "last", file) == (
        2,
        "",
        f"bluesky-gp export: {file} exists already; --overwrite replaces it\n",
    )
    assert on_catalog("export", "last", file, "--overwrite")[1] == f"{file}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "123456"), "no run 123456 in the catalog; 'bluesky-gp runs' lists them"),
        (("show", "99"), "no run 99 in the catalog; 'bluesky-gp runs' lists them"),
        (("show", "abc"), "Partial uid 'abc' is too short. It must include at least 5 characters."),
        (("export", "last", "map.csv"), "map.csv: the suffix says what to write, and must be one of .nc, .zarr, .hspy"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(on_catalog, arguments, message):
    assert on_catalog(*arguments) == (2, "", f"bluesky-gp {arguments[0]}: {message}\n")


def test_a_folder_without_a_catalog_is_named_and_none_is_made(command, tmp_path):
    code, _, err = command("runs", "--catalog", tmp_path / "nothing")
    assert (code, err) == (
        2,
        f"bluesky-gp runs: there is no catalog in {tmp_path / 'nothing'}; --catalog says where else\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_one_line(command, tmp_path):
    (tmp_path / "catalog.db").write_text("This is no database.")
    code, _, err = command("runs", "--catalog", tmp_path)
    assert code == 2
    assert "cannot be opened" in err
    assert "file is not a database" in err
    assert err.count("\n") == 1


def test_a_server_that_is_not_there_is_one_line(command):
    code, _, err = command("runs", "--catalog", "http://127.0.0.1:1/")
    assert code == 2
    assert err.count("\n") == 1
    assert "No server answers at http://127.0.0.1:1" in err


def test_a_run_that_goes_on_has_no_end_yet():
    line = summary({"start": {"uid": "u", "time": 1.0, "plan_name": "scan"}})
    assert (line["exit_status"], line["seconds"], line["num_events"]) == (None, None, None)


def test_a_kernel_is_shown_as_it_is_written():
    kernel = {
        "class": "sklearn.gaussian_process.kernels:Sum",
        "k1": {"class": "sklearn.gaussian_process.kernels:Matern", "nu": 2.5, "length_scale_bounds": [1, 2]},
        "k2": {"class": "sklearn.gaussian_process.kernels:WhiteKernel", "noise_level": 0.01},
    }
    assert written(kernel) == "Matern(nu=2.5) + WhiteKernel(noise_level=0.01)"
