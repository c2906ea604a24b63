"""The overview image of a Nion microscope, and controls such as the beam current."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from bluesky.protocols import Hints
from ophyd import Component, Device
from ophyd.status import StatusBase

from bluesky_gp.devices.nion.instrument import Beam, find_instrument
from bluesky_gp.devices.signals import ArraySignal, ImageSignal
from bluesky_gp.grid import PixelGrid
from bluesky_gp.status import DaemonExecutor


class NionOverview(Device):
    """An image of the scan's whole field of view, recorded at each trigger.

    Event key: ``NAME_image``, shape ``(n_rows, n_cols)``. Configuration: ``NAME_step`` and ``NAME_origin``, nm, from
    the middle of the field of view, as the grid of a `NionScanStage` has them.

    Parameters
    ----------
    prefix : str, optional
        Not used: loaders of devices pass one.
    channel : str, optional
        Name of a channel of the scan that is switched on.
    shape : tuple of int, optional
        Rows and columns, of the scan's proportions. Default: as the scan is set.
    pixel_time_us : float, optional
        Microseconds a pixel. Default: as the scan is set.
    blanker : str, optional
        Control that blanks the beam; it is on during the image and then as it was.
    instrument : optional
        Default: the one that is registered.
    name : str
        Name of the device.
    """

    image = Component(ImageSignal, system="NION", value=np.zeros((0, 0), np.float32), kind="normal")
    step = Component(ArraySignal, value=np.full(2, np.nan), units="nm", dim="axis", kind="config")
    origin = Component(ArraySignal, value=np.full(2, np.nan), units="nm", dim="axis", kind="config")

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        channel: str = "HAADF",
        shape: Sequence[int] | None = None,
        pixel_time_us: float | int | None = None,
        blanker: str = "C_Blank",
        instrument: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(prefix, name=name, **kwargs)
        self.instrument = find_instrument(name, instrument)
        self.scan = self.instrument.scan_controller
        self.beam = Beam(self.instrument, blanker)
        self.channel, self.pixel_time_us = channel, pixel_time_us
        self.shape = None if shape is None else tuple(int(n) for n in shape)
        parameters = self._parameters()  # a baseline records the configuration before it triggers
        step = parameters.fov_nm / max(parameters.pixel_size)
        self._show(np.full(tuple(parameters.pixel_size), np.nan), [step, step])

    @property
    def image_grid(self) -> PixelGrid:
        """Grid of the pixels of the last image, nm: for `plots.grid_on_image` and the masks of `bluesky_gp.masks`."""
        step, origin = tuple(self.step.get()), tuple(self.origin.get())
        return PixelGrid(self.image.get().shape, step=step, origin=origin, units="nm")

    def trigger(self) -> StatusBase:
        """Record an image; the Status ends when it can be read."""
        status = StatusBase()
        DaemonExecutor().submit(self._record, status)
        return status

    @property
    def hints(self) -> Hints:
        """Nothing: tables and plots show numbers."""
        return {"fields": []}

    def _parameters(self) -> Any:
        parameters = self.scan.get_current_frame_parameters()
        rows, cols = parameters.pixel_size
        if self.shape is not None and self.shape[0] * cols != self.shape[1] * rows:
            # uSim 5.4 records another field of view than it says if only the image is wider than high.
            raise ValueError(f"{self.name}: shape {self.shape} is not of the scan's proportions, {rows} : {cols}")
        if self.shape is not None:
            parameters.pixel_size = self.shape
        if self.pixel_time_us is not None:
            parameters.pixel_time_us = self.pixel_time_us
        return parameters

    def _record(self, status: StatusBase) -> None:
        blanked = self.beam.is_blanked
        try:
            self.beam.blank(False)
            frame = self._take()
            self._show(frame.data, [calibration.scale for calibration in frame.dimensional_calibrations])
        except Exception as error:
            status.set_exception(RuntimeError(f"{self.name}: no image: {error!r}"))
        else:
            status.set_finished()
        finally:
            self.beam.blank(blanked)

    def _take(self) -> Any:
        names = [self.scan.get_channel_name(i) for i in range(self.scan.get_channel_count())]
        recorded = [name for i, name in enumerate(names) if self.scan.get_channel_enabled(i)]
        if self.channel not in recorded:
            raise ValueError(f"channel {self.channel!r} is not switched on, of {names} these are: {recorded}")
        return self.scan.record_immediate(self._parameters(), sync_timeout=20)[recorded.index(self.channel)]

    def _show(self, image: npt.NDArray[Any], step: Sequence[float]) -> None:
        self.step.put(np.array(step))
        self.origin.put(-0.5 * (np.array(image.shape) - 1) * step)
        self.image.put(image.astype(np.float32), timestamp=time.time())
