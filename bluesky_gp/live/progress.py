"""Progress of a run: pixels, the best so far, what more would gain, the time left, out of its documents."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf, isfinite, nan
from statistics import median
from typing import Any, Self

from event_model import DocumentRouter, Event

from bluesky_gp.grid import PixelGrid
from bluesky_gp.run import (
    Action,
    Axes,
    Budget,
    agent_entry,
    number_after,
    recorded_action,
    recorded_value,
    steered_entry,
    units_of,
)
from bluesky_gp.units import rounded


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run."""

    num: int | None  # pixels to attempt; None: not known
    target: str
    done: int = 0  # pixels measured or failed
    failed: int = 0
    iteration: int = -1
    best_value: float = nan
    best_pixel: tuple[int, ...] = ()
    units: str = ""
    seconds_left: float | None = None
    stop_reason: str = ""
    next_time: float = 0.0  # s, that the next decision is expected to take
    forecast_num: int = 0  # pixels, beyond those that are done, ...
    best_gain: float = nan  # ... that are expected to better the best value by so much
    map_error: float = nan  # RMS, expected of the map as it is
    map_gain: float = nan  # by how much they are expected to lower it
    budget: str = ""  # what is left of it, in words

    @property
    def ended(self) -> bool:
        """Whether the agent has proposed its last pixel."""
        return bool(self.stop_reason)

    @property
    def best(self) -> str:
        """The best value so far, with its unit and pixel."""
        if not isfinite(self.best_value):
            return ""
        units = f" {self.units}" if self.units else ""
        return f"best {self.target} {rounded(self.best_value)}{units} at {self.best_pixel}"

    @property
    def outlook(self) -> str:
        """Gains that are expected of more pixels, in words; empty where nobody knows."""
        if self.ended or not self.forecast_num or not isfinite(self.map_gain):
            return ""
        units = f" {self.units}" if self.units else ""
        gain = self.best_gain if self.best_gain > 0.01 * self.map_error else 0.0
        after = self.map_error - self.map_gain
        error = f"{rounded(self.map_error, 2)} to {rounded(after, 2)}{units}"
        return f"{self.forecast_num} more: best +{rounded(gain, 2)}, map error {error}"

    def __str__(self) -> str:
        of = "" if self.num is None else f" of {self.num}"
        parts = [f"{self.done:5d}{of} pixels", self.best, self.outlook]
        parts.append(f"{self.failed} failed" if self.failed else "")
        parts.append(_ended(self.stop_reason) if self.ended else _left(self.seconds_left))
        parts.append("" if self.ended else self.budget)
        parts.append(f"the next decision takes about {self.next_time:.0f} s" if self.next_time >= 1.0 else "")
        return "  |  ".join(part for part in parts if part)


