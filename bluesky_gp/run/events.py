"""The pixels of a run, out of its documents: the agent hears them while they are made, a reader from a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.recording import FrameError
from bluesky_gp.run.checked_keys import check_keys
from bluesky_gp.run.filed_target import FiledTarget
from bluesky_gp.run.keys import EVENT_TIME, PIXELS, PixelKeys
from bluesky_gp.run.learnt_values import UNKNOWN, LearntValues, UnmadeScalarizer, ValuesToCome, check_learnt
from bluesky_gp.run.outcomes import FAULT, REJECTED, Outcome
from bluesky_gp.run.spectra import signal_axis
from bluesky_gp.scalarizers import as_number, as_spectrum, channels, evaluate
from bluesky_gp.typing import Floats


class RunOutcomes:
    """The pixels of one run, in the order of their events; of events with one seq_num the first counts.

    Parameters
    ----------
    uid : str
        Of the run.
    keys : PixelKeys
        What to listen for.
    inherited : sequence of Outcome
        Outcomes of the run that this one resumes, which no decision knows yet.
    began : float, optional
        Time of its start document.
    needed : bool
        Whether a stream of pixels that lacks a key is an error. False: the run is somebody else's, and teaches nothing.
    """

    def __init__(
        self,
        uid: str,
        keys: PixelKeys,
        inherited: Sequence[Outcome] = (),
        began: float | None = None,
        *,
        needed: bool = True,
    ) -> None:
        self.uid = uid
        self.keys = keys
        self.outcomes: list[Outcome] = list(inherited)
        self.began = began
        self._streams: dict[str, _Stream] = {}
        self._seen: set[tuple[str, int]] = set()
        self._needed = needed
        self._lacking = ""
        self._outside = 0  # events of no pixel of the grid
        self._elsewhere: list[str] = []  # streams that carry the target, and are not that of the pixels
        self._filed: FiledTarget | None = None
        unmade = keys.scalarizer if isinstance(keys.scalarizer, UnmadeScalarizer) else None
        self.to_come = None if unmade is None else ValuesToCome(unmade.problem)
        self._n_compared = len(inherited)
        self._known: set[tuple[int, int]] = set()  # values that the record has: iteration, and place of the first

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Take a stream in, if it is that of the pixels or of failures; raise where ``primary`` lacks a key."""
        if doc["run_start"] != self.uid:
            return
        try:
            stream = _stream(doc, self.keys)
        except (KeyError, ValueError) as error:
            if self._needed:
                raise
            self._lacking = str(error.args[0])
            return
        if stream is not None:
            self._streams[doc["uid"]] = stream
            about = doc["data_keys"].get(self.keys.target, {})
            if isinstance(stream, _Measured) and "external" in about and not (self._filed or self.to_come):
                self._filed = FiledTarget(self.keys.target, about["shape"])
        elif self.keys.target in doc["data_keys"]:
            self._elsewhere.append(doc["name"])

    def stream_resource(self, doc: Mapping[str, Any]) -> None:
        """Take in that a detector writes a file; raise ValueError if it has the target and cannot be read."""
        if self._filed is not None and doc["run_start"] == self.uid:
            self._filed.frames.resource(doc)

    def stream_datum(self, doc: Mapping[str, Any]) -> None:
        """Take in which frames of a file belong to which events."""
        if self._filed is not None:
            self._filed.frames.datum(doc)

    def check_frames(self) -> None:
        """Raise ValueError if frames cannot be read that could be when the run was measured, see `FiledTarget`."""
        if self._filed is not None:
            self._filed.check(self.uid)

    @property
    def doubt(self) -> str:
        """Why the run taught nothing, or not all, in words; empty if it taught all, or nobody can tell."""
        if self._outside and self.keys.axes.space == "pixel":
            axes = [*self.keys.axes.keys]
            return (
                f"{self._outside} events lie outside the grid of shape {self.keys.grid.shape}, as {axes} are read as "
                f"rows and columns; of positions write axes={{'keys': {axes}, 'space': 'stage'}}"
            )
        if self.outcomes or not (self._lacking or self._elsewhere):
            return ""
        streams = ", ".join(map(repr, self._elsewhere))
        return self._lacking or (
            f"{self.keys.target} stands in stream {streams}, and pixels are heard in {PIXELS!r} alone: nothing was "
            f"learnt"
        )

    def event(self, doc: Mapping[str, Any]) -> Outcome | None:
        """Take an event in; return what it says about a pixel, None if nothing new."""
        stream, mark = self._streams.get(doc["descriptor"]), (doc["descriptor"], doc["seq_num"])
        if stream is None or mark in self._seen:
            return None
        self._seen.add(mark)
        if isinstance(stream, _Values):
            self._learn(stream.said(doc["data"]))
            return None
        filed, measured = self._filed, isinstance(stream, _Measured)
        data = doc["data"] if filed is None or not measured else filed.completed(doc)
        outcome = stream.outcome({EVENT_TIME: _measured_at(doc, self.keys.target), **data})
        if outcome is None:
            if filed is not None and isinstance(stream, _Failed):
                filed.reject(self.outcomes, *stream.said(data))
            self._outside += measured
            return None
        if self.began is not None:
            outcome = replace(outcome, seconds=max(doc.get("time", self.began) - self.began, 0.0))
        if self.to_come is not None:
            self.to_come.add(outcome)
            return outcome
        self.outcomes.append(outcome)
        if filed is not None and measured:
            filed.note(len(self.outcomes) - 1, outcome, data)
        return outcome

    def has(self, values: LearntValues) -> bool:
        """Whether the record has these values already."""
        return (values.iteration, values.first) in self._known

    def _learn(self, learnt: LearntValues) -> None:
        """Take in values that a decision learnt: of outcomes that have none, or to be compared with those made here."""
        if self.has(learnt):
            return
        self._known.add((learnt.iteration, learnt.first))
        if self.to_come is not None:
            self.outcomes += self.to_come.given(learnt.values)
            return
        begin, self._n_compared = self._n_compared, self._n_compared + len(learnt.values)
        made = self.outcomes[begin : self._n_compared]
        if self._filed is None or not any(outcome.failed for outcome in made):  # files may be gone
            check_learnt(made, learnt.values)

    def rejection(self, pixel: int) -> str:
        """Why the measurement heard last, that of `pixel`, was rejected; empty if it was not."""
        last = self.outcomes[-1] if self.outcomes else None
        return last.reason if last is not None and last.pixel == pixel and not last.fault else ""

    @property
    def knows_values(self) -> bool:
        """Whether `value_in` can tell a value: a scalarizer has an axis once the first pixel was described."""
        return self.keys.scalarizer is None or self._measured is not None

    def value_in(self, data: Mapping[str, Any]) -> float:
        """Return the value that data as in an event of a pixel stand for; NaN where it is no good.

        Raises
        ------
        ValueError
            If the target or the pixel is not among them.
        """
        measured = self._measured or _Measured(self.keys, None)
        outcome = measured.outcome(data) if self.keys.target in data else None
        if outcome is None:
            raise ValueError(f"{self.keys.name}: there is no {self.keys.target} of a pixel in {sorted(data)}")
        return outcome.value

    @property
    def _measured(self) -> "_Measured | None":
        return next((stream for stream in self._streams.values() if isinstance(stream, _Measured)), None)

    @property
    def faults_in_a_row(self) -> int:
        """Number of the latest pixels, in a row, that failed by a fault of the instrument."""
        count = 0
        for outcome in reversed(self.outcomes):
            if not outcome.fault:
                break
            count += 1
        return count


