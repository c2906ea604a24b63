"""What the documents of a run say about its pixels.

The agent hears them while they are made, a replay out of a catalog or a journal; both by `HeardRun`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, nan, prod
from typing import Any, Literal

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Floats, Scalarizer

PIXELS = "primary"
"""The stream in which pixels are measured, whatever other streams carry."""

FAULT = "fault"
REJECTED = "rejected"
BY_HAND = "by hand"
"""Kinds of failures: of the instrument; a finished measurement that the scalarizer rejected; marked by a person."""


@dataclass(frozen=True)
class Axes:
    """Which keys of an event say where its pixel is.

    Parameters
    ----------
    keys : tuple of str
        One for each axis of the grid.
    space : {"pixel", "stage"}
        Whether the values are rows and columns, or positions of the stage in the grid's units.
    """

    keys: tuple[str, ...]
    space: Literal["pixel", "stage"] = "pixel"

    @classmethod
    def of(cls, value: "Axes | Mapping[str, Any] | Iterable[str]") -> "Axes":
        """Read axes from the start document, or from a list of keys (rows and columns)."""
        if isinstance(value, Axes):
            return value
        if isinstance(value, Mapping):
            return cls(tuple(value["keys"]), value.get("space", "pixel"))
        return cls(tuple(value))

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for the start document."""
        return {"keys": list(self.keys), "space": self.space}

    def fraction(self, data: Mapping[str, Any], grid: PixelGrid) -> Floats:
        """Where the stage was, shape ``(ndim,)``, in pixels, fractions included."""
        position = np.array([float(data[key]) for key in self.keys])
        return position if self.space == "pixel" else grid.fraction(position)

    def pixel(self, data: Mapping[str, Any], grid: PixelGrid) -> tuple[int, ...] | None:
        """Return the pixel nearest to where the stage was; None outside the grid."""
        fraction = self.fraction(data, grid)
        if not np.all((fraction > -0.5) & (fraction < np.subtract(grid.shape, 0.5))):
            return None
        return tuple(int(p) for p in np.rint(fraction))


@dataclass(frozen=True)
class Outcome:
    """What became of one pixel."""

    pixel: int  # flat index
    value: float  # NaN: failed
    reason: str = ""  # why it failed
    fault: bool = False  # by the instrument, rather than a finished measurement that the scalarizer rejected
    seconds: float = 0.0  # from the start document to its event, by their times
    others: Mapping[str, float | Floats] = field(default_factory=dict, compare=False, repr=False)  # by the user's names

    @property
    def failed(self) -> bool:
        """Whether there is no value to learn from."""
        return bool(self.reason)


