"""What the tests of all commands share."""

import sys

import pytest
from bluesky import RunEngine
from bluesky.plans import count
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


@pytest.fixture
def on_catalog(command, folder, monkeypatch):
    """The same, on the catalog."""
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(folder))
    return command
