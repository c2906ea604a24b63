"""Maps as images: a byte a pixel between a lowest and a highest value, which a browser colours as it likes."""

import json
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats

_CUT = {"mean": 0.0, "std": 0.0, "acquisition": 0.02}  # share of a map that takes the colour of the ends
_LEVELS = 254  # of a number; the byte 0 is no number


@dataclass(frozen=True)
class Frame:
    """The maps of one decision, packed to be sent."""

    decision: int
    source: str  # "recorded" or "recalled"
    body: bytes  # deflated

    @classmethod
    def of(cls, decision: int, source: str, maps: Mapping[str, Floats], **more: object) -> "Frame":
        """Pack maps: a line of JSON that says what follows, then their bytes."""
        images = {name: image(values, _CUT.get(name, 0.0)) for name, values in maps.items()}
        about = [{"name": name, "low": low, "high": high} for name, (low, high, _) in images.items()]
        head = json.dumps({"decision": decision, "source": source, "maps": about, **more}).encode("ascii")
        raw = b"".join([head, b"\n", *(levels.tobytes() for _, _, levels in images.values())])
        return cls(decision, source, zlib.compress(raw, 1))


def image(values: Floats, cut: float = 0.0) -> tuple[float | None, float | None, npt.NDArray[np.uint8]]:
    """Return the lowest and the highest value that are told apart, and levels of them; 0: not a number.

    Parameters
    ----------
    values : ndarray
    cut : float
        Share of the values, at the lower end, that are not told apart: an acquisition function falls without end.
    """
    known = np.isfinite(values)
    levels = np.where(np.isnan(values), 0, 1).astype(np.uint8)
    if not known.any():
        return None, None, levels
    low, high = float(np.quantile(values[known], cut)), float(values[known].max())
    span = (high - low) or 1.0
    with np.errstate(invalid="ignore"):
        scaled = 1.0 + _LEVELS * np.clip((values - low) / span, 0.0, 1.0)
    levels[~np.isnan(values)] = np.rint(scaled[~np.isnan(values)]).astype(np.uint8)
    return low, high, levels


class FrameStore:
    """The frames that were made lately, by run and decision: as many as the memory that they may take holds."""

    def __init__(self, largest: int = 2**28) -> None:
        self._largest = largest
        self._frames: dict[tuple[str, int], Frame] = {}
        self._made: set[tuple[str, int]] = set()
        self._size = 0
        self._guard = threading.Lock()

    def get(self, uid: str, decision: int) -> Frame | None:
        """Return a frame that is kept."""
        return self._frames.get((uid, decision))

    @property
    def made(self) -> set[tuple[str, int]]:
        """Runs and decisions of the frames that are kept, or were and are let go."""
        return self._made

    def put(self, uid: str, frame: Frame) -> None:
        """Keep a frame, those put in first are let go."""
        with self._guard:
            if (uid, frame.decision) in self._frames:
                return
            self._frames[uid, frame.decision] = frame
            self._made.add((uid, frame.decision))
            self._size += len(frame.body)
            while self._size > self._largest and len(self._frames) > 1:
                self._size -= len(self._frames.pop(next(iter(self._frames))).body)

    def nearest(self, uid: str, decision: int) -> Frame | None:
        """Return the kept frame of the decision that is nearest, the earlier of two."""
        kept = [number for of_run, number in self._frames if of_run == uid]
        return self._frames.get((uid, min(kept, key=lambda number: (abs(number - decision), number)))) if kept else None
