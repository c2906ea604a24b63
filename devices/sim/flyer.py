"""A simulated spectrometer with a scan unit that visits a list of points by itself."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ophyd import Component

from bluesky_gp.devices.flying import FlyingDetector
from bluesky_gp.devices.signals import SecondsSignal
from bluesky_gp.devices.sim.sample import Sample
from bluesky_gp.devices.sim.spectrometer import SimulatedSpectrometer
from bluesky_gp.devices.stage import PixelStage
from bluesky_gp.typing import Floats


class SimulatedFlyer(FlyingDetector, SimulatedSpectrometer):
    """Visits the points of a batch by itself, each for `settle` and `exposure` seconds by its own clock.

    `adaptive_map` flies it, a batch as one acquisition; triggered and read it is a `SimulatedSpectrometer`. In a flight
    the beam goes to the points exactly, and the stage stays where it is.

    Parameters
    ----------
    sample, stage, **kwargs
        As of `SimulatedSpectrometer`.
    settle : float, optional
        Seconds between two exposures of a flight.

    Examples
    --------
    >>> from bluesky_gp.protocols import Batch
    >>> stage = PixelStage(grid={"shape": [8, 8]}, name="stage")
    >>> flyer = SimulatedFlyer("ferroelectric", stage, name="flyer")
    >>> flyer.prepare(Batch(stage.grid, ((0, 3), (2, 4)))), flyer.kickoff()
    (<FutureStatus of flyer: done>, <FutureStatus of flyer: done>)
    >>> flyer.complete().exception(timeout=10.0)
    >>> for page in flyer.collect_pages():
    ...     print(*page["data"]["stage_row"])
    0.0 2.0
    """

    settle = Component(SecondsSignal, value=0.0, kind="config")

    def __init__(
        self,
        sample: str | Mapping[str, Any] | Sample,
        stage: PixelStage | Mapping[str, Any] | str,
        *,
        settle: float | int = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(sample, stage, **kwargs)
        self.settle.put(settle)
        self._due = 0.0  # when the point under way ends, by time.monotonic

    def _begin(self) -> None:
        self._due = time.monotonic()

    def _visit(self, pixel: tuple[int, ...]) -> tuple[Floats, Sequence[float]]:
        self._due += self.settle.get() + self.exposure.get()
        spectrum = self._measure_at(pixel)  # before the wait: an instrument computes while it exposes
        self._rest(self._due - time.monotonic())
        return spectrum, pixel
