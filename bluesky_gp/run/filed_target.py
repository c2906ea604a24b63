"""A target whose values are in a file beside the events: read frame by frame, as the documents name them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any

from bluesky_gp.recording import FrameError, Frames
from bluesky_gp.run.outcomes import Outcome


class FiledTarget:
    """Reads the frames of a target, and minds what the record says of those that could not be read.

    Parameters
    ----------
    key : str
        Data key of the target.
    shape : sequence of int
        As the descriptor states it.
    """

    def __init__(self, key: str, shape: Sequence[int]) -> None:
        self.frames = Frames(key, shape)
        self._key = key
        self._unread: dict[int, str] = {}  # reasons, by place among the outcomes, that nobody has recorded so far

    def completed(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of an event with its frame, or with the `FrameError` that says why there is none."""
        try:
            frame: Any = self.frames.of(doc["descriptor"], int(doc["seq_num"]))
        except FrameError as error:
            frame = error
        return {**doc["data"], self._key: frame}

    def note(self, place: int, outcome: Outcome, data: Mapping[str, Any]) -> None:
        """Keep in mind an outcome whose frame could not be read, until it is recorded as rejected."""
        if isinstance(data[self._key], FrameError):
            self._unread[place] = outcome.reason

    def reject(self, outcomes: list[Outcome], pixel: int, reason: str) -> None:
        """Take over that the latest measurement of a pixel was rejected, though its frame can be read by now."""
        place = max((i for i, each in enumerate(outcomes) if each.pixel == pixel and not each.fault), default=-1)
        self._unread.pop(place, None)
        if place >= 0 and not outcomes[place].failed:
            outcomes[place] = replace(outcomes[place], value=nan, reason=reason)

    def check(self, uid: str) -> None:
        """Raise ValueError if frames cannot be read that could be when the run was measured.

        To be called at a decision of a record: by then, what was unreadable is recorded as rejected.
        """
        for reason in self._unread.values():
            raise ValueError(f"run {uid[:8]} was measured with frames that cannot be read any more: {reason}")
