"""Other people's optimizers under an agent: any that suggests points and is told what became of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.told_state import Answers, Question, ToldState
from bluesky_gp.protocols import Proposal
from bluesky_gp.typing import Floats, Indices

Point = Mapping[str, Any]


TRIES = 10  # questions for one batch, while what is suggested was measured before


class SuggestsAndIngests(Protocol):
    """The optimizers of bluesky-adaptive 1.0: `AxOptimizer`, `XoptOptimizer`, `ScipyOptimizer`, and adapters like them.

    Points are mappings, the coordinates under the names of the grid's axes in pixels. `suggest` may add an ``_id``.
    """

    def suggest(self, num_points: int | None = None) -> Sequence[Point]:
        """Return points to measure."""
        ...

    def ingest(self, points: Sequence[Point]) -> None:
        """Learn what was measured."""
        ...


@dataclass(frozen=True)
class _Live:
    """An optimizer, the history that it has gone through, and the names that it gave to pixels."""

    optimizer: SuggestsAndIngests
    history: tuple[Question | Answers, ...] = ()
    ids: dict[int, Any] = field(default_factory=dict)  # by flat index, where the suggestion was that pixel


class AskTell:
    """Drives an optimizer that suggests and ingests as `GPAgent` drives ours.

    Its state is all that it was asked and told; to go back to an earlier one, or on with a recorded run, a new
    optimizer is made, asked and told the same once more. A suggestion goes to the nearest pixel; one that was measured
    before is answered at once with its value, and the next is asked for.

    Parameters
    ----------
    make : callable
        Returns the optimizer, with its search space and its seed: rows from 0 to ``shape[0] - 1`` and so on.
    grid : PixelGrid
    target : str
        Key of the measured number in the points that the optimizer is told.
    batch_size : int
    name : str, optional
        What a record says of the optimizer. Default: its class.

    Examples
    --------
    >>> class Rows:
    ...     def suggest(self, num_points=None):
    ...         return [{"row": 1.2 * i, "col": 0.0} for i in range(num_points or 1)]
    ...     def ingest(self, points):
    ...         pass
    >>> optimizer = AskTell(Rows, PixelGrid((4, 4)), "height", batch_size=3)
    >>> optimizer.propose(optimizer.state, 3).pixels.tolist()
    [[0, 0], [1, 0], [2, 0]]
    """

    others: Sequence[str] = ()

    def __init__(
        self,
        make: Callable[[], SuggestsAndIngests],
        grid: PixelGrid,
        target: str,
        *,
        batch_size: int = 1,
        name: str | None = None,
    ) -> None:
        self.grid, self.target, self.batch_size = grid, target, batch_size
        self._make = make
        self._live = _Live(make())
        self._name = type(self._live.optimizer).__name__ if name is None else name
        self._state = self.beginning

    @property
    def theta_names(self) -> list[str]:
        """No hyperparameter is known."""
        return []

    @property
    def state(self) -> ToldState:
        """All that it was asked and told."""
        return self._state

    @property
    def beginning(self) -> ToldState:
        """The state before the first pixel."""
        return ToldState(self.grid, self.target)

    def points(self, state: ToldState) -> list[dict[str, Any]]:
        """Return what a state was told; a failed pixel has a target of NaN."""
        return [{"_id": pixel, self.target: value} for pixel, value in state.values.items()]

    def restore(self, state: ToldState) -> None:
        """Go on from `state`."""
        self._state = state

    def learn(
        self, state: ToldState, points: Sequence[Point], failures: Sequence[Point] = (), *, final: bool = False
    ) -> ToldState:
        """Return the state after `points` were measured and `failures` failed."""
        told = {int(p["_id"]): float(p[self.target]) for p in points} | {int(f["_id"]): np.nan for f in failures}
        return state.after(Answers(tuple(told.items()))) if told else state

    def propose(
        self, state: ToldState, num_points: int, *, pending: Sequence[int] = (), stopping: bool = True
    ) -> Proposal[ToldState]:
        """Ask the optimizer, and put each of its suggestions on a pixel."""
        if not len(state.free(pending)):
            return Proposal.nothing(self.grid, state, "no pixel left")
        live = self._at(state.history)
        if stopping and (reason := _stop_reason(live.optimizer)):
            return Proposal.nothing(self.grid, state, reason)
        batch, state = self._batch(state, num_points, pending)
        pixels = self.grid.unravel(np.array(batch, dtype=np.intp))
        none = np.full(len(pixels), np.nan)
        ranking = np.full(self.grid.shape, np.nan)
        return Proposal(pixels, none, none, none, ranking, "" if batch else "nothing more was suggested", state)

    def _batch(self, state: ToldState, num: int, pending: Sequence[int]) -> tuple[list[int], ToldState]:
        """Ask until there are so many new pixels: a suggestion that was measured before is answered at once."""
        batch: list[int] = []
        for tries in range(TRIES):
            free, known = state.free([*pending, *batch]), list(state.measured)
            asked = self._ask(self._at(state.history), num - len(batch), free, known if tries < TRIES - 1 else [])
            state = state.after(asked)
            self._live = replace(self._live, history=state.history)
            batch += [pixel for pixel in asked.pixels if pixel not in state.values]
            if answers := tuple((pixel, state.values[pixel]) for pixel in asked.pixels if pixel in state.values):
                state = state.after(Answers(answers))
            if not asked.pixels or len(batch) >= num or not len(state.free([*pending, *batch])):
                break
        return batch, state

    def expected_seconds(self, state: ToldState) -> float:
        """Return that nobody knows how long it takes."""
        return 0.0

    def describe(self) -> dict[str, Any]:
        """Return plain data for the start document."""
        return {
            "grid": self.grid.to_mapping(),
            "optimizer_target": self.target,
            "optimizer": self._name,
            "batch_size": int(self.batch_size),
        }

    def _ask(self, live: _Live, num: int, free: Indices, known: Sequence[int]) -> Question:
        """Ask once, and put each suggestion on the nearest of the pixels that are free or known."""
        suggestions = live.optimizer.suggest(num)
        taken: list[int] = []
        for suggestion in suggestions[:num]:
            left = np.array([pixel for pixel in (*free, *known) if pixel not in taken], dtype=np.intp)
            if not len(left):
                break
            taken.append(int(left[np.linalg.norm(self.grid.unravel(left) - self._place(suggestion), axis=1).argmin()]))
        self._remember(live, suggestions, taken)
        return Question(num, tuple(taken))

    def _at(self, history: tuple[Question | Answers, ...]) -> _Live:
        """Return an optimizer that has gone through a history: the one at hand, or a new one."""
        known = len(self._live.history)
        live = self._live if self._live.history == history[:known] else _Live(self._make())
        for step in history[len(live.history) :]:
            if isinstance(step, Question):
                self._remember(live, live.optimizer.suggest(step.num), step.pixels)
            else:
                self._tell(live, step)
        self._live = replace(live, history=history)
        return self._live

    def _remember(self, live: _Live, suggestions: Sequence[Point], pixels: Sequence[int]) -> None:
        """Note the names of suggestions; one that was moved to another pixel is not the same any more."""
        for suggestion, pixel in zip(suggestions, pixels, strict=False):
            nearest = np.abs(self._place(suggestion) - self.grid.unravel([pixel])[0]).max() <= 0.5
            if nearest and "_id" in suggestion:
                live.ids[pixel] = suggestion["_id"]

    def _tell(self, live: _Live, answers: Answers) -> None:
        """Tell the values of pixels, each under the name that the optimizer gave it."""
        points = {pixel: self._point(live, pixel) for pixel, _ in answers.values}
        good = [{**points[pixel], self.target: value} for pixel, value in answers.values if np.isfinite(value)]
        failed = [points[pixel] for pixel, value in answers.values if not np.isfinite(value)]
        failed = [point for point in failed if "_id" in point or not live.ids]  # one that gives names wants them back
        if good:
            live.optimizer.ingest(good)
        if failed and hasattr(live.optimizer, "register_failures"):
            live.optimizer.register_failures(failed)

    def _point(self, live: _Live, pixel: int) -> dict[str, Any]:
        place = dict(zip(self.grid.axes, map(float, self.grid.unravel([pixel])[0]), strict=True))
        return {**({"_id": live.ids[pixel]} if pixel in live.ids else {}), **place}

    def _place(self, suggestion: Point) -> Floats:
        return np.array([float(suggestion[axis]) for axis in self.grid.axes])


def _stop_reason(optimizer: Any) -> str:
    """Why it wants to stop, if it can tell as bluesky-adaptive asks it; empty otherwise."""
    stop, why = optimizer.should_stop() if hasattr(optimizer, "should_stop") else (False, None)
    return (why or "the optimizer stopped") if stop else ""
