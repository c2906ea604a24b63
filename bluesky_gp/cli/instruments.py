"""What the demonstration can run on: each instrument gives a detector, a stage and the truth."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bluesky_gp.cli.setup import Setup
from bluesky_gp.cli.targets import experiment
from bluesky_gp.grid import PixelGrid


@contextmanager
def simulated(sample: str, target: str | None) -> Iterator[Setup]:
    """Simulated devices in this process, over a synthetic or a measured sample."""
    from bluesky_gp.devices import PixelStage, SimulatedSpectrometer

    what = experiment(sample, target)
    grid = PixelGrid(what.sample.shape, step=(0.02, 0.02), units="um")
    stage = PixelStage(grid=grid, name="stage")
    scalarizers = {what.target: what.scalarizer}
    spectrometer = SimulatedSpectrometer(what.sample, stage, scalarizers=scalarizers, name="spectrometer")
    yield Setup(spectrometer, stage, grid, f"spectrometer_{what.target}", what.truth)


def epics(sample: str, target: str | None) -> AbstractContextManager[Setup]:
    """Motor records and a detector in a soft IOC of its own, over Channel Access."""
    from bluesky_gp.cli.epics import epics as instrument

    return instrument(sample, target)


def nion(sample: str, target: str | None) -> AbstractContextManager[Setup]:
    """Probe and EELS camera of Nion's instrumentation kit, over its simulator."""
    from bluesky_gp.cli.nion import nion as instrument

    return instrument(sample, target)


def ophyd_async(sample: str, target: str | None) -> AbstractContextManager[Setup]:
    """Simulated devices in the style of ophyd-async."""
    from bluesky_gp.cli.asynchronous import ophyd_async as instrument

    return instrument(sample, target)


INSTRUMENTS: dict[str, Callable[[str, str | None], AbstractContextManager[Setup]]] = {
    "simulated": simulated,
    "epics": epics,
    "nion": nion,
    "ophyd-async": ophyd_async,
}
"""By the name that ``bluesky-gp demo --instrument`` takes; called with sample and target."""

SAMPLES = {"nion": "flake"}
"""What an instrument measures unless ``--sample`` says otherwise; the others the ferroelectric film."""