@dataclass(frozen=True)
class _Measured:
    """The stream of the pixels."""

    keys: PixelKeys
    axis: Floats | None

    def outcome(self, data: Mapping[str, Any]) -> Outcome | None:
        pixel = self.keys.axes.pixel(data, self.keys.grid)
        if pixel is None:
            return None
        unmade = isinstance(self.keys.scalarizer, UnmadeScalarizer)  # the target may be in a file, and not among data
        value, reason = (nan, UNKNOWN) if unmade else self._value(data[self.keys.target])
        if self.keys.monitor and not reason:
            value, reason = self._divided(value, data.get(self.keys.monitor))
        return Outcome(_flat(self.keys.grid, pixel), value, reason, others=self._others(data))

    def _others(self, data: Mapping[str, Any]) -> dict[str, float | Floats]:
        """Read the auxiliary quantities of an event; what is missing or no number leaves the pixel good."""
        read = {name: _auxiliary(key, data.get(key)) for name, key in self.keys.others.items()}
        return {name: value for name, value in read.items() if value is not None}

    def _value(self, raw: Any) -> tuple[float, str]:
        target, scalarizer = self.keys.target, self.keys.scalarizer
        if isinstance(raw, FrameError):
            return nan, f"{target}: {raw}"
        try:
            if scalarizer is not None:
                spectrum = as_spectrum(raw)
                value, reason = evaluate(scalarizer, spectrum, channels(spectrum) if self.axis is None else self.axis)
                return value, reason and f"{target}: {reason}"
            if np.ma.is_masked(raw):  # numpy would hand on what lies under the mask
                return nan, f"{target} is masked"
            value = as_number(raw)
        except (TypeError, ValueError) as error:  # an array or a text where a number should be
            return nan, f"{target}: {type(error).__name__}: {error}"
        return (value, "") if isfinite(value) else (nan, f"{target} is {value}")

    def _divided(self, value: float, raw: Any) -> tuple[float, str]:
        """Divide a value by the reading of the monitor."""
        monitor = self.keys.monitor
        try:
            reading = nan if raw is None or np.ma.is_masked(raw) else as_number(raw)
        except (TypeError, ValueError) as error:
            return nan, f"monitor {monitor}: {type(error).__name__}: {error}"
        if not isfinite(reading) or reading == 0.0:
            return nan, f"monitor {monitor} is {reading:g}: nothing to divide by"
        divided = value / reading
        return (divided, "") if isfinite(divided) else (nan, f"{self.keys.target}/{monitor} is {divided}")


