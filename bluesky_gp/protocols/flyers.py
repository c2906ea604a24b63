"""The seam of instruments that visit the points of a batch by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from bluesky.protocols import Status

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats

Point = tuple[int, ...]


@dataclass(frozen=True)
class Batch:
    """The points of one flight, in the order in which they are to be visited.

    Examples
    --------
    >>> Batch(PixelGrid((8, 8), step=(0.5, 0.5)), ((0, 3), (2, 4))).positions.tolist()
    [[0.0, 1.5], [1.0, 2.0]]
    """

    grid: PixelGrid
    pixels: tuple[Point, ...]

    @property
    def positions(self) -> Floats:
        """Return where the points lie, shape ``(n_points, ndim)``, in the grid's units."""
        return self.grid.position(self.pixels)


@runtime_checkable
class BatchFlyer(Protocol):
    """A detector or scan unit that visits a list of points by itself: Preparable with a `Batch`, Flyable, Collectable.

    Implemented by `devices.flying.FlyingDetector` and its instruments; flown by `plans.flying.fly_pixels`, a batch at
    a time. What it collects are events of stream ``primary``, one a point that went well, with the pixel under
    `pixel_keys`; after a flight that was stopped or broke, those that it has.
    """

    name: str

    @property
    def pixel_keys(self) -> tuple[str, ...]:
        """Event keys of the point at which an event was measured, in the order of the grid's axes."""
        ...

    @property
    def faults(self) -> Mapping[Point, str]:
        """Points of the latest flight that the instrument could not measure, and why."""
        ...

    def check_batch(self, batch: Batch) -> None:
        """Raise ValueError, before anything moves, if points cannot be visited, or not so many at once."""
        ...

    def prepare(self, value: Batch) -> Status:
        """Take the points of the next flight."""
        ...

    def kickoff(self) -> Status:
        """Start the flight."""
        ...

    def complete(self) -> Status:
        """Return a Status that ends with the flight; it fails if the flight broke."""
        ...

    def describe_collect(self) -> Any:
        """Return the data keys of what is collected."""
        ...
