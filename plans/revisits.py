"""Landmarks that are measured, for the correction of drift: their exposures, events and values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bluesky.protocols import Readable, Triggerable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.drift import CROSS, MapModel, Revisit, steepest
from bluesky_gp.plans.arrival import check_arrival
from bluesky_gp.plans.origins import Origin
from bluesky_gp.plans.stages import AnyStage, devices_of, moves_to
from bluesky_gp.plans.stubs import FAULTS
from bluesky_gp.plans.typing import Pixel
from bluesky_gp.plans.waiting import answered, start_and_wait
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class Revisitor:
    """What it takes to measure landmarks of a map."""

    detectors: Sequence[Readable[Any]]
    stage: AnyStage
    agent: GPAgent
    origin: Origin

    def chosen(self, number: int, window: float) -> Indices:
        """Return landmarks and the pixels around each, shape ``(k, 2)``; none where the map is not known or flat."""
        state = self.agent.optimizer.state
        usable = state.grid.allowed.reshape(state.grid.shape).copy()
        if state.barred is not None:
            usable &= ~state.barred.reshape(usable.shape)
        centers = steepest(state.mean, state.noise_std, usable, number, window)
        return np.asarray((centers[:, None] + CROSS).reshape(-1, 2))

    def look(self, pixels: Indices, stream: str) -> MsgGenerator[Revisit | None]:
        """Measure pixels, each an event of a stream; None in a simulated plan."""
        shift = yield from self.origin.shift()
        if shift is None:
            return None
        known, seen = self.agent.n_heard, []
        for pixel in pixels.tolist():
            one = yield from self._measure(tuple(pixel), stream)
            if one is None:
                return None
            seen.append(one)
        values, times = np.transpose(seen)
        took = float(np.nanmax(times) - np.nanmin(times)) if np.isfinite(times).any() else 0.0
        pace = took / max(len(times) - 1, 1)  # the pixels before took as long each, but for decisions
        return Revisit(
            pixels.astype(np.float64), values, float(np.nanmean(times)), 0.5 * (took + known * pace), shift, self._model
        )

    def _measure(self, pixel: Pixel, stream: str) -> MsgGenerator[tuple[float, float] | None]:
        """Return value and time of a pixel, NaN where the instrument fails; None in a simulated plan."""
        readables = [*self.detectors, *devices_of(self.stage)]
        yield Msg("checkpoint")
        try:
            yield from start_and_wait([Msg("set", each, value) for each, value in moves_to(self.stage, pixel)])
            yield from start_and_wait([Msg("trigger", each) for each in readables if isinstance(each, Triggerable)])
            reading: dict[str, Any] = {}
            for device in readables:
                reading |= yield from answered(device)
            check_arrival(self.stage, reading, pixel)
        except FAULTS:  # if the instrument is broken, the next pixel says so
            return np.nan, np.nan
        if not reading:
            return None
        yield Msg("create", None, name=stream)
        for device in readables:
            yield Msg("read", device)
        yield Msg("save")
        value = self.agent.value_in({key: entry["value"] for key, entry in reading.items()})
        return value, float(reading[self.agent.target]["timestamp"])

    @property
    def _model(self) -> MapModel:
        state = self.agent.optimizer.state
        # What an image says is of whole pixels alone.
        lattice: Any = getattr(state.covariance, "base", state.covariance)

        def covariance(x: Floats, y: Floats) -> Floats:
            return np.asarray(lattice.kernel(x, y))

        return MapModel(covariance, float(state.covariance.noise), state.units.inward)
