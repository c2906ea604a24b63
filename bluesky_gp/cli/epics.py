"""The demonstration over EPICS: a soft IOC in a process of its own, real Channel Access."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from bluesky_gp.cli.channel_access import LOOPBACK, client_environment, free_ports, is_free
from bluesky_gp.cli.setup import Setup
from bluesky_gp.cli.targets import experiment
from bluesky_gp.grid import PixelGrid

STEP = 0.02  # um


@contextmanager
def epics(sample: str, target: str | None, signal: str | None = None) -> Iterator[Setup]:
    """Motor records and a detector in a soft IOC, which ends with the demonstration."""
    for package, module in {"caproto": "caproto", "pyepics": "epics"}.items():
        if find_spec(module) is None:
            raise ImportError(f"--instrument epics needs {package}: pip install 'bluesky_gp[epics]'")
    port, repeater_port = free_ports(2)
    os.environ.update(client_environment(port, repeater_port=repeater_port))  # read once, when ophyd is imported
    chosen = experiment(sample, target, signal)
    grid = PixelGrid(chosen.sample.shape, step=(STEP, STEP), units="um")
    from bluesky_gp.devices.epics import EpicsSpectrometer, EpicsStage

    options = ["--sample", sample, "--step", str(STEP), str(STEP)]
    with soft_ioc(port, options if signal is None else [*options, "--signal", signal]):
        stage = EpicsStage("stem:", grid=grid, name="stage")
        spectrometer = EpicsSpectrometer(
            "stem:det:",
            scalarizers={chosen.target: chosen.scalarizer},
            axis_name=chosen.sample.axis_name,
            spectrum_units=chosen.sample.spectrum_units,
            axis_units=chosen.sample.axis_units,
            name="spectrometer",
        )
        try:
            stage.wait_for_connection()
            spectrometer.wait_for_connection()
            yield Setup(spectrometer, stage, grid, f"spectrometer_{chosen.target}", chosen.truth)
        finally:  # before the IOC ends, or libca complains of it
            stage.destroy()
            spectrometer.destroy()


@contextmanager
def soft_ioc(port: int, options: Sequence[str] = ()) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``bluesky-gp ioc`` meanwhile, once it serves; it ends with this process, however that ends."""
    command = [sys.executable, "-m", "bluesky_gp.cli", "ioc", "--until-stdin-ends", "--port", str(port), *options]
    quiet = subprocess.DEVNULL
    # In a session of its own: Ctrl-C is for the RunEngine, which still needs the IOC to end the run.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, start_new_session=True)
    try:
        _wait_until_taken(port, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _wait_until_taken(port: int, process: "subprocess.Popen[bytes]", seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while is_free(LOOPBACK, port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise OSError(f"the soft IOC did not start within {seconds:g} s (exit code {process.poll()})")
        time.sleep(0.05)
