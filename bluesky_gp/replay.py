"""A recorded run decided once more: proof that its decisions repeat, or the first thing that differs.

A fresh optimizer is made from what the start document says under ``gp``, told what the events say in the order in
which the agent learnt it, and asked what it would choose; each answer is compared with the recorded one, bit for bit.
Another processor rounds otherwise: there the choices are the same, and numbers but for rounding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from os import SEEK_END
from tempfile import TemporaryFile
from typing import Any
from weakref import finalize

import numpy as np
from event_model import DocumentRouter, Event

from bluesky_gp.agent import DecisionEvents
from bluesky_gp.optimizer import PixelOptimizer, Recipe
from bluesky_gp.protocols import Acquisition, AnyOptimizer
from bluesky_gp.recording import Documents, ResumeError
from bluesky_gp.run import (
    MAPS,
    QUANTITIES,
    Decision,
    Difference,
    RunReader,
    RunRecord,
    after,
    agent_entry,
    arithmetic,
    pairs,
    repeat,
    same,
    steps_of,
)
from bluesky_gp.typing import Floats, Indices

_AGENT = "gp"  # the name that the decisions made again have; the recorded ones may have another


@dataclass(frozen=True)
class Replay:
    """The result of deciding a run once more."""

    uid: str
    n_iterations: int
    n_maps: int
    difference: Difference | None  # the first that is more than rounding; where none is, the first of all
    n_different: int  # iterations of which anything differs
    versions: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # that differ: recorded and here
    arithmetic: tuple[str | None, str] = (None, "")  # recorded, if the record says it, and here

    @property
    def identical(self) -> bool:
        """Whether there are decisions, and every one came out as it was recorded, bit for bit."""
        return self.difference is None and self.n_iterations > 0

    @property
    def computed_alike(self) -> bool:
        """Whether the same libraries computed the record on such a processor: the last bits have to be the same."""
        return not self.versions and self.arithmetic[0] == self.arithmetic[1]

    @property
    def repeats(self) -> bool:
        """Whether the decisions are the recorded ones: bit for bit, or, computed by others, but for rounding."""
        return self.identical or (
            self.difference is not None and self.difference.is_rounding and not self.computed_alike
        )


@dataclass(frozen=True)
class Alternative:
    """The pixels that another acquisition function would have chosen in one iteration, knowing what was known then."""

    iteration: int
    recorded: Indices  # (k, ndim)
    other: Indices  # (k, ndim)

    @property
    def n_common(self) -> int:
        """Number of pixels that both would have measured."""
        return len({tuple(p) for p in self.recorded.tolist()} & {tuple(p) for p in self.other.tolist()})


def replay(documents: Documents, **given: Any) -> Replay:
    """Decide a recorded run once more and compare.

    Parameters
    ----------
    documents : iterable of (name, document)
        See `recording.documents_of`.
    **given
        What the record has only the name of: `acquisition`, `mean`, `transform`, `kernel`, and the `scalarizer` of an
        agent whose detector had none.

    Raises
    ------
    ValueError
        If the record is damaged, or something has to be given.
    """
    run = _Recorded.read(documents, given)
    optimizer = _optimizer(run.record.start["gp"], given)
    events = DecisionEvents(_AGENT, optimizer, room=_room(run.record))
    entry = run.record.start["gp"]
    first, n_iterations, n_different = None, 0, 0
    for decision in _decisions(run, optimizer):
        if difference := _worse(*_differences(run, events, decision)):
            first, n_different = _worse(first, difference), n_different + 1
        n_iterations += 1
    return Replay(
        uid=run.record.start["uid"],
        n_iterations=n_iterations,
        n_maps=len(run.maps),
        difference=first,
        n_different=n_different,
        versions=_other_versions(entry.get("versions", {})),
        arithmetic=(entry.get("arithmetic"), arithmetic()),
    )


def alternatives(documents: Documents, acquisition: Acquisition, **given: Any) -> list[Alternative]:
    """Say for every iteration what `acquisition` would have chosen, knowing what the run knew then.

    Parameters
    ----------
    documents, **given
        As in `replay`.
    """
    run = _Recorded.read(documents, given)
    entry = run.record.start["gp"]
    optimizer, other = _optimizer(entry, given), _optimizer(entry, {**given, "acquisition": acquisition})
    first = len(run.record.inherited.steps)
    found: list[Alternative] = []
    for step, decision in zip(steps_of(run.record), _decisions(run, optimizer), strict=True):
        if step.proposed:
            chosen = other.propose(decision.state, step.asked).pixels
            recorded = run.record.grid.unravel(step.proposed)
            found.append(Alternative(first + len(found), recorded, chosen))
    return found


def _room(record: RunRecord) -> int:
    """Return for how many pixels of a batch the recorded events have room."""
    return int(record.iterations["proposed"].shape[1]) if len(record.iterations) else 0


def _optimizer(entry: Mapping[str, Any], given: Mapping[str, Any]) -> AnyOptimizer:
    return PixelOptimizer.of(Recipe.of(entry, **given))


@dataclass(frozen=True)
class _Recorded:
    """A record, with the maps of every iteration that has them."""

    record: RunRecord
    maps: "_RecordedMaps"

    @classmethod
    def read(cls, documents: Documents, given: Mapping[str, Any]) -> "_Recorded":
        _check_settings(given)
        documents = pairs("replay", documents)
        if (first := next(documents, None)) is None:
            raise ResumeError("replay: there is not one document, so there is no run")
        if (entry := agent_entry(first[1])) is None:
            raise ResumeError("the run was not steered by a GPAgent: its start document has no 'gp'")
        reader, maps = RunReader(given.get("scalarizer"), spectra=False), _RecordedMaps(entry["agent"])
        for name, doc in chain([first], documents):
            reader.take(name, doc)
            maps(name, dict(doc))
        return cls(reader.record(), maps)


def _check_settings(given: Mapping[str, Any]) -> None:
    """Raise TypeError unless what is given are settings of an optimizer, or the scalarizer."""
    names = [*(field.name for field in fields(Recipe)), "scalarizer"]
    if unknown := [name for name in given if name not in names]:
        raise TypeError(f"replay: {unknown[0]!r} is no setting of a run, there are {', '.join(names)}")


class _RecordedMaps(DocumentRouter):
    """The maps of every iteration that has them, in a temporary file: those of a long run do not fit into memory.

    Parameters
    ----------
    agent : str
        Name of the agent whose maps they are.
    """

    def __init__(self, agent: str) -> None:
        super().__init__()
        self._prefix = f"{agent}_maps_"
        self._file = TemporaryFile()  # noqa: SIM115, it lives as long as this
        finalize(self, self._file.close)
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def event(self, doc: Event) -> Event:
        """Take maps in; of two of one iteration the first counts."""
        data, prefix = doc["data"], self._prefix
        if f"{prefix}iteration" in data and (iteration := int(data[f"{prefix}iteration"])) not in self._places:
            self._places[iteration] = self._file.seek(0, SEEK_END)
            for name in MAPS:
                np.save(self._file, np.asarray(data[f"{prefix}{name}"], dtype=np.float64))
        return doc

    def of(self, iteration: int) -> dict[str, Floats]:
        """Return the maps of one iteration by name; empty if it has none."""
        if iteration not in self._places:
            return {}
        self._file.seek(self._places[iteration])
        return {name: np.load(self._file) for name in MAPS}


def _decisions(run: _Recorded, optimizer: AnyOptimizer) -> Iterator[Decision]:
    """Make the decisions of one run again, each from what was recorded before it."""
    previous = after(optimizer, run.record.inherited)
    for step in steps_of(run.record):
        decision, previous = repeat(optimizer, previous, step)
        yield decision


def _differences(run: _Recorded, events: DecisionEvents, decision: Decision) -> Iterator[Difference]:
    """Compare one iteration with its record."""
    columns, values = run.record.iterations, events.values(decision)
    row = int(np.flatnonzero(columns["iteration"] == decision.iteration)[0])
    for q in QUANTITIES:
        if q.compared and (q.missing is None or q.name in columns):
            recorded, replayed = columns[q.name][row], values[f"{_AGENT}_{q.name}"]
            if not same(recorded, replayed):
                yield Difference(
                    decision.iteration, q.name, recorded, replayed, rounding=q.rounding if q.kind == "number" else 0.0
                )
    maps = {"mean": decision.state.mean, "std": decision.state.std, "acquisition": decision.proposal.acquisition}
    for name, recorded in run.maps.of(decision.iteration).items():
        if not same(recorded, maps[name]):
            yield Difference(decision.iteration, f"map of {name}", recorded, maps[name])


def _worse(*differences: Difference | None) -> Difference | None:
    """Return the first difference that is more than rounding; where none is, the first of all."""
    found = [difference for difference in differences if difference is not None]
    return next((difference for difference in found if not difference.is_rounding), found[0] if found else None)


def _other_versions(recorded: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    here = {package: _version(package) for package in recorded}
    return {package: (str(old), here[package]) for package, old in recorded.items() if old != here[package]}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
