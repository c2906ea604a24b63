"""The agent: hears a run's documents, and is asked for pixels as a detector is for counts.

The only file that knows both documents and the optimizer.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from bluesky.protocols import Hints, Reading
from event_model import DataKey, DocumentRouter, Event, EventDescriptor, RunStart, RunStop

from bluesky_gp.decision import Decision, beginning, decide
from bluesky_gp.failures import Failures
from bluesky_gp.heard import Axes, HeardRun, Listener, Outcome
from bluesky_gp.maps import Maps
from bluesky_gp.protocols import Optimizer, Scalarizer
from bluesky_gp.readings import DecisionRecord, readings
from bluesky_gp.status import DaemonExecutor, FutureStatus, finished

SCHEMA_VERSION = 1
SMALL = 64 * 64  # pixels; on larger grids the maps are written every tenth iteration


@dataclass(frozen=True)
class Assignment:
    """What a plan tells the agent before the first question.

    Parameters
    ----------
    num : int or None
        The number of pixels that the run attempts; after that many, the agent proposes nothing more.
    """

    num: int | None = None


class GPAgent(DocumentRouter):
    """Proposes the next pixels of a run from what it has heard of it.

    A callback for documents (subscribe it) and a bluesky device (`trigger` it, `read` it): each of its decisions is
    an event of stream ``NAME``, and the RunEngine stays responsive while it computes.

    Parameters
    ----------
    optimizer : Optimizer
        After a run it holds what that run taught. Every run starts from what it knows when the first one begins.
    target : str
        Event key of the number to learn, as ``spectrometer_loop_area``; with a `scalarizer`, of the spectrum.
    name : str, optional
        Of the device, of its streams (``NAME``, ``NAME_maps``, ``NAME_failures``) and the beginning of its keys.
    catalog : object, optional
        Where earlier runs are looked up.
    executor : Executor, optional
        Where decisions are computed. Default: a daemon thread each.
    axes : Axes or sequence of str, optional
        Event keys of row and column, for runs whose start document does not say so under ``gp``.
    scalarizer : callable, optional
        ``f(spectrum, axis) -> float``, for a detector that has none of its own.
    units : str, optional
        Unit of the target.
    maps : int, optional
        Write the maps every so many iterations and at the end; 0: never. Default: 1 up to 64 x 64 pixels, else 10.
    """

    parent = None  # bluesky looks for it when it stages

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        target: str,
        name: str = "gp",
        catalog: Any = None,
        executor: Executor | None = None,
        axes: Axes | Mapping[str, Any] | Iterable[str] | None = None,
        scalarizer: Scalarizer | None = None,
        units: str | None = None,
        maps: int | None = None,
    ) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.target = target
        self.name = name
        self.catalog = catalog
        self.failures = Failures(f"{name}_failures", ndim=optimizer.grid.ndim)
        self._record = DecisionRecord(name, optimizer, units)
        every = (1 if optimizer.grid.size <= SMALL else 10) if maps is None else maps
        self.maps = Maps(self._record, lambda: self.decision, every=every)
        self._executor = DaemonExecutor() if executor is None else executor
        self._axes = None if axes is None else Axes.of(axes)
        self._scalarizer = scalarizer
        self._first_state: Any = None  # until a run begins
        self._heard: HeardRun | None = None
        self._begin()

    def _begin(self) -> None:
        self._num: int | None = None
        self._previous = beginning(self.optimizer)
        self._learnt = 0  # outcomes that `_previous` knows
        self._asked = 0  # outcomes that `_answer` will know
        self._answer: Future[Decision] | None = None

    # Documents

    def start(self, doc: RunStart) -> None:
        """Start afresh when a run begins that this agent steers."""
        axes = self._axes_of(doc)
        if axes is None or (self._heard is not None and self._heard.uid == doc["uid"]):
            return
        self._discard()
        listener = Listener(self.name, self.target, self.optimizer.grid, axes, self._scalarizer)
        self._heard = HeardRun(doc["uid"], listener)
        if self._first_state is None:
            self._first_state = self.optimizer.state
        self.optimizer.restore(self._first_state)
        self._begin()

    def descriptor(self, doc: EventDescriptor) -> None:
        """Look where pixel and target are; raise if ``primary`` does not carry them."""
        if self._heard is not None:
            self._heard.descriptor(doc)

    def event(self, doc: Event) -> Event:
        """Take in a pixel, or see that a decision was recorded."""
        if self._heard is not None:
            self._heard.event(doc)
            if self.decision is not None and f"{self.name}_iteration" in doc["data"]:
                self.optimizer.restore(self.decision.state)
        return doc

    def stop(self, doc: RunStop) -> None:
        """Discard what is still being computed."""
        if self._heard is not None and self._heard.uid == doc["run_start"]:
            self._discard()
            self._heard = None

    def _axes_of(self, doc: Mapping[str, Any]) -> Axes | None:
        gp = doc.get("gp")
        if gp is None or gp.get("agent") != self.name:
            return self._axes if gp is None else None
        return Axes.of(gp["axes"]) if "axes" in gp else self._axes

    def _discard(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.cancel()  # where it runs already, nobody waits for it any more
            self._answer = None

    # The device

    def prepare(self, value: Assignment) -> FutureStatus:
        """Take what the run is to do; done at once."""
        self._num = value.num
        return finished(self.name)

    def trigger(self) -> FutureStatus:
        """Learn from every pixel heard so far and choose the next batch; done when `read` can answer.

        Asked again before another pixel was heard, as a rewind after a pause does, it gives the same answer.
        """
        outcomes = self._run_heard().outcomes
        if self._answer is None or len(outcomes) > self._asked or _has_failed(self._answer):
            self._answer = self._ask(outcomes)
        return FutureStatus(self._answer, name=self.name)

    def _ask(self, outcomes: list[Outcome]) -> "Future[Decision]":
        if self.decision is not None:
            self._previous, self._learnt = self.decision, self._asked
        self._asked = len(outcomes)
        new = tuple(outcomes[self._learnt :])  # a copy: documents keep arriving on the RunEngine's thread
        return self._executor.submit(decide, self.optimizer, self._previous, new, self._num)

    def _run_heard(self) -> HeardRun:
        if self._heard is None:
            raise RuntimeError(
                f"{self.name}: asked for pixels, but it hears no run that names it. Subscribe it "
                f"(bpp.subs_decorator(agent)) around a run opened with plans.start_metadata(...), or give it axes="
            )
        return self._heard

    @property
    def decision(self) -> Decision | None:
        """The latest decision; None before the first, and while the next is computed."""
        done = self._answer is not None and self._answer.done() and not _has_failed(self._answer)
        return self._answer.result() if done and self._answer is not None else None

    def read(self) -> dict[str, Reading[Any]]:
        """Return the decision as an event of stream ``gp``."""
        decision = self.decision
        if decision is None:
            raise RuntimeError(f"{self.name}: there is nothing to read before trigger() is done")
        return readings(self._record.values(decision), decision.timestamp)

    def describe(self) -> dict[str, DataKey]:
        """Describe what `read` returns."""
        return self._record.data_keys()

    def read_configuration(self) -> dict[str, Reading[Any]]:
        """Return target, batch size and the names of the kernel's hyperparameters."""
        return readings(self._record.configuration(self.target), self._previous.timestamp)

    def describe_configuration(self) -> dict[str, DataKey]:
        """Describe what `read_configuration` returns."""
        return self._record.configuration_keys()

    @property
    def hints(self) -> Hints:
        """The numbers that a table or a plot shows."""
        return {"fields": [f"{self.name}_n_measured", f"{self.name}_best_value"]}

    # For plans

    def metadata(self) -> dict[str, Any]:
        """Return what the start document says under ``gp``, but for the axes, which the plan knows."""
        return {
            **self.optimizer.describe(),
            "schema_version": SCHEMA_VERSION,
            "agent": self.name,
            "target": self.target,
            "versions": dict(_versions()),
        }

    def rejection(self, pixel: Iterable[int]) -> str:
        """Why the measurement heard last, that of `pixel`, was rejected; empty if it was not."""
        flat = int(self.optimizer.grid.ravel([tuple(pixel)])[0])
        return "" if self._heard is None else self._heard.rejection(flat)

    @property
    def faults_in_a_row(self) -> int:
        """How many of the latest pixels failed by a fault of the instrument."""
        return 0 if self._heard is None else self._heard.faults_in_a_row


def _has_failed(answer: "Future[Decision]") -> bool:
    return answer.cancelled() or (answer.done() and answer.exception() is not None)


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((package, version(package)) for package in ("bluesky_gp", "numpy", "scipy", "scikit-learn", "bluesky"))
