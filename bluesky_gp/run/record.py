"""A run read back: its documents, from a catalog, a journal or a session, as arrays."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
from event_model import DocumentRouter, Event, StreamDatum, StreamResource

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.run.actions import Action, RunActions, number_after
from bluesky_gp.run.event_spectra import EventSpectra
from bluesky_gp.run.events import RunOutcomes
from bluesky_gp.run.given import pairs
from bluesky_gp.run.history import History
from bluesky_gp.run.kept_spectra import KeptSpectra
from bluesky_gp.run.keys import PIXELS, PixelKeys, units_of
from bluesky_gp.run.learnt_values import UnmadeScalarizer, made_scalarizer
from bluesky_gp.run.outcomes import Outcome, final_outcomes
from bluesky_gp.run.schema import agent_entry
from bluesky_gp.run.shown import as_html, in_a_line
from bluesky_gp.run.spectra import Spectra, exposure_of
from bluesky_gp.typing import Floats, Indices

_LARGEST = 2**26  # pixels; half a GiB a map


@dataclass(frozen=True, repr=False)
class RunRecord:
    """A run of `adaptive_map` read back: measurements, decisions and predictions."""

    start: Mapping[str, Any]
    stop: Mapping[str, Any]  # empty while the run goes on
    grid: PixelGrid
    target: str
    units: str
    outcomes: tuple[Outcome, ...]  # every pixel attempted, in order
    iterations: Mapping[str, Any]  # columns of stream `gp`, without the agent's name
    maps: Mapping[str, Floats]  # mean, std, acquisition: the last of each; empty if none was written
    spectra: Spectra | None
    actions: tuple[Action, ...] = ()  # of people, in order
    exposed: float = nan  # s, exposures of the pixels that have an event; NaN if the detector states none
    missing_spectra: str = ""  # how many could not be read of a detector's files, and why

    def __repr__(self) -> str:
        return in_a_line(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[tuple[str, Mapping[str, Any]]],
        *,
        scalarizer: Scalarizer | None = None,
        others: Mapping[str, str] | None = None,
        spectra: bool = True,
    ) -> "RunRecord":
        """Read the documents of one run, ``(name, document)``.

        Parameters
        ----------
        scalarizer : callable, optional
            The agent's, if the detector had none of its own, and the run recorded only its name and not its values.
        others : mapping, optional
            Event keys of auxiliary quantities, by their names. Default: those that the run's agent heard.
        spectra : bool
            Whether to keep the spectra, which are nearly all that a long run holds; many are kept in a temporary file.

        Raises
        ------
        TypeError
            If they are something else: a path, a run whose documents were not asked for.
        ValueError
            If they are not those of a run that a `GPAgent` steered, those of several, or are damaged.
        """
        reader = RunReader(scalarizer, others, spectra=spectra)
        for name, doc in pairs("RunRecord", documents):
            reader.take(name, doc)
        return reader.record()

    @property
    def num(self) -> int | None:
        """Pixels that the run was to attempt, as people changed it, with those of runs that it resumes; None: any."""
        return number_after(self.start["gp"].get("num"), self.actions)

    @property
    def measured(self) -> tuple[Indices, Floats]:
        """Pixels that have a value, shape ``(n, ndim)``, in order, and their values, shape ``(n,)``.

        Those that were marked as failed afterwards have none any more.
        """
        good = [outcome for outcome in final_outcomes(self.outcomes) if not outcome.failed]
        flat = np.array([outcome.pixel for outcome in good], dtype=np.intp)
        return self.grid.unravel(flat), np.array([outcome.value for outcome in good])

    @property
    def failed(self) -> Indices:
        """Pixels that failed, shape ``(n, ndim)``."""
        return self.grid.unravel(np.array([o.pixel for o in final_outcomes(self.outcomes) if o.failed], dtype=np.intp))

    @property
    def inherited(self) -> History:
        """History with which the run began: where it resumes another, that one's pixels and decisions."""
        return History.of(self.start["gp"])

    @property
    def together(self) -> "RunRecord":
        """The run with the pixels of those that it resumes, in order; of their spectra see `joined`."""
        inherited = self.inherited
        return replace(self, outcomes=(*inherited.learnt, *inherited.unlearnt, *self.outcomes), spectra=None)

    @property
    def spectra_elsewhere(self) -> str:
        """Of how many pixels the spectra are in the record of a run that this one resumes; empty: of none."""
        if self.spectra is None:
            return ""
        here = set(self.grid.ravel(self.spectra.pixels).tolist())
        before = (*self.inherited.learnt, *self.inherited.unlearnt)
        there = {outcome.pixel for outcome in before if not outcome.failed} - here
        return f"spectra of {len(there)} pixels, which are in run {self.inherited.uid[:8]}" if there else ""

    @property
    def abandoned(self) -> Indices:
        """Pixels of the last batch that were neither measured nor failed, shape ``(n, ndim)``."""
        steps = self.inherited.steps
        proposed = [*steps[-1].proposed] if steps else []
        if len(self.iterations):
            rows = np.asarray(self.iterations["proposed"][-1], dtype=np.intp)
            proposed = self.grid.ravel(rows[rows[:, 0] >= 0]).tolist()
        attempted = self.inherited.attempted | {outcome.pixel for outcome in self.outcomes}
        return self.grid.unravel([pixel for pixel in proposed if pixel not in attempted])

    @property
    def best_pixel(self) -> tuple[int, ...] | None:
        """The best measured pixel, by the posterior mean of the last iteration; None before the first value."""
        best = self.iterations["best_pixel"][-1] if len(self.iterations) else (-1,)
        return None if best[0] < 0 else tuple(int(i) for i in best)

    def prior(self, std: float = 0.5) -> dict[str, Any]:
        """Return what ``PixelOptimizer(prior=...)`` takes to believe what this run learnt of the kernel.

        Parameters
        ----------
        std : float
            How far the next map may differ, as a logarithm: 0.5 is a factor of 1.6.
        """
        return {"theta": np.asarray(self.iterations["kernel_theta"][-1]).tolist(), "std": std}


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Say of a document that is not what it should be, made to harm perhaps, which one it is."""
    try:
        yield
    except (AttributeError, LookupError, OverflowError, TypeError) as error:
        raise ValueError(f"the run's {name} document cannot be read: {type(error).__name__}: {error}") from error


class RunReader(DocumentRouter):
    """Takes the documents of one run in, events one by one or in pages, and says at any time what they hold so far.

    Parameters
    ----------
    scalarizer, others, spectra : optional
        As in `RunRecord.from_documents`.
    """

    def __init__(
        self,
        scalarizer: Scalarizer | None = None,
        others: Mapping[str, str] | None = None,
        *,
        spectra: bool = True,
    ) -> None:
        super().__init__()
        self._scalarizer = scalarizer
        self._others = others
        self._keeps_spectra = spectra
        self._start: Mapping[str, Any] = {}
        self._stop: Mapping[str, Any] = {}
        self._pixels: RunOutcomes | None = None
        self._actions = RunActions("", "")
        self._agent = ""
        self._units = ""
        self._source = EventSpectra()
        self._spectra, self._spectra_at = KeptSpectra(), list[int]()
        self._iterations: dict[int, Mapping[str, Any]] = {}
        self._maps: Mapping[str, Any] = {}
        self._exposure = nan  # s, of the pixels that come
        self._exposed = 0.0

    def take(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document in; raise ValueError if no agent wrote it, or it is damaged."""
        with _damage(name):
            self(name, dict(doc))

    def start(self, doc: Mapping[str, Any]) -> None:
        """Take the grid and the agent's keys from a start document."""
        gp = agent_entry(doc)
        if gp is None or "axes" not in gp or "grid" not in gp:
            uid = str(doc.get("uid"))[:8]
            raise ValueError(f"run {uid} was not steered by a GPAgent: its start document has no 'gp'")
        self._start, self._agent = doc, gp["agent"]
        keys = PixelKeys.of(gp, self._scalarizer_of(gp), self._others)
        if keys.grid.size > _LARGEST:
            raise ValueError(f"its grid has {keys.grid.size} pixels, and {_LARGEST} are the most")
        self._pixels = RunOutcomes(doc["uid"], keys, began=doc.get("time"))
        self._actions = RunActions(doc["uid"], self._agent)

    def _scalarizer_of(self, gp: Mapping[str, Any]) -> Scalarizer | None:
        """Return the agent's scalarizer, as given, or made again from the record if it is one of ours.

        For a function of somebody's own what it made is read, where the record has that.
        """
        if self._scalarizer is not None:
            return self._scalarizer
        made = made_scalarizer(gp)
        if isinstance(made, UnmadeScalarizer) and "values_stream" not in gp:
            raise ValueError(made.problem)
        return made

    def stop(self, doc: Mapping[str, Any]) -> None:
        """Take how the run ended."""
        self._stop = doc

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Take what a stream carries."""
        if self._pixels is None:
            return
        self._pixels.descriptor(doc)
        self._actions.descriptor(doc)
        target, keys = self._pixels.keys.target, doc["data_keys"]
        if doc["name"] != PIXELS or target not in keys:
            return
        self._units = units_of(keys, target, self._pixels.keys.monitor)
        self._exposure = exposure_of(doc, target)
        if self._keeps_spectra:
            self._source.descriptor(doc, target)

    def stream_resource(self, doc: StreamResource) -> None:
        """Take in that a detector writes a file."""
        if self._pixels is not None:
            self._pixels.stream_resource(doc)
            self._source.stream_resource(doc)

    def stream_datum(self, doc: StreamDatum) -> None:
        """Take in which frames of a file belong to which events."""
        if self._pixels is not None:
            self._pixels.stream_datum(doc)
            self._source.stream_datum(doc)

    def event(self, doc: Event) -> Event:
        """Take a pixel, a decision or maps in."""
        data = doc["data"]
        if self._pixels is not None and f"{self._agent}_iteration" in data:
            self._pixels.check_frames()
        outcome = None if self._pixels is None else self._pixels.event(doc)
        self._actions.event(doc)
        if outcome is not None and f"{self._agent}_failures_pixel" not in data:
            self._exposed += self._exposure
        spectrum = None if outcome is None else self._source.of(doc)
        if outcome is not None and spectrum is not None:
            self._spectra.add(spectrum)
            self._spectra_at.append(outcome.pixel)
        if f"{self._agent}_iteration" in data:
            self._iterations.setdefault(int(data[f"{self._agent}_iteration"]), data)
        if f"{self._agent}_maps_mean" in data:
            self._maps = data
        return doc

    def record(self) -> RunRecord:
        """Return the run as far as it was taken in."""
        with _damage("event"):
            return self._record()

    def _record(self) -> RunRecord:
        if self._pixels is None:
            raise ValueError("the documents hold no start document")
        rows = [self._iterations[i] for i in sorted(self._iterations)]
        prefix, maps_prefix = f"{self._agent}_", f"{self._agent}_maps_"
        return RunRecord(
            start=self._start,
            stop=self._stop,
            grid=self._pixels.keys.grid,
            target=self._pixels.keys.target,
            units=self._units,
            outcomes=(*self._pixels.outcomes, *self._without_value()),
            iterations={
                name.removeprefix(prefix): np.array([row[name] for row in rows]) for name in (rows[0] if rows else {})
            },
            maps={
                name.removeprefix(maps_prefix): np.asarray(values, dtype=np.float64)
                for name, values in self._maps.items()
                if name != f"{maps_prefix}iteration"
            },
            spectra=self._measured_spectra(self._pixels.keys.grid),
            actions=tuple(self._actions.actions),
            exposed=self._exposed,
            missing_spectra=self._source.missing,
        )

    def _without_value(self) -> list[Outcome]:
        """Return the pixels of a run that is over whose values it has not learnt."""
        return self._pixels.to_come.left if self._stop and self._pixels is not None and self._pixels.to_come else []

    def _measured_spectra(self, grid: PixelGrid) -> Spectra | None:
        if not self._spectra_at:
            return None
        axis, axis_units = self._source.axis, self._source.axis_units
        if axis is None or len(axis) < self._spectra.longest:
            axis, axis_units = np.arange(self._spectra.longest, dtype=np.float64), ""
        rows = self._spectra.rows(len(axis))
        pixels = grid.unravel(np.array(self._spectra_at))
        return Spectra(pixels, rows, axis, self._source.units, axis_units, self._source.axis_name, self._source.key)
