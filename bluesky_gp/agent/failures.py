"""The readable of pixels that failed: stream ``gp_failures``, one event a pixel."""

from dataclasses import dataclass
from time import time
from typing import Any

from bluesky.protocols import Hints, Reading
from event_model import DataKey

from bluesky_gp.agent.data_keys import array, readings, text
from bluesky_gp.run import FAULT
from bluesky_gp.status import FutureStatus, finished


@dataclass(frozen=True)
class Failure:
    """A pixel, and why it could not be measured."""

    pixel: tuple[int, ...]
    reason: str
    kind: str = FAULT  # or `REJECTED`, `BY_HAND`, of `run.outcomes`


class Failures:
    """Says which pixel failed last; a plan sets it, then reads it into an event.

    It is set by a message, so that a rewind after a pause sets and reads the same failure again.

    Parameters
    ----------
    name : str
        Of the device and the stream, and the beginning of its keys.
    ndim : int
        Number of axes of a pixel.
    """

    parent = None

    def __init__(self, name: str, *, ndim: int) -> None:
        self.name = name
        self._ndim = ndim
        self._last = Failure((-1,) * ndim, "")
        self._timestamp = 0.0

    def set(self, failure: Failure) -> FutureStatus:
        """Take a failure; done at once."""
        if failure != self._last:
            self._last, self._timestamp = failure, time()
        return finished(self.name)

    def check_value(self, failure: Failure) -> None:
        """Refuse a pixel with a wrong number of axes."""
        if len(failure.pixel) != self._ndim:
            raise ValueError(f"{self.name}: a pixel has {self._ndim} axes, got {failure.pixel}")

    def read(self) -> dict[str, Reading[Any]]:
        """Return pixel, reason and kind."""
        last = self._last
        values = {"pixel": list(last.pixel), "reason": last.reason, "kind": last.kind}
        return readings({f"{self.name}_{key}": value for key, value in values.items()}, self._timestamp)

    def describe(self) -> dict[str, DataKey]:
        """Describe what `read` returns."""
        source = f"bluesky_gp:{self.name}"
        return {
            f"{self.name}_pixel": array(source, (self._ndim,), "<i8"),
            f"{self.name}_reason": text(source),
            f"{self.name}_kind": text(source),
        }

    @property
    def hints(self) -> Hints:
        """Nothing that a plot could show."""
        return {"fields": []}


def reason(error: BaseException) -> str:
    """Say in one line what went wrong: of a failed Status its cause, and whose Status it was."""
    cause = error.__cause__
    if cause is None or not error.args:
        return f"{type(error).__name__}: {error}"
    device = getattr(getattr(error.args[0], "device", None), "name", "")
    return f"{device + ': ' if device else ''}{type(cause).__name__}: {cause}"
