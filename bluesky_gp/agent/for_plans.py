"""The half of an agent that plans look at between their messages."""

from collections.abc import Iterable, Mapping
from typing import Any

from bluesky_gp.agent.failures import Failure
from bluesky_gp.agent.from_files import FromFiles
from bluesky_gp.agent.hands import Hands
from bluesky_gp.agent.review import Question
from bluesky_gp.agent.values import Values
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.run import Decision, Doing, LearntValues, Outcome, Resumed


class ForPlans(FromFiles):
    """Says of the run what a plan has to know, and is told by it where the time went."""

    name: str
    optimizer: AnyOptimizer
    hands: Hands
    values: Values
    _marks: list[Failure]

    @property
    def marks(self) -> tuple[Failure, ...]:
        """Pixels that were marked as failed by hand and are not in a record yet."""
        return tuple(self._marks)

    @property
    def unrecorded_values(self) -> list[LearntValues]:
        """Values of its own scalarizer that the latest decision learnt and that are not in the record yet."""
        return [] if self._run is None else self._run.learnt_values(self.values.room)

    @property
    def left(self) -> Resumed | None:
        """What a run begins with that goes on where the latest stands; None before the first."""
        return None if self._run is None else self._run.left

    @property
    def is_deaf(self) -> bool:
        """Whether nothing was heard since the latest decision, and nothing waits: the next answer is the same."""
        return self._run is None or not (self._run.is_told or self._marks or self.hands.waiting)

    def question(self, seconds: float | None) -> Question:
        """Return the question whether the latest batch is to be measured; after `seconds` it is, None: it waits."""
        latest = None if self._run is None else self._run.latest
        if latest is None:
            raise RuntimeError(f"{self.name}: there is no batch before the first question")
        return Question.about(self.name, latest, seconds)

    def is_left_out(self, pixel: Iterable[int]) -> bool:
        """Whether a person marked or forbade a pixel since it was proposed."""
        place = tuple(pixel)
        marked = any(mark.pixel == place for mark in self._marks)
        return marked or (self._run is not None and self._run.is_barred(place, self.hands.waiting))

    def rejection(self, pixel: Iterable[int]) -> str:
        """Why the measurement heard last, that of `pixel`, was rejected; empty if it was not."""
        flat = self._flat(pixel)
        return "" if self._run is None else self._run.heard.rejection(flat)

    def worthwhile_looks(self, pixel: Iterable[int]) -> int:
        """Return how many looks at a pixel teach more of the map a second than going on after fewer."""
        flat = self._flat(pixel)
        return 1 if self._run is None else self._run.looks_at(flat)

    @property
    def n_learnt(self) -> int:
        """Number of values that the latest decision has learnt."""
        latest = None if self._run is None else self._run.latest
        return 0 if latest is None else latest.state.n_measured

    def worthwhile_exposure(self, pixel: Iterable[int], *, usual: bool = False) -> float:
        """Return for how many seconds a pixel is to be exposed to teach most of the map a second; or what is usual.

        Raises
        ------
        TypeError
            If the optimizer takes all values for equally noisy.
        """
        seconds = getattr(self.optimizer, "exposure", None)
        if seconds is None:
            raise TypeError(
                f"{self.name}: exposures of unequal length need an optimizer that heeds them: PixelOptimizer(..., "
                f"exposure=0.1), the seconds of the exposure that is usual"
            )
        flat = self._flat(pixel)
        return float(seconds) if self._run is None or usual else self._run.exposure_at(flat, seconds)

    def _flat(self, pixel: Iterable[int]) -> int:
        return int(self.optimizer.grid.ravel([tuple(pixel)])[0])

    def count(self, doing: Doing, seconds: float) -> None:
        """Take note of what the run that it steers spent so many seconds on; it stands in the next decision's event."""
        if self._run is not None:
            self._run.count(doing, seconds)

    @property
    def knows_values(self) -> bool:
        """Whether `value_in` can tell a value by now."""
        return self._run is not None and self._run.heard.knows_values

    def value_in(self, data: Mapping[str, Any]) -> float:
        """Return the value that it would learn of an event with these data, NaN where it is no good.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self._run is None:
            raise ValueError(f"{self.name}: it hears no run, which says what a value is")
        return self._run.heard.value_in(data)

    @property
    def n_heard(self) -> int:
        """Number of outcomes heard so far, those that the run inherited included."""
        return 0 if self._run is None else len(self._run.heard.outcomes)

    def heard_since(self, number: int) -> list[Outcome]:
        """Return the outcomes heard after the first so many."""
        return [] if self._run is None else self._run.heard.outcomes[number:]

    @property
    def nothing_learnt(self) -> str:
        """That of ten pixels or more not one has a value, and why the latest has none; empty otherwise."""
        return "" if self._run is None else self._run.nothing_learnt

    @property
    def faults_in_a_row(self) -> int:
        """Number of the latest pixels, in a row, that failed by a fault of the instrument."""
        return 0 if self._run is None else self._run.heard.faults_in_a_row

    def _keep(self, decision: Decision) -> None:
        """Have the optimizer hold what a decision knew, now that it is recorded."""
        self.optimizer.restore(decision.state)
