"""A simulated overview image of a sample."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
from bluesky.protocols import Hints
from ophyd import Component, Device
from ophyd.status import StatusBase

from bluesky_gp.devices.signals import ImageSignal
from bluesky_gp.devices.stage import PixelStage
from bluesky_gp.grid import PixelGrid


class SimulatedImager(Device):
    """An overview image of a sample: topography of the ferroelectric one, HAADF of the oxide, that of a file.

    Event key: ``NAME_image``, shape ``(n_rows, n_cols)``.

    Parameters
    ----------
    sample : Sample
        One that has an `overview`.
    stage : PixelStage
        Whose grid says where the sample lies.
    name : str
        Name of the device.

    Examples
    --------
    >>> from bluesky_gp.devices import PixelStage, SyntheticEELS
    >>> imager = SimulatedImager(SyntheticEELS((8, 8)), PixelStage(grid={"shape": [8, 8]}, name="stage"), name="haadf")
    >>> imager.trigger().wait()
    >>> imager.read()["haadf_image"]["value"].shape
    (32, 32)
    """

    image = Component(ImageSignal, system="SIM", value=np.zeros((0, 0), np.float32), kind="normal")

    def __init__(self, sample: Any, stage: PixelStage, *, name: str, prefix: str = "", **kwargs: Any) -> None:
        super().__init__(prefix, name=name, **kwargs)
        if not callable(getattr(sample, "overview", None)):
            raise TypeError(f"{name}: the sample has no overview image, got {sample!r}")
        self.sample, self.pixel_stage = sample, stage
        self.image.put(np.full_like(self._take(), np.nan))

    @property
    def image_grid(self) -> PixelGrid:
        """Where the pixels of the image lie, in the units of the stage's grid."""
        grid = replace(self.pixel_stage.grid, shape=self.sample.shape, mask=None)
        shape = self.image.get().shape
        scale = np.divide(grid.shape, shape)  # pixels of the grid in one of the image
        origin = tuple(grid.position(0.5 * scale - 0.5))
        return replace(grid, shape=shape, step=tuple(grid.step * scale), origin=origin)

    def trigger(self) -> StatusBase:
        """Take the image, by the clock of a sample that has one; it is there at once."""
        self.image.put(self._take(), timestamp=getattr(self.sample, "now", time.time()))
        status = StatusBase()
        status.set_finished()
        return status

    def _take(self) -> Any:
        return np.asarray(self.sample.overview(), dtype=np.float32)

    @property
    def hints(self) -> Hints:
        """Nothing: tables and plots show numbers."""
        return {"fields": []}
