"""The half of an optimizer that has a memory, for people and for bluesky-adaptive: suggest, ingest, suggest."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.points import Points, listed
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.optimizer.told import Told
from bluesky_gp.protocols import Proposal
from bluesky_gp.settings import check_whole


class SuggestIngest(ABC):
    """Keeps the latest state over a pure half.

    It has what bluesky-adaptive 1.0 asks of an optimizer: `Optimizer`, `CanRegisterSuggestions`, `TrialFaultAware`,
    `SupportsStoppingCriteria` and `Checkpointable` of its protocols.
    """

    grid: PixelGrid
    target: str
    batch_size: int
    _points: Points
    _state: OptimizerState
    _told: Told

    @abstractmethod
    def learn(
        self, state: OptimizerState, points: Sequence[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]] = ()
    ) -> OptimizerState:
        """Return the state after `points` were measured and `failures` failed; changes nothing."""

    @abstractmethod
    def propose(
        self, state: OptimizerState, num_points: int, *, pending: Sequence[int] = ()
    ) -> Proposal[OptimizerState]:
        """Choose pixels; changes nothing."""

    @abstractmethod
    def stop_reason(self, state: OptimizerState) -> str:
        """Why there is nothing more to measure; empty if there is."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the settings as plain data."""

    def suggest(self, num_points: int | None = None, *, pending: Sequence[int] = ()) -> list[dict[str, Any]]:
        """Propose pixels; asked twice, it answers the same.

        Parameters
        ----------
        num_points : int, optional
            Default: `batch_size`.
        pending : sequence of int
            Flat indices of pixels under way, counted as measured at their predicted mean.

        Returns
        -------
        list of dict
            ``[{"_id": 640, "row": 12, "col": 40}, ...]``; empty when there is nothing more to measure.
        """
        num = self.batch_size if num_points is None else num_points
        check_whole("PixelOptimizer", "num_points", num, 0)
        proposal = self.propose(self._state, num, pending=pending)
        self._state = proposal.state  # the same knowledge; it remembers the columns that `ingest` would compute again
        return [
            {"_id": int(index), **dict(zip(self.grid.axes, pixel.tolist(), strict=True))}
            for index, pixel in zip(self.grid.ravel(proposal.pixels), proposal.pixels, strict=True)
        ]

    def ingest(self, points: Sequence[Mapping[str, Any]]) -> None:
        """Learn measured points, ``{"_id": 640, target: 1.7}`` or ``{"row": 12, "col": 40, target: 1.7}``.

        They need not have been suggested. A target of NaN is a pixel that failed.
        """
        self._state = self.learn(self._state, points)
        self._told.add(points, ())

    def register_failures(self, points: Sequence[Mapping[str, Any]]) -> None:
        """Learn that pixels failed: they are not proposed again and count as measured at their predicted mean.

        A value that one of them had is forgotten.
        """
        self._state = self.learn(self._state, (), points)
        self._told.add((), points)

    def register_suggestions(self, suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return a person's pixels, ``{"row": 12, "col": 40}``, with the ``_id`` that bluesky-adaptive wants."""
        return [{**point, "_id": self._points.index(point)} for point in listed(suggestions)]

    def should_stop(self) -> tuple[bool, str | None]:
        """Return whether there is nothing more to measure, and why: a stopping rule fired, or no pixel is left.

        Asked by the plans of bluesky-adaptive after each batch.
        """
        reason = self.stop_reason(self._state)
        return bool(reason), reason or None

    def get_best_points(self) -> list[tuple[int, dict[str, int], dict[str, float]]]:
        """Return ``[(_id, {"row": ..., "col": ...}, {target: ...})]``, as bluesky-adaptive wants it."""
        pixel = self._state.best_pixel
        if pixel is None:
            return []
        coordinates = dict(zip(self.grid.axes, pixel, strict=True))
        return [(int(self.grid.ravel([pixel])[0]), coordinates, {self.target: self._state.best_value})]

    def checkpoint(self) -> None:
        """Write the settings and all that was learnt to the file given as ``PixelOptimizer(..., checkpoint=...)``."""
        self._told.write(self.describe(), self._state)
