"""The full map and the coarse map: row by row, to compare with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import bluesky.preprocessors as bpp
import numpy as np
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.grid import PixelGrid
from bluesky_gp.plans.arguments import check_per_pixel, check_stage, checked_detectors, checked_grid, whole_number
from bluesky_gp.plans.flying import declare_flyer, fly_batch, flyer_among
from bluesky_gp.plans.metadata import described, map_metadata
from bluesky_gp.plans.queueable import DETECTORS, GRID, METADATA, PER_PIXEL, STAGE, queueable
from bluesky_gp.plans.reach import check_reach
from bluesky_gp.plans.stages import StageOrMotors, as_stage, devices_of
from bluesky_gp.plans.stubs import measure_pixels
from bluesky_gp.plans.typing import PerPixel, Pixel, plan
from bluesky_gp.protocols import Batch, BatchFlyer


@queueable(
    "Measure every pixel of a stage, or every so-manyth, row by row.",
    detectors=DETECTORS,
    stage=STAGE,
    grid=GRID,
    every={"annotation": "int", "min": 1, "description": "1: the full map; 5: every fifth row and column."},
    snake={"annotation": "bool", "description": "Go back and forth."},
    per_pixel=PER_PIXEL,
    md=METADATA,
)
@plan
def raster_map(
    detectors: Sequence[Readable[Any]],
    stage: StageOrMotors,
    *,
    grid: PixelGrid | Mapping[str, Any] | None = None,
    every: int = 1,
    snake: bool = True,
    per_pixel: PerPixel | None = None,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Measure every pixel of `stage` that is not masked, or every so-manyth along each axis.

    Parameters
    ----------
    detectors : sequence of Readable
    stage : PixelStage or pair of Movables
    grid : PixelGrid or mapping, optional
        For a pair of Movables, which have none.
    every : int
        1: the full map; 5: every fifth row and column.
    snake : bool
        Go back and forth instead of flying back after each row.
    per_pixel : callable, optional
        ``f(detectors, stage, agent, pixel)`` with an agent of None. Default: `stubs.one_pixel`; a detector that visits
        a list of points by itself is flown instead, line by line.
    md : mapping, optional
        Metadata.

    Returns
    -------
    str
        Uid of the run.
    """
    detectors = checked_detectors("raster_map", detectors, stage)
    every = whole_number("raster_map", "every", every)
    check_stage("raster_map", stage)
    lattice = checked_grid("raster_map", grid)
    check_per_pixel("raster_map", per_pixel)
    if every < 1:
        raise ValueError(f"raster_map: every must be at least 1, got {every}")
    stage = as_stage(stage, lattice)
    flyer = flyer_among("raster_map", detectors) if per_pixel is None else None
    pixels = list(raster_pixels(stage.grid, every=every, snake=snake))
    yield from check_reach(stage)
    plan_args = {"every": every, "snake": snake, "grid": stage.grid.to_mapping(), **described(detectors, stage)}
    shape = [len(range(0, n, every)) for n in stage.grid.shape]

    @bpp.stage_decorator([*detectors, *devices_of(stage)])
    @bpp.run_decorator(md=map_metadata(detectors, stage, "raster_map", len(pixels), plan_args, md, shape))
    def run() -> MsgGenerator[None]:
        if flyer is None:
            yield from measure_pixels(detectors, stage, None, pixels, per_pixel=per_pixel)
        else:
            yield from _fly_lines(flyer, stage.grid, pixels)

    uid: str = yield from run()
    return uid


def _fly_lines(flyer: BatchFlyer, grid: PixelGrid, pixels: Iterable[Pixel]) -> MsgGenerator[None]:
    yield from declare_flyer(flyer)
    for _, line in groupby(pixels, key=lambda pixel: pixel[:-1]):
        yield from fly_batch(flyer, Batch(grid, tuple(line)))


def raster_pixels(grid: PixelGrid, *, every: int = 1, snake: bool = True) -> Iterator[Pixel]:
    """Yield the pixels of a raster scan in the order of their visit, masked ones left out."""
    allowed = grid.allowed.reshape(grid.shape)
    *slow, fast = (range(0, n, every) for n in grid.shape)
    for number, row in enumerate(np.ndindex(*map(len, slow))):
        line = reversed(fast) if snake and number % 2 else fast
        for last in line:
            pixel = (*(steps[i] for steps, i in zip(slow, row, strict=True)), last)
            if allowed[pixel]:
                yield pixel
