"""A batch that waits for a person before it is queued."""

import threading
import time
from collections.abc import Sequence

from bluesky_gp.grid import PixelGrid
from bluesky_gp.run import AGREE, EDIT, VETO, Action

Pixels = list[list[int]]


class Drafts:
    """The batch on the table, and what a person says of it: from another thread, by another program's request."""

    def __init__(self, grid: PixelGrid) -> None:
        self._grid = grid
        self._said = threading.Condition()
        self._draft: Pixels | None = None
        self._answer: Action | None = None

    @property
    def draft(self) -> Pixels | None:
        """The pixels that wait; None: nothing waits."""
        return self._draft

    def agree(self, who: str = "") -> None:
        """Have the batch queued as it is."""
        self._answered(Action(AGREE, {}, who, time.time()))

    def edit(self, pixels: Sequence[Sequence[int]], who: str = "") -> None:
        """Have other pixels queued in its place."""
        self._grid.ravel([list(pixel) for pixel in pixels])  # raises outside the grid
        self._answered(Action(EDIT, {"pixels": [[int(i) for i in pixel] for pixel in pixels]}, who, time.time()))

    def veto(self, who: str = "") -> None:
        """Have other pixels proposed; these are not proposed again."""
        self._answered(Action(VETO, {"pixels": self._draft or []}, who, time.time()))

    def _answered(self, answer: Action) -> None:
        with self._said:
            if self._draft is None:
                raise RuntimeError("no batch waits for a person")
            self._draft, self._answer = None, answer
            self._said.notify_all()

    def put(self, pixels: Pixels, wait: float) -> Action | None:
        """Lay a batch on the table and wait for an answer; None after `wait` seconds."""
        with self._said:
            self._draft, self._answer = pixels, None
            self._said.wait_for(lambda: self._answer is not None, wait)
            self._draft = None
            return self._answer