class ProgressReader(DocumentRouter):
    """Follows the runs that an agent steers, whatever the agent's name is.

    Parameters
    ----------
    show : callable
        Called with a `RunProgress` after every decision of the agent.
    show_pixel : callable, optional
        Called with a `RunProgress` after every pixel.
    """

    def __new__(cls, *given: Any, **named: Any) -> Self:
        """Make a reader, unless a RunEngine calls the class itself with a document."""
        if len(given) == 2 and isinstance(given[0], str):
            raise TypeError(f"{cls.__name__} is the class; subscribe an object: RE.subscribe({cls.__name__}())")
        return super().__new__(cls)

    def __init__(
        self, show: Callable[[RunProgress], Any], show_pixel: Callable[[RunProgress], Any] | None = None
    ) -> None:
        super().__init__()
        if not callable(show):
            raise TypeError(f"{type(self).__name__}: show must be a function of a RunProgress, got {show!r:.80}")
        self._show = show
        self._show_pixel = show_pixel
        self._agent = ""
        self._progress = RunProgress(None, "")
        self._pace = _Pace()
        self._budget, self._began, self._monitor = Budget(), 0.0, ""
        self._streams: dict[str, str] = {}
        self._known = 0  # pixels that the agent knew before the run
        self._pixels: set[int] = set()  # seq_nums since the last decision
        self._where: Callable[[Mapping[str, Any]], tuple[int, ...] | None] | None = None
        self._last: tuple[tuple[int, ...] | None, int] = (None, 0)  # pixel and seq_num of the latest event
        self._again = 0  # events of a pixel that was looked at already
        self._num: int | None = None  # pixels to attempt, as the run began
        self._actions: dict[str, Action] = {}  # of people, by id: the same come once more after a pause

    def start(self, doc: Mapping[str, Any]) -> None:
        """Begin with a run, if an agent steers it."""
        gp = agent_entry(doc)
        if gp is None:
            return
        self._agent, self._pace, self._streams, self._pixels = gp["agent"], _Pace(), {}, set()
        self._budget, self._began, self._monitor = Budget.of(gp), doc.get("time", 0.0), gp.get("monitor", "")
        steered = steered_entry(doc)
        self._where = (
            None
            if steered is None
            else partial(Axes.of(steered["axes"]).pixel, grid=PixelGrid.from_mapping(steered["grid"]))
        )
        self._last, self._again = (None, 0), 0
        self._num, self._actions = doc.get("num_points"), {}
        expected = [s for s in (gp.get("expected_seconds"), self._budget.seconds) if s]
        self._progress = RunProgress(
            self._num, gp["target"], seconds_left=min(expected, default=None),
            budget=self._budget.left(0.0, 0), units=self._known_units(gp),
        )  # fmt: skip

    def _known_units(self, gp: Mapping[str, Any]) -> str:
        """Return the unit of a run that goes on with one of the same target: it has a best before its first event."""
        goes_on = gp.get("resumed_from") and gp["target"] == self._progress.target
        return self._progress.units if goes_on else ""

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Learn the name of a stream, and the unit of the target."""
        self._streams[doc["uid"]] = doc.get("name", "")
        keys = doc["data_keys"]
        units = units_of(keys, self._progress.target, self._monitor) if self._progress.target in keys else ""
        if not self._progress.units and doc.get("name") == self._agent:  # where the agent was told one
            units = keys.get(f"{self._agent}_best_value", {}).get("units") or ""
        if units:
            self._progress = replace(self._progress, units=units)

    def event(self, doc: Event) -> Event:
        """Count a pixel, show a decision, or take in what a person asked for."""
        stream = self._streams.get(doc["descriptor"])
        if stream == "primary":
            if self._is_new(doc):
                self._pixels.add(doc["seq_num"])
            if self._show_pixel is not None:
                self._show_pixel(replace(self._progress, done=self._progress.done + len(self._pixels)))
        elif stream is not None and stream == self._agent:
            self._decision(doc)
        elif stream is not None and stream == f"{self._agent}_hands":
            action = recorded_action(doc["data"], stream)
            self._actions[action.id] = action
            self._progress = replace(self._progress, num=number_after(self._num, self._actions.values()))
        return doc

    def _is_new(self, doc: Event) -> bool:
        """Whether an event is no further look at the pixel of the one before, nor the same once more after a pause."""
        pixel = None if self._where is None else self._where(doc["data"])
        last, number = self._last
        if doc["seq_num"] <= number:
            return False
        self._last, again = (pixel, doc["seq_num"]), pixel is not None and pixel == last
        self._again += again
        return not again

    def _decision(self, doc: Event) -> None:
        value = partial(recorded_value, doc["data"], self._agent)
        if value("iteration") == self._progress.iteration:
            return  # the same, once more after a pause
        known = int(value("n_measured") + value("n_failed")) - self._again
        self._known = known if value("iteration") == 0 else self._known
        done = known - self._known
        passed, measured = doc["time"] - self._began, int(value("n_outcomes")) if self._budget != Budget() else 0
        self._progress = replace(
            self._progress,
            done=done,
            failed=int(value("n_failed")),
            iteration=int(value("iteration")),
            best_value=float(value("best_value")),
            best_pixel=tuple(int(p) for p in value("best_pixel")),
            seconds_left=self._seconds_left(doc["time"], done, measured),
            stop_reason=value("stop_reason") if value("proposed")[0][0] < 0 else "",
            next_time=float(value("next_time")),
            forecast_num=int(value("forecast_num")),
            best_gain=float(value("best_gain")),
            map_error=float(value("map_error")),
            map_gain=float(value("map_gain")),
            budget=self._budget.left(passed, measured),
        )
        self._pixels.clear()
        self._show(self._progress)

    def _seconds_left(self, now: float, done: int, measured: int) -> float | None:
        pace = self._pace.after(now, done)
        if pace is None or self._progress.num is None:
            return self._progress.seconds_left
        by_dose, by_time = self._budget.pixels_left(measured), self._budget.seconds
        to_come = max(self._progress.num - done, 0)  # those that people want are measured beyond it
        pixels = min(to_come, inf if by_dose is None else by_dose)
        return min(pace * pixels, inf if by_time is None else max(by_time - (now - self._began), 0.0))


class _Pace:
    """Seconds a pixel: the median over the latest iterations, so that a pause in one of them does not count."""

    def __init__(self) -> None:
        self._last: tuple[float, int] | None = None
        self._paces: deque[float] = deque(maxlen=7)

    def after(self, now: float, done: int) -> float | None:
        if self._last is not None and done > self._last[1]:
            self._paces.append((now - self._last[0]) / (done - self._last[1]))
        self._last = now, done
        return median(self._paces) if self._paces else None


def _ended(reason: str) -> str:
    return "all measured" if reason == "num" else f"stopped: {reason}"


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s left"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min left"
    return f"{seconds / 3600:.1f} h left"
