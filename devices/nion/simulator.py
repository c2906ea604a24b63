"""Nion's simulated microscope, uSim, without a window: for tests, examples and trainings.

::

    with usim() as simulator:
        stage = NionScanStage(shape=(30, 30), name="stage")
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats

SAMPLES = ("flake", "amorphous", "gold")  # in the order of the simulator's sample_index
LAYER = 0.3  # t/lambda of one flake: 30 nm of 100 nm


@dataclass(frozen=True)
class Usim:
    """The simulator while it runs."""

    instrument: Any

    def thickness(self, grid: PixelGrid) -> Floats:
        """Return the true t/lambda of each pixel of a grid of probe positions in nm, shape ``grid.shape``.

        From the simulator's own model of its flakes, not from spectra.
        """
        points = grid.position(grid.coordinates)
        return np.array([LAYER * self._layers(y, x) for y, x in points]).reshape(grid.shape)

    def _layers(self, y: float, x: float) -> int:
        from nion.utils import Geometry

        context = self.instrument.scan_context
        size = context.fov_size_nm
        at = Geometry.FloatPoint(y=y / size.height + 0.5, x=x / size.width + 0.5)
        shift = self.instrument.GetVal2D("stage_position_m", axis=("x", "y"))
        flakes = self.instrument.scan_data_generator.sample.features
        return sum(bool(flake.intersects(shift, size, context.center_nm, at)) for flake in flakes)


@contextmanager
def usim(
    sample: Literal["flake", "amorphous", "gold"] = "flake", *, fov: float = 100.0, shape: Sequence[int] = (256, 256)
) -> Iterator[Usim]:
    """Start the simulated microscope, register it as Swift would, and stop it.

    Parameters
    ----------
    sample : {"flake", "amorphous", "gold"}, optional
        Overlapping rectangular flakes of three materials, always the same ones; a film; gold balls on a film.
    fov : float, optional
        Longer side of the scan's field of view, nm.
    shape : tuple of int, optional
        Rows and columns of the scan's own image.

    Raises
    ------
    ImportError
        If the simulator is not installed.
    RuntimeError
        If an instrument is registered in this process already: there can be one.
    """
    if sample not in SAMPLES:
        raise ValueError(f"usim: sample must be one of {SAMPLES}, got {sample!r}")
    try:
        from nion.usim_device import DeviceConfiguration
        from nion.utils import Registry
    except ImportError as error:
        raise ImportError("usim needs Nion's simulator: pip install 'bluesky_gp[nion]'") from error
    if Registry.get_component("stem_controller") is not None:
        raise RuntimeError("usim: an instrument is registered in this process already, and there can be one")
    with ExitStack() as stack:
        _start_hardware(stack)
        configuration = DeviceConfiguration.AcquisitionContextConfiguration(
            sample_index=SAMPLES.index(sample), set_configuration_location=False
        )
        configuration.run()
        stack.callback(configuration.stop)
        instrument = Registry.get_component("stem_controller")
        stack.callback(_stop_cameras, instrument)
        _set_field(instrument, fov, shape)
        yield Usim(instrument)


def _start_hardware(stack: ExitStack) -> None:
    """Start what Swift starts before its devices; the order of the ends matters, or the process never exits."""
    from nion.instrumentation import DriftTracker, HardwareSource, camera_base, scan_base, stem_controller

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="usim-")))
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    asyncio.set_event_loop(loop)
    stack.callback(asyncio.set_event_loop, None)
    stem_controller.register_event_loop(loop)
    stack.callback(stem_controller.unregister_event_loop)
    stack.callback(lambda: HardwareSource.HardwareSourceManager().close())
    for module, arguments in (
        (HardwareSource, ()),
        (DriftTracker, ()),
        (camera_base, (folder,)),
        (scan_base, (folder,)),
    ):
        module.run(*arguments)
        stack.callback(module.stop)


def _stop_cameras(instrument: Any) -> None:
    for source in (instrument.eels_camera, instrument.ronchigram_camera, instrument.scan_controller):
        if source is not None:
            source.abort_playing(sync_timeout=10)
            source.abort_recording(sync_timeout=10)


def _set_field(instrument: Any, fov: float, shape: Sequence[int]) -> None:
    scan = instrument.scan_controller
    parameters = scan.get_current_frame_parameters()
    parameters.fov_nm = float(fov)
    parameters.pixel_size = tuple(int(n) for n in shape)
    scan.set_current_frame_parameters(parameters)
