"""A recorded run decided once more: proof that its decisions repeat, or the first thing that differs.

A fresh optimizer is made from what the start document says under ``gp``, told what the events say in the order in
which the agent learnt it, and asked what it would choose; each answer is compared with the recorded one, bit for bit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.agent import DecisionRecord
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import PixelOptimizer
from bluesky_gp.plain_data import DescriptionError, in_todays_words, make
from bluesky_gp.protocols import Acquisition, Floats, Indices
from bluesky_gp.run import Decision, Documents, ResumeError, RunRecord, after, inherited, repeat, steps_of

_COMPARED = (
    "n_measured", "n_failed", "n_outcomes", "kernel_theta", "noise_std", "log_marginal_likelihood", "proposed",
    "acquisition", "mean", "std", "best_value", "best_pixel",
)  # fmt: skip
_COMPARED_SINCE = ("map_change", "map_error", "forecast_num", "map_gain", "best_gain", "best_gain_most")
"""Quantities that older records lack."""

_MAPS = ("mean", "std", "acquisition")
_MADE = ("acquisition", "batch", "mean", "transform", "kernel")


@dataclass(frozen=True)
class Difference:
    """The first thing that is not as it was recorded."""

    iteration: int
    quantity: str
    recorded: Any
    replayed: Any

    def __str__(self) -> str:
        largest = _distance(self.recorded, self.replayed)
        return f"iteration {self.iteration}: {self.quantity} differs{largest}"


@dataclass(frozen=True)
class Replay:
    """What came of deciding a run once more."""

    uid: str
    n_iterations: int
    n_maps: int
    difference: Difference | None
    n_different: int  # iterations of which anything differs
    versions: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # that differ: recorded and here

    @property
    def identical(self) -> bool:
        """Whether every decision came out as it was recorded, bit for bit."""
        return self.difference is None


@dataclass(frozen=True)
class Alternative:
    """What another acquisition function would have chosen in one iteration, knowing what was known then."""

    iteration: int
    recorded: Indices  # (k, ndim)
    other: Indices  # (k, ndim)

    @property
    def n_common(self) -> int:
        """How many pixels both would have measured."""
        return len({tuple(p) for p in self.recorded.tolist()} & {tuple(p) for p in self.other.tolist()})


def replay(documents: Documents, **given: Any) -> Replay:
    """Decide a recorded run once more and compare.

    Parameters
    ----------
    documents : iterable of (name, document)
        See `resuming.documents_of`.
    **given
        What the record has only the name of: `acquisition`, `mean`, `transform`, `kernel`, and the `scalarizer` of an
        agent whose detector had none.

    Raises
    ------
    ValueError
        If the record is damaged, or something has to be given.
    """
    run = _Recorded.read(documents, given)
    optimizer = optimizer_of(run.record.start["gp"], **given)
    written = DecisionRecord("gp", optimizer)
    compared = [_compare(run, written, decision) for decision in _decisions(run, optimizer)]
    differences = [difference for difference in compared if difference is not None]
    return Replay(
        uid=run.record.start["uid"],
        n_iterations=len(compared),
        n_maps=len(run.maps),
        difference=differences[0] if differences else None,
        n_different=len(differences),
        versions=_other_versions(run.record.start["gp"].get("versions", {})),
    )


def alternatives(documents: Documents, acquisition: Acquisition, **given: Any) -> list[Alternative]:
    """Say for every iteration what `acquisition` would have chosen, knowing what the run knew then.

    Parameters
    ----------
    documents, **given
        As in `replay`.
    """
    run = _Recorded.read(documents, given)
    gp = run.record.start["gp"]
    optimizer, other = optimizer_of(gp, **given), optimizer_of(gp, **{**given, "acquisition": acquisition})
    first = len(inherited(run.record).steps)
    found: list[Alternative] = []
    for step, decision in zip(steps_of(run.record), _decisions(run, optimizer), strict=True):
        if step.proposed:
            chosen = other.propose(decision.state, step.asked).pixels
            recorded = run.record.grid.unravel(step.proposed)
            found.append(Alternative(first + len(found), recorded, chosen))
    return found


def optimizer_of(gp: Mapping[str, Any], **given: Any) -> PixelOptimizer:
    """Make the optimizer that a start document describes, without its stopping rules: the record says where it ended.

    Parameters
    ----------
    gp : Mapping
        What the start document says under ``gp``.
    **given
        What the record has only the name of.

    Raises
    ------
    ValueError
        If something of it cannot be made again and was not given.
    """
    missing = [name for name in ("grid", "optimizer_target", "kernel", "batch_size", "seed") if name not in gp]
    if missing:
        raise ValueError(f"the run does not describe a PixelOptimizer: its start document lacks {missing} under 'gp'")
    made = {name: given[name] if name in given else _made(name, gp.get(name)) for name in _MADE}
    made["initial"] = given["initial"] if "initial" in given else _made("initial", gp.get("initial")) or "random"
    if gp.get("batch") is None and "batch" not in given:
        made["batch"] = 0.5  # what None stood for when it was recorded
    if gp.get("default_kernel") and "kernel" not in given:
        made["kernel"] = None
    plain = {name: gp[name] for name in ("batch_size", "n_initial", "maximize", "seed", "prior", "outliers")}
    plain["min_distance"] = gp.get("min_distance", 0.0)  # older records have neither this nor a design
    grid = PixelGrid.from_mapping(gp["grid"])
    try:
        optimizer = PixelOptimizer(grid, gp["optimizer_target"], **plain, **made, others=gp.get("others", ()))
    except TypeError as error:
        raise ValueError(f"the run's settings cannot be made again: {error}") from error
    if made["kernel"] is None and optimizer.describe()["kernel"] != in_todays_words(gp["kernel"]):
        raise ValueError(
            f"the run had the default kernel of its day, {make(gp['kernel'])}, with priors of its own, and today's is "
            f"{make(optimizer.describe()['kernel'])}: replay it with the version of bluesky_gp that recorded it"
        )
    return optimizer


def _made(name: str, description: Any) -> Any:
    try:
        value = make(description)
    except DescriptionError as error:
        raise ValueError(f"the run's {name} cannot be made again: {error}, {name}=...") from error
    if isinstance(value, str):
        raise ValueError(f"the run's {name} was a function of somebody's own, {value!r}: give it, {name}=...")
    return np.asarray(value, dtype=np.float64) if isinstance(value, list) else value


@dataclass(frozen=True)
class _Recorded:
    """A record, with the maps of every iteration that has them."""

    record: RunRecord
    maps: Mapping[int, Mapping[str, Floats]]

    @classmethod
    def read(cls, documents: Documents, given: Mapping[str, Any]) -> "_Recorded":
        kept = list(documents)
        gp = kept[0][1].get("gp") if kept else None
        if not gp or not isinstance(gp, Mapping):
            raise ResumeError("the run was not steered by a GPAgent: its start document has no 'gp'")
        scalarizer = given["scalarizer"] if "scalarizer" in given else _made("scalarizer", gp.get("scalarizer"))
        record = RunRecord.from_documents(kept, scalarizer=scalarizer)
        begin = f"{gp['agent']}_maps_"
        maps: dict[int, Mapping[str, Floats]] = {}
        for data in (doc["data"] for name, doc in kept if name == "event" and f"{begin}iteration" in doc["data"]):
            maps.setdefault(int(data[f"{begin}iteration"]), {k: data[f"{begin}{k}"] for k in _MAPS})
        return cls(record, maps)


def _decisions(run: _Recorded, optimizer: PixelOptimizer) -> Iterator[Decision]:
    """Make the decisions of one run again, each from what was recorded before it."""
    previous = after(optimizer, inherited(run.record))
    for step in steps_of(run.record):
        decision, previous = repeat(optimizer, previous, step)
        yield decision


def _compare(run: _Recorded, written: DecisionRecord, decision: Decision) -> Difference | None:
    """Return the first quantity of one iteration that is not as it was recorded."""
    row = int(np.flatnonzero(run.record.iterations["iteration"] == decision.iteration)[0])
    values = written.values(decision)
    names = (*_COMPARED, *(name for name in _COMPARED_SINCE if name in run.record.iterations))
    pairs = [(name, run.record.iterations[name][row], values[f"gp_{name}"]) for name in names]
    maps = {"mean": decision.state.mean, "std": decision.state.std, "acquisition": decision.acquisition}
    for name, recorded in run.maps.get(decision.iteration, {}).items():
        pairs.append((f"map of {name}", recorded, maps[name]))
    for name, recorded, replayed in pairs:
        if not _same(recorded, replayed):
            return Difference(decision.iteration, name, recorded, replayed)
    return None


def _same(recorded: npt.ArrayLike, replayed: npt.ArrayLike) -> bool:
    """Whether two arrays have the same numbers, to the last bit; NaN is NaN."""
    one, other = np.asarray(recorded, dtype=np.float64), np.asarray(replayed, dtype=np.float64)
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=True))


def _distance(recorded: npt.ArrayLike, replayed: npt.ArrayLike) -> str:
    one, other = np.asarray(recorded, dtype=np.float64), np.asarray(replayed, dtype=np.float64)
    if one.shape != other.shape:
        return f", of shape {one.shape} and now {other.shape}"
    if one.ndim == 0:
        return f", {one} and now {other}"
    with np.errstate(invalid="ignore"):
        apart = np.nanmax(np.abs(one - other), initial=0.0)
    return f", by up to {apart:.3g}"


def _other_versions(recorded: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    here = {package: _version(package) for package in recorded}
    return {package: (str(old), here[package]) for package, old in recorded.items() if old != here[package]}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
