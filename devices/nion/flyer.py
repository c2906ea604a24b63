"""An EELS camera that takes the points of a batch by itself, in the process of the microscope."""

from collections.abc import Sequence
from typing import Any

from bluesky_gp.devices.flying import FlyingDetector
from bluesky_gp.devices.nion.detector import NionEELSDetector
from bluesky_gp.devices.nion.stage import NionScanStage
from bluesky_gp.typing import Floats


class NionFlyer(FlyingDetector, NionEELSDetector):
    """Goes to the points of a batch and takes a frame at each, a batch as one acquisition.

    `adaptive_map` flies it; triggered and read it is a `NionEELSDetector`. In a pause the flight holds before its next
    point, and the beam is blanked.

    Parameters
    ----------
    stage : NionScanStage
        What goes to the points.
    **kwargs
        As of `NionEELSDetector`.
    """

    def __init__(self, stage: NionScanStage, **kwargs: Any) -> None:
        self.pixel_stage = stage
        super().__init__(**kwargs)

    def _visit(self, pixel: tuple[int, ...]) -> tuple[Floats, Sequence[float]]:
        self.pixel_stage.set(pixel).wait()
        with self._one_frame:
            with self._switching:
                self.beam.blank(False)
            spectrum = self.camera.record(float(self.exposure.get()), int(self.binning.get()), self.axis.get())
        if self.blank_between:
            self._blank()
        return spectrum, self.pixel_stage.locate()["readback"]

    def _hold(self) -> None:
        self._blank()