@dataclass(frozen=True)
class _Failed:
    """The stream of failures."""

    keys: PixelKeys

    def outcome(self, data: Mapping[str, Any]) -> Outcome | None:
        kind = data.get(f"{self.keys.name}_failures_kind", FAULT)
        if kind == REJECTED:
            return None  # the event of the measurement said so already
        pixel, reason = self.said(data)
        return Outcome(pixel, nan, reason, fault=kind == FAULT)

    def said(self, data: Mapping[str, Any]) -> tuple[int, str]:
        """Return the pixel, and why it failed."""
        name = f"{self.keys.name}_failures"
        pixel = tuple(int(p) for p in data[f"{name}_pixel"])
        return _flat(self.keys.grid, pixel), data[f"{name}_reason"] or "failed"


@dataclass(frozen=True)
class _Values:
    """The stream of values that the agent learnt."""

    name: str

    def said(self, data: Mapping[str, Any]) -> LearntValues:
        """Return what an event says."""
        return LearntValues.of(data, self.name)


_Stream = _Measured | _Failed | _Values


def _measured_at(doc: Mapping[str, Any], target: str) -> Any:
    """Return the timestamp of the target: events of a page share one time, that of the page."""
    return doc.get("timestamps", {}).get(target, doc.get("time"))


def _auxiliary(key: str, raw: Any) -> float | Floats | None:
    if np.iscomplexobj(raw):
        raise ValueError(
            f"{key} is complex, {np.asarray(raw).dtype}, and auxiliary quantities are real: have the detector give its "
            f"modulus, phase or parts under keys of their own, and name those, GPAgent(..., others=...)"
        )
    try:
        array = as_spectrum(raw) if np.ndim(raw) else np.asarray(as_number(raw))
    except (TypeError, ValueError):
        return None
    return array if array.size > 1 else float(array.item()) if array.size else None


def _flat(grid: PixelGrid, pixel: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(pixel, grid.shape))


def _stream(doc: Mapping[str, Any], keys: PixelKeys) -> _Stream | None:
    if doc["name"] == f"{keys.name}_failures":
        return _Failed(keys)
    if doc["name"] == f"{keys.name}_values":
        return _Values(doc["name"])
    if doc["name"] != PIXELS:
        return None  # a baseline may carry the very same keys, and is no pixel
    check_keys(doc["data_keys"], keys)
    return _Measured(keys, signal_axis(doc, keys.target)[0])
