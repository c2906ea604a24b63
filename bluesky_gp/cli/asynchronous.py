"""The demonstration over simulated devices in the style of ophyd-async."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from bluesky_gp.cli.setup import Setup
from bluesky_gp.cli.targets import experiment
from bluesky_gp.grid import PixelGrid


@contextmanager
def ophyd_async(sample: str, target: str | None, signal: str | None = None) -> Iterator[Setup]:
    """A stage and a StandardDetector over a synthetic or a measured sample."""
    if find_spec("ophyd_async") is None:
        raise ImportError("--instrument ophyd-async needs it: pip install 'bluesky_gp[ophyd-async]'")
    from bluesky import RunEngine
    from ophyd_async.core import init_devices

    from bluesky_gp.devices.ophyd_async import AsyncPixelStage, AsyncSpectrometer

    chosen = experiment(sample, target, signal)
    grid = PixelGrid(chosen.sample.shape, step=(0.02, 0.02), units="um")
    engine = RunEngine({})  # first: the devices are connected on its loop
    with init_devices():
        stage = AsyncPixelStage(grid)
        spectrometer = AsyncSpectrometer(chosen.sample, stage, scalarizers={chosen.target: chosen.scalarizer})
    yield Setup(spectrometer, stage, grid, f"spectrometer_{chosen.target}", chosen.truth, engine)
