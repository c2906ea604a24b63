"""The two ways in which a batch is measured: pixel by pixel, or flown as one acquisition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.flying import declare_flyer, flown_axes, fly_pixels, flyer_among
from bluesky_gp.plans.heard import check_flown, check_heard
from bluesky_gp.plans.stages import AnyStage, axes_of
from bluesky_gp.plans.stubs import measure_pixels, one_pixel, tolerant
from bluesky_gp.plans.typing import PerPixel, Pixel, PlanOfNothing
from bluesky_gp.protocols import BatchFlyer
from bluesky_gp.run import Axes


@dataclass(frozen=True)
class PixelByPixel:
    """Each pixel is an event that a plan takes: the stage goes there, the detectors are triggered and read."""

    detectors: Sequence[Readable[Any]]
    stage: AnyStage
    agent: GPAgent
    per_pixel: PerPixel | None

    @property
    def axes(self) -> Axes:
        """Event keys of the pixel."""
        return axes_of(self.stage)

    def check(self) -> MsgGenerator[None]:
        """Raise before there is a run if the agent would hear nothing; nobody knows what a plan of others reads."""
        if self.per_pixel is None:
            yield from check_heard(self.detectors, self.stage, self.agent)

    def begin(self) -> MsgGenerator[None]:
        """Nothing is to be done before the first batch."""
        yield from ()

    def measure(self, pixels: Sequence[Pixel], ahead: PlanOfNothing) -> MsgGenerator[None]:
        """Measure a batch; `ahead` begins to decide what follows it."""
        yield from ahead()
        per_pixel = self.per_pixel or tolerant(one_pixel)
        yield from measure_pixels(self.detectors, self.stage, self.agent, pixels, per_pixel=per_pixel)


@dataclass(frozen=True)
class Flown:
    """A flyer visits the pixels of a batch by itself."""

    flyer: BatchFlyer
    agent: GPAgent

    @property
    def axes(self) -> Axes:
        """Event keys of the pixel."""
        return flown_axes(self.flyer)

    def check(self) -> MsgGenerator[None]:
        """Raise before there is a run if the agent would hear nothing."""
        yield from check_flown(self.flyer, self.agent)

    def begin(self) -> MsgGenerator[None]:
        """Declare the stream of what is collected."""
        yield from declare_flyer(self.flyer)

    def measure(self, pixels: Sequence[Pixel], ahead: PlanOfNothing) -> MsgGenerator[None]:
        """Measure a batch; `ahead` begins to decide what follows it, when it flies: deciding delays what is started."""
        yield from fly_pixels(self.flyer, self.agent, pixels, meanwhile=ahead)


def way_of(
    detectors: Sequence[Readable[Any]], stage: AnyStage, agent: GPAgent, per_pixel: PerPixel | None
) -> PixelByPixel | Flown:
    """Return how batches are measured: flown where a detector can, unless a plan for each pixel is given."""
    flyer = flyer_among("adaptive_map", detectors) if per_pixel is None else None
    return PixelByPixel(detectors, stage, agent, per_pixel) if flyer is None else Flown(flyer, agent)
