"""The seams of instruments: stage, detector, scalarizer; who implements each, and who calls it when."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from bluesky.protocols import Location, Reading, Status

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats

Scalarizer = Callable[[Floats, Floats], float]
"""``f(spectrum, axis) -> float``; NaN, or an exception, says that the measurement failed.

Implemented in `scalarizers` and by users; called by a detector when a spectrum is complete."""


@runtime_checkable
class Stage(Protocol):
    """Goes to pixels.

    Implemented by `devices.PixelStage`; set by `plans.stubs.one_pixel`, read into every event.
    """

    name: str
    grid: PixelGrid

    def set(self, pixel: Sequence[float]) -> Status:
        """Start moving to a pixel; the Status ends when the stage is there."""
        ...

    def check_value(self, pixel: Sequence[float]) -> None:
        """Raise before anything moves if `pixel` cannot be reached."""
        ...

    def locate(self) -> Location[Sequence[float]]:
        """Return set-point and read-back, in pixels."""
        ...


@runtime_checkable
class SpectrumDetector(Protocol):
    """A spectrum a trigger, and the numbers that its scalarizers make of it.

    Implemented by `devices.detector.SpectrumDetectorBase` and its instruments; triggered and read by
    `plans.stubs.one_pixel`. Event keys: ``NAME_spectrum`` (1-D, counts or response) and ``NAME_TARGET`` for each
    scalarizer; configuration: ``NAME_axis`` (with units) and ``NAME_exposure`` (s).
    """

    name: str

    def trigger(self) -> Status:
        """Start the exposure; the Status ends when spectrum and targets can be read."""
        ...

    def read(self) -> dict[str, Reading[Any]]:
        """Return spectrum and targets."""
        ...