def last_words(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Leave out what a later outcome of the same pixel takes back.

    A failure takes back what was measured before it (a pixel marked as failed by hand), a value the failures before
    it. Several values of one pixel all count.
    """
    last = {outcome.pixel: outcome for outcome in outcomes}
    return [o for o in outcomes if o is last[o.pixel] or not (o.failed or last[o.pixel].failed)]


@dataclass(frozen=True)
class Listener:
    """How to read the target: which key it is, and the scalarizer where the detector has none; and further numbers."""

    name: str  # of the agent
    target: str
    grid: PixelGrid
    axes: Axes
    scalarizer: Scalarizer | None = None
    others: Mapping[str, str] = field(default_factory=dict)  # event keys of further numbers or spectra, by their names


def other_keys(target: str, optimizer: Any, given: Mapping[str, str]) -> dict[str, str]:
    """Return the event key of each further number that an optimizer learns, as given or named as the target is.

    Raises
    ------
    ValueError
        If a key is not given and cannot be told, or is given for something that the optimizer does not learn.
    """
    names = getattr(optimizer, "others", ())
    prefix = target.removesuffix(optimizer.target) if target.endswith(optimizer.target) else None
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given and prefix is None]
    if unknown:
        raise ValueError(f"GPAgent: others names {unknown}; give PixelOptimizer(..., others={[*names, *unknown]}) too")
    if missing:
        raise ValueError(f"GPAgent: which event keys are {missing}? Give others={{{missing[0]!r}: ...}}")
    return {name: given.get(name, f"{prefix}{name}") for name in names}


class HeardRun:
    """The pixels of one run, in the order of their events; of events with one seq_num the first counts.

    Parameters
    ----------
    uid : str
        Of the run.
    listener : Listener
        What to listen for.
    inherited : sequence of Outcome
        Outcomes of the run that this one resumes, which no decision knows yet.
    began : float, optional
        Time of its start document.
    """

    def __init__(
        self, uid: str, listener: Listener, inherited: Sequence[Outcome] = (), began: float | None = None
    ) -> None:
        self.uid = uid
        self.listener = listener
        self.outcomes: list[Outcome] = list(inherited)
        self._began = began
        self._streams: dict[str, _Stream] = {}
        self._seen: set[tuple[str, int]] = set()

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Take a stream in, if it is that of the pixels or of failures; raise where ``primary`` lacks a key."""
        if doc["run_start"] != self.uid:
            return
        stream = _stream(doc, self.listener)
        if stream is not None:
            self._streams[doc["uid"]] = stream

    def event(self, doc: Mapping[str, Any]) -> Outcome | None:
        """Take an event in; return what it says about a pixel, None if nothing new."""
        stream, mark = self._streams.get(doc["descriptor"]), (doc["descriptor"], doc["seq_num"])
        if stream is None or mark in self._seen:
            return None
        self._seen.add(mark)
        outcome = stream.outcome(doc["data"])
        if outcome is None:
            return None
        if self._began is not None:
            outcome = replace(outcome, seconds=max(doc.get("time", self._began) - self._began, 0.0))
        self.outcomes.append(outcome)
        return outcome

    def rejection(self, pixel: int) -> str:
        """Why the measurement heard last, that of `pixel`, was rejected; empty if it was not."""
        last = self.outcomes[-1] if self.outcomes else None
        return last.reason if last is not None and last.pixel == pixel and not last.fault else ""

    @property
    def faults_in_a_row(self) -> int:
        """How many of the latest pixels failed by a fault of the instrument."""
        count = 0
        for outcome in reversed(self.outcomes):
            if not outcome.fault:
                break
            count += 1
        return count


@dataclass(frozen=True)
class _Measured:
    """The stream of the pixels."""

    listener: Listener
    axis: Floats | None

    def outcome(self, data: Mapping[str, Any]) -> Outcome | None:
        pixel = self.listener.axes.pixel(data, self.listener.grid)
        if pixel is None:
            return None
        value, reason = self._value(data[self.listener.target])
        return Outcome(_flat(self.listener.grid, pixel), value, reason, others=self._others(data))

    def _others(self, data: Mapping[str, Any]) -> dict[str, float | Floats]:
        """Read what the event has of further numbers; what is missing or none leaves the pixel good."""
        read = {name: _numbers(data.get(key)) for name, key in self.listener.others.items()}
        return {name: value for name, value in read.items() if value is not None}

    def _value(self, raw: Any) -> tuple[float, str]:
        target, scalarizer = self.listener.target, self.listener.scalarizer
        try:
            value = float(np.asarray(raw).item()) if scalarizer is None else self._scalarized(scalarizer, raw)
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything: the measurement failed
            return nan, f"{target}: {type(error).__name__}: {error}"
        return (value, "") if isfinite(value) else (nan, f"{target} is {value}")

    def _scalarized(self, scalarizer: Scalarizer, raw: Any) -> float:
        spectrum = np.asarray(raw, dtype=np.float64)
        axis = np.arange(spectrum.size, dtype=np.float64) if self.axis is None else self.axis
        return float(scalarizer(spectrum, axis))


@dataclass(frozen=True)
class _Failed:
    """The stream of failures."""

    listener: Listener

    def outcome(self, data: Mapping[str, Any]) -> Outcome | None:
        name = f"{self.listener.name}_failures"
        kind = data.get(f"{name}_kind", FAULT)
        if kind == REJECTED:
            return None  # the event of the measurement said so already
        pixel = tuple(int(p) for p in data[f"{name}_pixel"])
        reason = data[f"{name}_reason"] or "failed"
        return Outcome(_flat(self.listener.grid, pixel), nan, reason, fault=kind == FAULT)


_Stream = _Measured | _Failed


def _numbers(raw: Any) -> float | Floats | None:
    try:
        array = np.array(raw, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return array if array.size > 1 else float(array.item()) if array.size else None


def _flat(grid: PixelGrid, pixel: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(pixel, grid.shape))


def _stream(doc: Mapping[str, Any], listener: Listener) -> _Stream | None:
    if doc["name"] == f"{listener.name}_failures":
        return _Failed(listener)
    if doc["name"] != PIXELS:
        return None  # a baseline may carry the very same keys, and is no pixel
    keys = doc["data_keys"]
    missing = [key for key in (*listener.axes.keys, listener.target, *listener.others.values()) if key not in keys]
    if missing:
        raise KeyError(
            f"{listener.name}: the events of stream {PIXELS!r} carry no {missing}; they carry {sorted(keys)}. "
            f"Give GPAgent a target= (or axes=, or others=) that is one of these"
        )
    _check_target(keys[listener.target], listener)
    for name, key in listener.others.items():
        _check_other(name, key, keys[key], listener)
    return _Measured(listener, _signal_axis(doc, listener.target))


def _check_target(key: Mapping[str, Any], listener: Listener) -> None:
    if "external" in key:
        raise ValueError(
            f"{listener.name}: {listener.target} is written to a file, so the events carry no value to learn from; "
            f"give a target that is a number in the event"
        )
    size = prod(n or 1 for n in key["shape"])
    if listener.scalarizer is None and (size != 1 or key["dtype"] not in ("number", "integer", "array")):
        raise ValueError(
            f"{listener.name}: {listener.target} is of type {key['dtype']} and shape {list(key['shape'])}, "
            f"not a number; give GPAgent a target that is one, or a scalarizer="
        )


def _check_other(name: str, key: str, described: Mapping[str, Any], listener: Listener) -> None:
    numeric = described["dtype"] in ("number", "integer", "array") and len(described["shape"]) < 2
    if numeric and "external" not in described:
        return
    problem = "written to a file" if "external" in described else f"{described['dtype']} {list(described['shape'])}"
    raise ValueError(
        f"{listener.name}: {key}, for {name!r}, is {problem}; a number or a spectrum in the event is needed: name "
        f"another key, GPAgent(..., others={{{name!r}: ...}})"
    )


def _signal_axis(doc: Mapping[str, Any], target: str) -> Floats | None:
    """Find the axis of a spectrum in its detector's configuration: the key that ends in ``_axis``."""
    device = doc["data_keys"][target].get("object_name")
    data = doc.get("configuration", {}).get(device, {}).get("data", {})
    found = [np.asarray(value, dtype=np.float64) for key, value in data.items() if key.endswith("_axis")]
    return found[0] if len(found) == 1 else None
