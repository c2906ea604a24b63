"""What the tests of all commands share."""

import sys
from functools import partial

import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.plans import count
from hill_map import SHAPE, hill
from ophyd.sim import det

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.cli import main
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Run ``bluesky-gp`` in an empty folder; returns exit code, what it printed, and its errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bluesky-gp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run


@pytest.fixture
def rehearse(command, monkeypatch):
    """Run ``bluesky-gp rehearse``; nobody's own catalog is meant."""
    monkeypatch.delenv("BLUESKY_GP_CATALOG", raising=False)
    return partial(command, "rehearse")


@pytest.fixture
def spectra(tmp_path):
    """A file of spectra whose peaks are as high as the hill, and a map beside them."""
    axis = np.linspace(0.0, 10.0, 16)
    path = tmp_path / "peaks.npz"
    np.savez(path, spectra=hill()[..., None] * np.exp(-((axis - 4.0) ** 2)), axis=axis, slope=np.indices(SHAPE)[0])
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A catalog of two runs: a count, and a map of 12 pixels."""
    grid = PixelGrid((6, 7), step=(0.1, 0.2), units="um")
    folder = tmp_path_factory.mktemp("catalog")
    stage = PixelStage(grid=grid, name="stage")
    spectrometer = SimulatedSpectrometer(SyntheticFerroelectric(shape=grid.shape), stage, name="spectrometer")
    agent = GPAgent(PixelOptimizer(grid, "loop_area"), target="spectrometer_loop_area", units="V pm")
    RE = RunEngine({}, context_managers=[])  # noqa: N806
    with open_catalog(folder) as catalog:
        RE.subscribe(catalog.writer)
        RE(count([det], 3))
        RE(adaptive_map([spectrometer], stage, agent, num=12))
    return folder


@pytest.fixture(scope="session")
def steered_folder(tmp_path_factory):
    """A catalog of one map that people steered: 12 pixels and then ten more, other settings, places of their own."""
    grid = PixelGrid((6, 7))
    folder = tmp_path_factory.mktemp("steered")
    stage = PixelStage(grid=grid, name="stage")
    spectrometer = SimulatedSpectrometer(SyntheticFerroelectric(shape=grid.shape), stage, name="spectrometer")
    agent = GPAgent(PixelOptimizer(grid, "loop_area", batch_size=6), target="spectrometer_loop_area")

    def steer(name, doc):
        if name == "event" and "spectrometer_loop_area" in doc["data"] and doc["seq_num"] == 3:
            agent.go_on(10, who="jane")
            agent.configure(acquisition="ucb", batch_size=5, who="bob")
            agent.forbid({"polygon": [[0, 0], [0, 1], [1, 1], [1, 0]]}, who="jane")
            agent.add_pixels([[5, 6]], who="jane")

    RE = RunEngine({}, context_managers=[])  # noqa: N806
    with open_catalog(folder) as catalog:
        RE.subscribe(catalog.writer)
        RE(adaptive_map([spectrometer], stage, agent, num=12), steer)
    return folder


@pytest.fixture
def on_catalog(command, folder, monkeypatch):
    """The same, on the catalog."""
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(folder))
    return command


@pytest.fixture
def two_signals(tmp_path):
    """A file of two spectrum images, amplitude and phase, whose peaks are highest in different corners."""
    from rsciio.hspy import file_writer

    def axis(name, size, navigate):
        return {
            "_type": "UniformDataAxis", "name": name, "units": "nm" if navigate else "V", "size": size,
            "scale": 1.0, "offset": 0.0, "navigate": navigate, "is_binned": False,
        }  # fmt: skip

    row, col, channel = np.indices((9, 8, 16))
    peak = np.exp(-((channel - 6.0) ** 2) / 4.0)
    for title, (y, x) in {"amplitude": (2, 6), "phase": (7, 1)}.items():
        signal = {
            "data": (1.0 + np.exp(-((row - y) ** 2 + (col - x) ** 2) / 8.0)) * peak,
            "axes": [axis("y", 9, True), axis("x", 8, True), axis("bias", 16, False)],
            "metadata": {"General": {"title": title}, "Signal": {"signal_type": ""}},
            "original_metadata": {}, "attributes": {"_lazy": False, "ragged": False}, "learning_results": {},
            "models": {}, "tmp_parameters": {}, "package_info": {"package": "", "package_version": ""},
        }  # fmt: skip
        file_writer(str(tmp_path / f"{title}.hspy"), signal, show_progressbar=False)
    with h5py.File(tmp_path / "amplitude.hspy", "a") as file, h5py.File(tmp_path / "phase.hspy") as other:
        other.copy("Experiments/phase", file["Experiments"])
    return tmp_path / "amplitude.hspy"
