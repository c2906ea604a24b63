"""A detector of ophyd-async that writes its frames to a file, flown with the scan unit that visits the points."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bluesky.protocols import Hints, Reading, StreamAsset
from event_model import DataKey
from ophyd_async.core import (
    AsyncStatus,
    DetectorTrigger,
    FlyableLogic,
    Reference,
    StandardDetector,
    StandardFlyable,
    TriggerInfo,
)

from bluesky_gp.devices.ophyd_async.stage import AsyncPixelStage
from bluesky_gp.devices.pixels import checked_pixel, pixel_data_keys
from bluesky_gp.protocols import Batch

_Point = tuple[int, ...]


@dataclass
class BatchLogic(FlyableLogic[Batch, Any]):
    """Flies detector and scan unit together: a frame a point, in the order of the batch.

    Parameters
    ----------
    detector : StandardDetector
    scan : FlyableLogic
        Is prepared with a `Batch`.
    trigger, livetime, deadtime
        As in `TriggerInfo`.
    """

    detector: StandardDetector
    scan: FlyableLogic[Batch, Any]
    trigger: DetectorTrigger
    livetime: float
    deadtime: float
    points: list[_Point] = field(default_factory=list)  # of the frames that the open file has, or is to have
    told: int = 0  # of those in documents
    _parts: list["asyncio.Task[None]"] = field(default_factory=list)

    async def on_stage(self) -> None:
        """Have the detector open its file, so that it can be described."""
        await self.scan.on_stage()
        await self._open()

    async def on_prepare(self, value: Batch) -> Any:
        """Make both ready; after a flight that broke the frames go to a new file, from its first on."""
        if await self.detector.get_index() != len(self.points):
            await self.detector.unstage()
            await self._open()
        await self.detector.prepare(self._info(len(value.pixels)))
        self.points += value.pixels
        return await self.scan.on_prepare(value)

    async def on_kickoff(self, ctx: Any) -> Any:
        """Start both, the detector first: it may wait for triggers of the scan unit."""
        await self.detector.kickoff()
        return await self.scan.on_kickoff(ctx)

    async def on_complete(self, ctx: Any) -> None:
        """Wait for both; where one fails the other is not waited for."""
        parts = self.scan.on_complete(ctx), self.detector.complete()
        self._parts = [asyncio.ensure_future(_end(part)) for part in parts]
        done, pending = await asyncio.wait(self._parts, return_when=asyncio.FIRST_EXCEPTION)
        for part in pending:
            part.cancel()
        if any(part.cancelled() for part in done):
            raise RuntimeError(f"{self.detector.name}: stopped during the flight")
        for part in done:
            part.result()

    async def stop(self) -> None:
        """End a flight."""
        await self.scan.stop()
        for part in self._parts:
            part.cancel()

    async def on_unstage(self) -> None:
        """Leave the scan unit as it was, and close the file."""
        await self.stop()
        await self.scan.on_unstage()
        await self.detector.unstage()

    async def _open(self) -> None:
        self.points, self.told = [], 0
        await self.detector.stage()
        await self.detector.prepare(self._info(1))

    def _info(self, number: int) -> TriggerInfo:
        return TriggerInfo(
            trigger=self.trigger, livetime=self.livetime, deadtime=self.deadtime, number_of_events=number
        )


class AsyncFlyer(StandardFlyable[Batch, Any]):
    """Visits the points of a batch with a scan unit, while a detector of ophyd-async writes a frame of each to a file.

    Events have the pixel, ``STAGE_row`` and ``STAGE_col``; the detector's keys are in the file, and the documents say
    where. The agent reads its target from there, a number or, with a `scalarizer`, a spectrum.

    Parameters
    ----------
    detector : StandardDetector
        Writes HDF5 files. Its path provider must give a new name each time that it is asked.
    scan : FlyableLogic
        Is prepared with a `Batch`, and goes to its points one after another; triggered by the detector or triggering
        it.
    stage : AsyncPixelStage
        Whose grid the points are pixels of.
    trigger : DetectorTrigger, optional
        What starts an exposure. Default: the detector itself.
    livetime, deadtime : float, optional
        Seconds of an exposure, and between two; 0 is what the detector has.
    name : str, optional
        ``with init_devices():`` gives one.
    """

    def __init__(
        self,
        detector: StandardDetector,
        scan: FlyableLogic[Batch, Any],
        stage: AsyncPixelStage,
        *,
        trigger: DetectorTrigger = DetectorTrigger.INTERNAL,
        livetime: float = 0.0,
        deadtime: float = 0.0,
        name: str = "",
    ) -> None:
        self._detector, self._pixel_stage = Reference(detector), Reference(stage)
        self._scanning = (scan, trigger, livetime, deadtime)
        self._page: list[_Point] = []
        self.faults: Mapping[_Point, str] = {}
        super().__init__(name=name)

    @cached_property
    def flyable_logic(self) -> BatchLogic:
        """Logic of a flight."""
        return BatchLogic(self._detector(), *self._scanning)

    @property
    def pixel_stage(self) -> AsyncPixelStage:
        """Stage whose grid the points are pixels of."""
        return self._pixel_stage()

    @property
    def pixel_keys(self) -> tuple[str, ...]:
        """Event keys of the pixel."""
        return self.pixel_stage.pixel_keys

    def check_batch(self, batch: Batch) -> None:
        """Raise ValueError unless every point is a pixel of the grid."""
        for pixel in batch.pixels:
            checked_pixel(self.pixel_stage.name, self.pixel_stage.grid, pixel)

    async def describe_collect(self) -> dict[str, DataKey]:
        """Return the data keys of detector and pixel; nothing before it is staged, as nobody knows the detector's."""
        try:
            frames = await self._detector().describe_collect()
        except RuntimeError:
            return {}
        return {**frames, **pixel_data_keys(self.pixel_stage.name, self.pixel_stage.grid, "soft://")}

    async def collect_asset_docs(self) -> AsyncIterator[StreamAsset]:
        """Yield where the frames of the next page are."""
        logic, detector = self.flyable_logic, self._detector()
        index = min(await detector.get_index(), len(logic.points))
        async for doc in detector.collect_asset_docs(index):
            yield doc
        self._page, logic.told = logic.points[logic.told : index], index

    def collect_pages(self) -> Iterator[dict[str, Any]]:
        """Yield the pixels of the frames that were named last."""
        pixels, self._page, now = self._page, [], time.time()
        if pixels:
            columns = {key: [float(p[axis]) for p in pixels] for axis, key in enumerate(self.pixel_keys)}
            stamps = {key: [now] * len(pixels) for key in columns}
            yield {"time": [now] * len(pixels), "data": columns, "timestamps": stamps}

    @AsyncStatus.wrap
    async def stop(self, success: bool = True) -> None:
        """End the flight."""
        await self.flyable_logic.stop()

    async def describe_configuration(self) -> dict[str, DataKey]:
        """Describe the detector's configuration."""
        return await self._detector().describe_configuration()

    async def read_configuration(self) -> dict[str, Reading[Any]]:
        """Return the detector's configuration."""
        return await self._detector().read_configuration()

    @property
    def hints(self) -> Hints:
        """Tables and plots show what the detector hints at."""
        return self._detector().hints


async def _end(part: Awaitable[Any]) -> None:
    await part
