"""An overview image from an area detector, over Channel Access."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from bluesky.protocols import Hints
from ophyd import Component, Device, EpicsSignal, EpicsSignalRO
from ophyd.status import StatusBase

from bluesky_gp.devices.epics.variables import check_control_layer
from bluesky_gp.devices.signals import ImageSignal
from bluesky_gp.grid import PixelGrid
from bluesky_gp.status import DaemonExecutor


class EpicsImager(Device):
    """The image of an areaDetector whose image plugin posts it: one for each trigger.

    Event key: ``NAME_image``, shape ``(n_rows, n_cols)``. The detector must take a single image when it is told to
    acquire, and its plugin hold the image by then (its callbacks blocking).

    Parameters
    ----------
    prefix : str
        Before ``cam1:Acquire``, ``image1:ArrayData``, ``image1:ArraySize0_RBV`` (columns) and
        ``image1:ArraySize1_RBV`` (rows).
    grid : PixelGrid or mapping, optional
        Where the pixels of the image lie, in the stage's units. Default: they cover the field of the map.
    timeout : float, optional
        Seconds that an image may take.
    name : str
        Name of the device.
    """

    acquire = Component(EpicsSignal, "cam1:Acquire", kind="omitted")
    data = Component(EpicsSignalRO, "image1:ArrayData", kind="omitted")
    n_cols = Component(EpicsSignalRO, "image1:ArraySize0_RBV", kind="omitted")
    n_rows = Component(EpicsSignalRO, "image1:ArraySize1_RBV", kind="omitted")
    image = Component(ImageSignal, value=np.zeros((0, 0), np.float32), kind="normal")

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        grid: PixelGrid | Mapping[str, Any] | None = None,
        timeout: float | int = 60.0,
        **kwargs: Any,
    ) -> None:
        check_control_layer()
        super().__init__(prefix, name=name, **kwargs)
        self.image_grid = None if grid is None else PixelGrid.from_mapping(grid)
        self.timeout = float(timeout)

    def trigger(self) -> StatusBase:
        """Take an image; the Status ends when it can be read."""
        status = StatusBase()
        DaemonExecutor().submit(self._take, status)
        return status

    @property
    def hints(self) -> Hints:
        """Nothing: tables and plots show numbers."""
        return {"fields": []}

    def _take(self, status: StatusBase) -> None:
        try:
            self.acquire.put(1, wait=True, use_complete=True, timeout=self.timeout)
            shape = tuple(int(size.get(use_monitor=False)) for size in (self.n_rows, self.n_cols))
            self.image.put(self._shown(shape), timestamp=time.time())
        except Exception as error:
            status.set_exception(RuntimeError(f"{self.name}: no image: {error!r}"))
        else:
            status.set_finished()

    def _shown(self, shape: tuple[int, ...]) -> Any:
        data = np.asarray(self.data.get(use_monitor=False), dtype=np.float32)
        n_pixels = int(np.prod(shape))
        if not 0 < n_pixels <= data.size:
            raise ValueError(f"{self.data.pvname} has {data.size} numbers, and an image of {shape} was announced")
        if self.image_grid is not None and shape != self.image_grid.shape:
            raise ValueError(f"the image has shape {shape}, and its grid {self.image_grid.shape}")
        return data[:n_pixels].reshape(shape)
