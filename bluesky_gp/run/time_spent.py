"""Where the time of a run went: exposures, decisions, and all the rest."""

from dataclasses import dataclass
from math import isfinite

from bluesky_gp.run.record import RunRecord


@dataclass(frozen=True)
class TimeSpent:
    """Seconds of a run, as far as its record tells.

    Attributes
    ----------
    whole : float
        From the start document to the last event of a pixel, or to the stop document.
    exposing : float
        Exposures of the pixels that have an event, by the exposure in the detector's configuration; NaN if it has none.
    deciding : float
        Computing of the agent, while the instrument waited.
    """

    whole: float
    exposing: float
    deciding: float

    @property
    def rest(self) -> float:
        """Moves, settling, readout, documents, retries, pauses; exposures too where the record does not state them."""
        return max(self.whole - self.deciding - (self.exposing if isfinite(self.exposing) else 0.0), 0.0)

    def to_mapping(self) -> dict[str, float | None]:
        """Return plain data."""
        parts = {"whole": self.whole, "exposing": self.exposing, "deciding": self.deciding, "rest": self.rest}
        return {name: seconds if isfinite(seconds) else None for name, seconds in parts.items()}

    @classmethod
    def of(cls, record: RunRecord) -> "TimeSpent":
        """Return where the time of a recorded run went; what it inherited from others is not counted."""
        began, columns = record.start["time"], record.iterations
        last = max((outcome.seconds for outcome in record.outcomes), default=0.0)
        deciding = float(sum(columns["fit_time"]) + sum(columns["propose_time"])) if len(columns) else 0.0
        return cls(record.stop["time"] - began if record.stop else last, record.exposed, deciding)
