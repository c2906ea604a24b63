"""Where the time of a run went: exposures, moves, waiting for decisions, documents, and all the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from bluesky_gp.run.record import RunRecord


@dataclass(frozen=True)
class TimeSpent:
    """Seconds of a run, as far as its record tells.

    Attributes
    ----------
    whole : float
        From the start document to the last event of a pixel, or to the stop document.
    exposing : float
        Exposures and flights, as the plan saw them pass; where it did not count them, exposures of the pixels that have
        an event, by the exposure in the detector's configuration; NaN if it has none.
    deciding : float
        Computing of the agent.
    moving, waiting, recording : float
        Moves with their settling; waiting for decisions, less than `deciding` where they overlap with
        measurements; readings and documents. NaN where the plan did not count them.
    """

    whole: float
    exposing: float
    deciding: float
    moving: float = nan
    waiting: float = nan
    recording: float = nan

    @property
    def idle(self) -> float:
        """Waiting for decisions; where nobody counted that, as long as they took."""
        return self.waiting if isfinite(self.waiting) else self.deciding

    @property
    def rest(self) -> float:
        """All else: retries, pauses, and what the record does not state."""
        parts = (self.exposing, self.moving, self.idle, self.recording)
        return max(self.whole - sum(part for part in parts if isfinite(part)), 0.0)

    @property
    def advice(self) -> str:
        """What overlapping decisions with measurements saved, or would save, in words; empty: less than a twentieth."""
        hidden = self.deciding - self.idle
        if hidden > 0.05 * self.whole:
            return f"overlap saved {hidden:.3g} s of waiting for decisions"
        batches = max(self.exposing if isfinite(self.exposing) else self.whole - self.deciding, 0.0)
        if self.idle <= 0.05 * self.whole or not batches > 0:
            return ""
        waited, most = self.idle / self.whole, min(self.idle, batches) / self.whole
        return (
            f"decisions took {self.deciding:.3g} s, batches {batches:.3g} s: the instrument waited {waited:.0%} of the "
            f"time; adaptive_map(..., overlap=True) would save up to {most:.0%}, larger batches as well"
        )

    def to_mapping(self) -> dict[str, float | None]:
        """Return plain data."""
        names = ("whole", "exposing", "moving", "deciding", "waiting", "recording", "rest")
        parts = {name: float(getattr(self, name)) for name in names}
        return {name: seconds if isfinite(seconds) else None for name, seconds in parts.items()}

    @classmethod
    def of(cls, record: RunRecord) -> "TimeSpent":
        """Return where the time of a recorded run went; what it inherited from others is not counted."""
        began, columns = record.start["time"], record.iterations
        last = max((outcome.seconds for outcome in record.outcomes), default=0.0)
        deciding = float(sum(columns["fit_time"]) + sum(columns["propose_time"])) if len(columns) else 0.0
        exposing, moving, waiting, recording = (
            _last(columns, f"{name}_time") for name in ("exposing", "moving", "waiting", "recording")
        )
        whole = record.stop["time"] - began if record.stop else last
        return cls(whole, exposing if isfinite(exposing) else record.exposed, deciding, moving, waiting, recording)


def _last(columns: Mapping[str, Any], name: str) -> float:
    return float(columns[name][-1]) if name in columns and len(columns[name]) else nan
