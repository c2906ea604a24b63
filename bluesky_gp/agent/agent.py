"""The agent: hears a run's documents, and is asked for pixels as a detector is for counts.

The only file that knows both documents and the optimizer.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from time import time
from typing import Any

from bluesky.protocols import Hints, Reading
from event_model import DataKey, DocumentRouter, Event, EventDescriptor, RunStart, RunStop

from bluesky_gp.agent.ahead import Ahead
from bluesky_gp.agent.answering import answers_on
from bluesky_gp.agent.by_hand import ByHand
from bluesky_gp.agent.data_keys import readings
from bluesky_gp.agent.decision_events import DecisionEvents
from bluesky_gp.agent.doubts import say_at_end, say_nothing_learnt, say_unheard
from bluesky_gp.agent.failures import Failure, Failures
from bluesky_gp.agent.for_plans import ForPlans
from bluesky_gp.agent.hands import Hands
from bluesky_gp.agent.mail import Mail
from bluesky_gp.agent.maps import Maps
from bluesky_gp.agent.next_run import Assignment, Preparation
from bluesky_gp.agent.review import Review
from bluesky_gp.agent.slips import (
    check_catalog,
    check_executor,
    check_name,
    check_optimizer,
    check_scalarized,
    check_text,
    checked_axes,
    checked_scalarizer,
)
from bluesky_gp.agent.steering import Progress
from bluesky_gp.agent.values import Values
from bluesky_gp.html import html_table
from bluesky_gp.protocols import AnyOptimizer, Scalarizer
from bluesky_gp.run import (
    BY_HAND,
    SCHEMA_VERSION,
    Axes,
    Budget,
    Decision,
    History,
    PixelKeys,
    Resumed,
    RunActions,
    RunOutcomes,
    Spent,
    agent_entry,
    check_keys,
    computed_with,
    other_keys,
)
from bluesky_gp.settings import check_whole
from bluesky_gp.status import DaemonExecutor, FutureStatus, finished

SMALL = 64 * 64  # pixels; on larger grids the maps are written every tenth iteration


class GPAgent(ByHand, ForPlans, DocumentRouter):
    """Proposes the next pixels of a run from what it has heard of it.

    A callback for documents (subscribe it) and a bluesky device (`trigger` it, `read` it): each of its decisions is
    an event of stream ``NAME``, and the RunEngine stays responsive while it computes. People steer it while it goes on.

    Parameters
    ----------
    optimizer : Optimizer
        After a run it holds what that run taught. Every run starts from what it knows when the first one begins.
    target : str
        Event key of the number to learn, as ``spectrometer_loop_area``; with a `scalarizer`, of the spectrum.
    name : str, optional
        Of the device, of its streams (``NAME``, ``NAME_maps``, ``NAME_failures``, ``NAME_hands``, ``NAME_values``) and
        the beginning of its keys.
    catalog : object, optional
        Where earlier runs are looked up.
    executor : Executor, optional
        Where decisions are computed. Default: a daemon thread each.
    axes : Axes or sequence of str, optional
        Event keys of row and column, for runs whose start document does not say so under ``gp``.
    scalarizer : callable, str or mapping, optional
        ``f(spectrum, axis) -> float``, for a detector that has none of its own; or its name or plain data, as
        detectors take them: ``"net_counts"``, ``{"kind": "net_counts", "edge": [828, 856]}``. What it makes is recorded
        in stream ``NAME_values``, so that a record is read without it.
    others : mapping, optional
        Event keys of the optimizer's `others`, auxiliary quantities of the same pixels, by their names. Default:
        named as the target is, ``spectrometer_imprint`` for ``imprint`` beside ``spectrometer_loop_area``.
    monitor : str, optional
        Event key of a reading, as ``I0``, by which the target is divided. A pixel whose monitor is zero, or missing,
        has failed.
    units : str, optional
        Unit of the target.
    maps : int, optional
        Write the maps every so many iterations and at the end; 0: never. Default: 1 up to 64 x 64 pixels, else 10.
    largest_batch : int, optional
        Pixels for which events of stream ``NAME`` have room, where `configure` is to raise `batch_size` in mid-run.
        Default: the optimizer's `batch_size`.
    """

    parent = None  # bluesky looks for it when it stages

    def __init__(
        self,
        optimizer: AnyOptimizer,
        *,
        target: str,
        name: str = "gp",
        catalog: Any = None,
        executor: Executor | None = None,
        axes: Axes | Mapping[str, Any] | Iterable[str] | None = None,
        scalarizer: Scalarizer | str | Mapping[str, Any] | None = None,
        others: Mapping[str, str] | None = None,
        monitor: str = "",
        units: str | None = None,
        maps: int | None = None,
        largest_batch: int = 0,
    ) -> None:
        super().__init__()
        check_optimizer(optimizer)
        check_text("target", target)
        check_text("monitor", monitor, empty=True)
        check_text("units", "" if units is None else units, empty=True)
        check_whole("GPAgent", "largest_batch", largest_batch, 0)
        check_name(name)
        check_catalog(catalog)
        scalarizer = checked_scalarizer(scalarizer)
        check_executor(executor)
        self.optimizer, self.target, self.name, self.catalog = optimizer, target, name, catalog
        self.failures = Failures(f"{name}_failures", ndim=optimizer.grid.ndim)
        self.hands = Hands(f"{name}_hands")
        self.review = Review(f"{name}_review", self.hands)
        self.hands.on_new = self.review.hear
        self._room = max(optimizer.batch_size, largest_batch)
        self.values = Values(f"{name}_values", room=self._room, units=units)
        self._record = DecisionEvents(name, optimizer, units, self._room)
        every = (1 if optimizer.grid.size <= SMALL else 10) if maps is None else maps
        self.maps = Maps(self._record, lambda: self.decision, every=every)
        self._answers = answers_on(DaemonExecutor() if executor is None else executor)
        self._axes = None if axes is None else checked_axes(optimizer.grid, axes)
        self._scalarizer, self._monitor = scalarizer, monitor
        self._others = other_keys(target, optimizer, others or {})
        self._preparation = Preparation(optimizer, catalog=catalog, scalarizer=scalarizer)
        self._run: Progress | None = None  # the one that it steers, or steered last
        self.ahead = Ahead(f"{name}_ahead", lambda: self._run)
        self.detectors: tuple[Any, ...] = ()  # of the latest map
        self._mail: Mail | None = None
        self._marks: list[Failure] = []
        self._made = time()

    def __repr__(self) -> str:
        return f"GPAgent({self.optimizer!r}, target={self.target!r}, name={self.name!r})"

    def _repr_html_(self) -> str:
        run = None if self._run is None else f"{self._run.heard.uid[:8]}, {'over' if self._run.over else 'going on'}"
        rows = {"target": self.target, "optimizer": self.optimizer, "run": run}
        return html_table(
            f"GPAgent {self.name}", {**rows, "waiting actions of people": len(self.hands.waiting) or None}
        )

    # Documents

    def start(self, doc: RunStart) -> None:
        """Start afresh when a run begins that this agent steers."""
        entry = agent_entry(doc)
        steers = entry is not None and entry["agent"] == self.name
        gp = entry if entry is not None and steers else {}
        axes = Axes.of(gp["axes"]) if "axes" in gp else self._axes
        if axes is None and entry is not None:
            say_unheard(self.name, doc, entry)
        if axes is None or not self._begins(doc["uid"], steers=steers):
            return
        history, first = self._preparation.begin(gp)
        heard = RunOutcomes(doc["uid"], self._keys(axes), history.unlearnt, doc.get("time"), needed=steers)
        acted = RunActions(doc["uid"], self.name, history.unheeded)
        self._discard()
        num, budget = gp.get("num"), Budget.of(gp)
        self._run = Progress(self.optimizer, self._answers, heard, acted, history, first, num, budget)
        if steers:
            self._mail = Mail(doc["uid"], self)
        self.optimizer.restore(self._preparation.first_state if first is None else first.state)

    def descriptor(self, doc: EventDescriptor) -> None:
        """Look where pixel and target are; raise if ``primary`` does not carry them."""
        if self._run is not None and not self._run.over:
            self._run.heard.descriptor(doc)
            self._run.acted.descriptor(doc)

    def event(self, doc: Event) -> Event:
        """Take in a pixel, or see that a decision was recorded."""
        if self._run is not None and not self._run.over:
            self._run.heard.event(doc)
            if (action := self._run.acted.event(doc)) is not None:
                self.hands.drop(action.id)
            if self.decision is not None and f"{self.name}_iteration" in doc["data"]:
                self._keep(self.decision)
                say_nothing_learnt(self.name, self._run)
            if doc["data"].get(f"{self.failures.name}_kind") == BY_HAND:
                pixel = tuple(int(p) for p in doc["data"][f"{self.failures.name}_pixel"])
                self._marks = [mark for mark in self._marks if mark.pixel != pixel]
        return doc

    def stop(self, doc: RunStop) -> None:
        """Discard what is still being computed."""
        if self._run is not None and self._run.heard.uid == doc["run_start"]:
            say_at_end(self.name, self._run, doc.get("time", time()))
            self._discard()
            self._drop_late()

    def _discard(self) -> None:
        """End the run that it steers, if there is one: nobody waits any more for what it still does."""
        for part in (self._run, self._mail):
            if part is not None:
                part.discard()
        self.review.end()

    def _keys(self, axes: Axes | None) -> PixelKeys:
        where = Axes(()) if axes is None else axes
        return PixelKeys(
            self.name, self.target, self.optimizer.grid, where, self._scalarizer, self._others, self._monitor
        )

    def _begins(self, uid: str, *, steers: bool) -> bool:
        """Whether a start document begins a run of this agent: neither a known one nor one nested in it."""
        if self._run is None:
            return True
        return self._run.heard.uid != uid and (steers or self._run.over)

    # The device

    def prepare(self, value: Assignment) -> FutureStatus:
        """Read the run that is to be resumed, if there is one, and come to the state in which it was left.

        Asked again, as a rewind after a pause does, it reads nothing anew.
        """
        self.detectors = value.detectors or self.detectors
        reading = self._preparation.read(value, self.metadata())
        return finished(self.name) if reading is None else FutureStatus(reading, name=self.name)

    @property
    def resumed(self) -> Resumed | None:
        """The run that `prepare` has read, until the next begins; None if it read nothing."""
        return self._preparation.resumed

    def look(self, overview: Any) -> None:
        """Take an overview image, see `PixelOptimizer`: runs to come are decided with it, and their records have it."""
        self._preparation.look(overview)

    def trigger(self) -> FutureStatus:
        """Learn from every pixel heard so far and choose the next batch; done when `read` can answer.

        Asked again before another pixel was heard, as a rewind after a pause does, it gives the same answer.
        """
        if self._run is None or self._run.over:
            raise RuntimeError(
                f"{self.name}: asked for pixels, but it hears no run that names it. Subscribe it "
                f"(bpp.subs_decorator(agent)) around a run opened with plans.start_metadata(...), or give it axes="
            )
        return FutureStatus(self._run.ask(), name=self.name)

    @property
    def decision(self) -> Decision | None:
        """The latest decision; None before the first, and while the next is computed."""
        return None if self._run is None else self._run.decision

    def read(self) -> dict[str, Reading[Any]]:
        """Return the decision as an event of stream ``gp``."""
        decision = self.decision
        if decision is None:
            raise RuntimeError(f"{self.name}: there is nothing to read before trigger() is done")
        spent = Spent() if self._run is None else self._run.spent_before(decision)
        return readings(self._record.values(replace(decision, spent=spent)), decision.timestamp)

    def describe(self) -> dict[str, DataKey]:
        """Describe what `read` returns."""
        return self._record.data_keys()

    def read_configuration(self) -> dict[str, Reading[Any]]:
        """Return target, batch size and the names of the kernel's hyperparameters."""
        return readings(self._record.configuration(self.target), self._made)

    def describe_configuration(self) -> dict[str, DataKey]:
        """Describe what `read_configuration` returns."""
        return self._record.configuration_keys()

    @property
    def hints(self) -> Hints:
        """The numbers that a table or a plot shows."""
        return {"fields": [f"{self.name}_n_measured", f"{self.name}_best_value"]}

    def metadata(self, history: History | None = None) -> dict[str, Any]:
        """Return what the start document says under ``gp``, but for the axes, which the plan knows.

        Parameters
        ----------
        history : History, optional
            What the run begins with, if it resumes another.
        """
        from bluesky_gp.plain_data import describe  # it needs scikit-learn, which takes a second to import

        return {
            **self.optimizer.describe(),
            "schema_version": SCHEMA_VERSION,
            "agent": self.name,
            "target": self.target,
            "other_keys": dict(self._others),
            "scalarizer": describe(self._scalarizer),
            **({} if self._scalarizer is None else {"values_stream": self.values.name}),
            **({"monitor": self._monitor} if self._monitor else {}),
            **computed_with(),
            **(self._preparation.initial if history is None else history).to_mapping(),
        }

    def check_keys(self, described: Mapping[str, Any], axes: Axes) -> None:
        """Raise KeyError or ValueError if events that are described so carry nothing to learn from."""
        check_keys(described, self._keys(axes))
        if self._scalarizer is not None:
            check_scalarized(self.name, self.target, described)
