"""The demonstration over Nion's instrumentation kit: the thickness of a specimen in the simulator uSim."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from bluesky_gp.cli.setup import Setup

SHAPE = (50, 50)
EXPOSURE = 0.01  # s


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
        stage = NionScanStage(shape=SHAPE, name="stage")
        detector = NionEELSDetector(name="eels", exposure=EXPOSURE, scalarizers="thickness")
        yield Setup(detector, stage, stage.grid, "eels_thickness", simulator.thickness(stage.grid))
