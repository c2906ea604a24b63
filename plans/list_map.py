"""A list of pixels: what an agent elsewhere, or a person, wants measured."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import bluesky.preprocessors as bpp
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.agent import reason
from bluesky_gp.grid import PixelGrid
from bluesky_gp.plans.arguments import (
    check_per_pixel,
    check_stage,
    checked_detectors,
    checked_grid,
    checked_pixels,
    returned,
)
from bluesky_gp.plans.metadata import described, map_metadata
from bluesky_gp.plans.queueable import DETECTORS, GRID, METADATA, PER_PIXEL, STAGE, queueable
from bluesky_gp.plans.reach import check_reach
from bluesky_gp.plans.stages import AnyStage, StageOrMotors, as_stage, devices_of
from bluesky_gp.plans.stubs import FAULTS, TooManyFailures, measure_pixels, one_pixel
from bluesky_gp.plans.typing import PerPixel, Pixel, plan

logger = logging.getLogger("bluesky_gp")


@queueable(
    "Measure some pixels of a stage, one after another.",
    detectors=DETECTORS,
    stage=STAGE,
    pixels={"annotation": "typing.List[typing.List[int]]", "description": "Rows and columns: [[3, 17], [4, 18]]."},
    grid=GRID,
    per_pixel=PER_PIXEL,
    max_failures={"annotation": "int", "min": 1, "description": "So many pixels in a row that fail end the run."},
    md=METADATA,
)
@plan
def list_map(
    detectors: Sequence[Readable[Any]],
    stage: StageOrMotors,
    pixels: Sequence[Sequence[int]],
    *,
    grid: PixelGrid | Mapping[str, Any] | None = None,
    per_pixel: PerPixel | None = None,
    max_failures: int = 5,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Measure some pixels of `stage`, one after another, in a run of their own.

    A pixel that fails by a fault of the instrument is logged and has no event; the run goes on.

    Parameters
    ----------
    detectors : sequence of Readable
    stage : PixelStage or pair of Movables
    pixels : sequence of (row, col)
    grid : PixelGrid or mapping, optional
        For a pair of Movables, which have none.
    per_pixel : callable, optional
        ``f(detectors, stage, agent, pixel)`` with an agent of None. Default: `stubs.one_pixel`.
    max_failures : int
        So many pixels in a row that fail raise `TooManyFailures`.
    md : mapping, optional
        Metadata.

    Returns
    -------
    str
        Uid of the run.
    """
    detectors = checked_detectors("list_map", detectors)
    check_stage("list_map", stage)
    check_per_pixel("list_map", per_pixel)
    where = as_stage(stage, checked_grid("list_map", grid))
    visited = checked_pixels("list_map", where.grid, pixels)
    yield from check_reach(where)
    rows, lattice = [list(pixel) for pixel in visited], where.grid.to_mapping()
    args = {"pixels": rows, "grid": lattice, **described(detectors, where)}

    @bpp.stage_decorator([*detectors, *devices_of(where)])
    @bpp.run_decorator(md=map_metadata(detectors, where, "list_map", len(visited), args, md))
    def run() -> MsgGenerator[None]:
        forgiving = _forgiving(per_pixel or one_pixel, max_failures)
        yield from measure_pixels(detectors, where, None, visited, per_pixel=forgiving)

    uid: str = yield from run()
    return uid


def _forgiving(per_pixel: PerPixel, max_failures: int) -> PerPixel:
    """Go on after a pixel that failed; nobody is there to be told."""
    failed: list[Pixel] = []

    def forgiving(detectors: Sequence[Readable[Any]], stage: AnyStage, agent: Any, pixel: Pixel) -> MsgGenerator[None]:
        try:
            yield from returned(per_pixel, detectors, stage, agent, pixel)
            failed.clear()
        except FAULTS as error:
            logger.warning("list_map: pixel %s failed: %s", pixel, reason(error))
            failed.append(pixel)
            if len(failed) >= max_failures:
                raise TooManyFailures(f"{max_failures} pixels in a row failed, the last {pixel}") from error

    return forgiving
