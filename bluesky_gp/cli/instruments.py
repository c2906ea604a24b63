"""Instruments that the demonstration can run on, by name."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

from bluesky_gp.cli.channel_access import LOOPBACK, client_environment, free_ports, is_free
from bluesky_gp.cli.targets import experiment
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats

_NION_SHAPE = (50, 50)
_NION_EXPOSURE = 0.01  # s
_STEP = 0.02  # um, of samples that say no other


@dataclass(frozen=True)
class Setup:
    """An instrument, ready to measure."""

    detector: Any
    stage: Any
    grid: PixelGrid
    target: str  # key of the number to map, in the detector's events
    truth: Floats  # grid.shape; NaN where nothing is known
    engine: Any = None  # the RunEngine on whose loop the devices live, if they need one
    imager: Callable[[], Any] | None = None  # makes an imager of the sample; None: there is none


@contextmanager
def epics(sample: str, target: str | None, signal: str | None = None) -> Iterator[Setup]:
    """Motor records and a detector in a soft IOC, which ends with the demonstration."""
    for package, module in {"caproto": "caproto", "pyepics": "epics"}.items():
        if find_spec(module) is None:
            raise ImportError(f"--instrument epics needs {package}: pip install 'bluesky_gp[epics]'")
    port, repeater_port = free_ports(2)
    os.environ.update(client_environment(port, repeater_port=repeater_port))  # read once, when ophyd is imported
    chosen = experiment(sample, target, signal)
    grid = PixelGrid(chosen.sample.shape, step=(_STEP, _STEP), units="um")
    from bluesky_gp.devices.epics import EpicsSpectrometer, EpicsStage

    options = ["--sample", sample, "--step", str(_STEP), str(_STEP)]
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


@contextmanager
def ophyd_async(sample: str, target: str | None, signal: str | None = None) -> Iterator[Setup]:
    """A stage and a StandardDetector over a synthetic or a measured sample."""
    if find_spec("ophyd_async") is None:
        raise ImportError("--instrument ophyd-async needs it: pip install 'bluesky_gp[ophyd-async]'")
    from bluesky import RunEngine
    from ophyd_async.core import init_devices

    from bluesky_gp.devices.ophyd_async import AsyncPixelStage, AsyncSpectrometer

    chosen = experiment(sample, target, signal)
    grid = PixelGrid(chosen.sample.shape, step=(_STEP, _STEP), units="um")
    engine = RunEngine({})  # first: the devices are connected on its loop
    with init_devices():
        stage = AsyncPixelStage(grid)
        spectrometer = AsyncSpectrometer(chosen.sample, stage, scalarizers={chosen.target: chosen.scalarizer})
    yield Setup(spectrometer, stage, grid, f"spectrometer_{chosen.target}", chosen.truth, engine)


@contextmanager
def nion(sample: str, target: str | None, signal: str | None = None) -> Iterator[Setup]:
    """A probe and an EELS camera over the specimen `sample` of the simulator, flakes unless told otherwise."""
    for package in ("nion.instrumentation", "nion.usim_device"):
        if find_spec("nion") is None or find_spec(package) is None:
            raise ImportError("--instrument nion needs Nion's simulator: pip install 'bluesky_gp[nion]'")
    if sample != "flake" or target not in (None, "thickness"):
        raise ValueError("--instrument nion maps --target thickness of --sample flake, whose thickness is known")
    if signal is not None:
        raise ValueError(f"--signal {signal} is for files that hold several, --instrument nion has none")
    from bluesky_gp.devices.nion import NionEELSDetector, NionScanStage, usim

    with usim("flake") as simulator:
        stage = NionScanStage(shape=_NION_SHAPE, name="stage")
        detector = NionEELSDetector(name="eels", exposure=_NION_EXPOSURE, scalarizers="thickness")
        yield Setup(detector, stage, stage.grid, "eels_thickness", simulator.thickness(stage.grid))


@contextmanager
def simulated(sample: str, target: str | None, signal: str | None = None) -> Iterator[Setup]:
    """Simulated devices over a synthetic or a measured sample."""
    from bluesky_gp.devices import PixelStage, SimulatedImager, SimulatedSpectrometer

    chosen = experiment(sample, target, signal)
    grid = PixelGrid(chosen.sample.shape, step=(_STEP, _STEP), units="um")
    stage = PixelStage(grid=grid, name="stage")
    scalarizers = {chosen.target: chosen.scalarizer}
    spectrometer = SimulatedSpectrometer(chosen.sample, stage, scalarizers=scalarizers, name="spectrometer")
    imager = partial(SimulatedImager, chosen.sample, stage, name="overview")
    yield Setup(spectrometer, stage, grid, f"spectrometer_{chosen.target}", chosen.truth, imager=imager)


class Instrument(Protocol):
    """A way to measure a sample; `ophyd_async` and the others of `INSTRUMENTS` are some, ``demo`` enters one."""

    def __call__(self, sample: str, target: str | None, signal: str | None = None) -> AbstractContextManager[Setup]:
        """Return devices over a sample, while they are wanted."""


INSTRUMENTS: dict[str, Instrument] = {
    "simulated": simulated,
    "epics": epics,
    "nion": nion,
    "ophyd-async": ophyd_async,
}
"""By the name that ``bluesky-gp demo --instrument`` takes."""

SAMPLES = {"nion": "flake"}
"""Samples that instruments measure unless ``--sample`` says otherwise; the others measure the ferroelectric film."""
