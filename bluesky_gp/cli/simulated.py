"""The demonstration over simulated devices in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from bluesky_gp.cli.setup import Setup
from bluesky_gp.cli.targets import experiment
from bluesky_gp.grid import PixelGrid


@contextmanager
def simulated(sample: str, target: str | None, signal: str | None = None) -> Iterator[Setup]:
    """Simulated devices over a synthetic or a measured sample."""
    from bluesky_gp.devices import PixelStage, SimulatedSpectrometer

    chosen = experiment(sample, target, signal)
    grid = PixelGrid(chosen.sample.shape, step=(0.02, 0.02), units="um")
    stage = PixelStage(grid=grid, name="stage")
    scalarizers = {chosen.target: chosen.scalarizer}
    spectrometer = SimulatedSpectrometer(chosen.sample, stage, scalarizers=scalarizers, name="spectrometer")
    yield Setup(spectrometer, stage, grid, f"spectrometer_{chosen.target}", chosen.truth)
