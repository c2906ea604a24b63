"""A run so far, out of its documents as they come."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from event_model import DocumentRouter, Event, StreamDatum, StreamResource

from bluesky_gp.live.progress import ProgressReader, RunProgress
from bluesky_gp.live.so_far import LastSpectrum, RunSoFar
from bluesky_gp.run import (
    MAPS,
    UNKNOWN,
    EventSpectra,
    History,
    Outcome,
    PixelKeys,
    RunOutcomes,
    made_scalarizer,
    recorded_value,
    scalarizer_of,
    scores_in_words,
    steered_entry,
    units_of,
)
from bluesky_gp.scalarizers import Window, channels, windows_of
from bluesky_gp.typing import Floats


class LiveReader(DocumentRouter):
    """Follows the runs that agents steer, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = RunProgress(None, "")
        self._line = ProgressReader(self._note, self._note)
        self._run: _Run | None = None

    def _note(self, progress: RunProgress) -> None:
        self._progress = progress

    def __call__(self, name: str, doc: dict[str, Any], validate: bool = False) -> Any:
        """Take a document in."""
        self._line(name, doc)
        return super().__call__(name, doc, validate)

    def start(self, doc: Mapping[str, Any]) -> None:
        """Begin with a run, if an agent steers it; the run before it stays as it is until then."""
        gp = steered_entry(doc)
        if gp is not None:
            self._run = _Run(doc, gp)
            self._progress = RunProgress(doc.get("num_points"), gp["target"])

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        """Learn where pixel, target and spectrum are."""
        if self._run is not None and doc["run_start"] == self._run.outcomes.uid:
            self._run.descriptor(doc)

    def stream_resource(self, doc: StreamResource) -> None:
        """Take in that a detector writes a file."""
        if self._run is not None and doc["run_start"] == self._run.outcomes.uid:
            self._run.stream_resource(doc)

    def stream_datum(self, doc: StreamDatum) -> None:
        """Take in which frames of a file belong to which events."""
        if self._run is not None:
            self._run.stream_datum(doc)

    def event(self, doc: Event) -> Event:
        """Take in a pixel, a decision or maps."""
        if self._run is not None:
            self._run.event(doc)
        return doc

    @property
    def so_far(self) -> RunSoFar | None:
        """The run as it is now; None before the first."""
        return None if self._run is None else self._run.so_far(self._progress)


class _Run:
    """What has been heard of one run."""

    def __init__(self, start: Mapping[str, Any], gp: Mapping[str, Any]) -> None:
        self._agent, history = gp["agent"], History.of(gp)
        self._inherited = history.learnt
        self._scalarizer = made_scalarizer(gp)
        keys = PixelKeys.of(gp, self._scalarizer, others={})
        self.outcomes = RunOutcomes(start["uid"], keys, history.unlearnt, start.get("time"), needed=False)
        self._failed: set[int] = set()  # that an event of its own says to have failed
        self._title = str(gp.get("optimizer_target", gp["target"]))
        self._units = ""
        self._source = EventSpectra()
        self._spectrum: LastSpectrum | None = None
        self._windows: Mapping[str, Window] = {}
        self._proposed = keys.grid.unravel(history.rest)
        self._gp, self._scores = gp, ""
        self._maps: dict[str, Floats] = {}
        self._ages: dict[str, int] = {}
        self._decisions: dict[int, tuple[float, float]] = {}  # pixels attempted, best value

    def descriptor(self, doc: Mapping[str, Any]) -> None:
        self.outcomes.descriptor(doc)
        target, keys = self.outcomes.keys.target, doc["data_keys"]
        if doc.get("name") != "primary" or target not in keys:
            return
        self._units = units_of(keys, target, self.outcomes.keys.monitor)
        self._source.descriptor(doc, target)
        if self._source.key:
            self._windows = windows_of(self._scalarizer or scalarizer_of(doc, target))

    def stream_resource(self, doc: StreamResource) -> None:
        self.outcomes.stream_resource(doc)
        self._source.stream_resource(doc)

    def stream_datum(self, doc: StreamDatum) -> None:
        self.outcomes.stream_datum(doc)
        self._source.stream_datum(doc)

    def event(self, doc: Event) -> None:
        data, grid = doc["data"], self.outcomes.keys.grid
        outcome = self.outcomes.event(doc)
        spectrum = None if outcome is None else self._source.of(doc)
        if outcome is not None and spectrum is not None:
            self._spectrum = self._last_spectrum(spectrum, outcome)
        if f"{self._agent}_failures_pixel" in data:
            self._failed.add(int(grid.ravel([data[f"{self._agent}_failures_pixel"]])[0]))
        if f"{self._agent}_iteration" in data:
            self._decision(data)
        if f"{self._agent}_maps_iteration" in data:
            self._take_maps(data)

    def _last_spectrum(self, values: npt.NDArray[Any], outcome: Outcome) -> LastSpectrum:
        [pixel] = self.outcomes.keys.grid.unravel([outcome.pixel]).tolist()
        axis, axis_units = self._source.axis, self._source.axis_units
        if axis is None or len(axis) != len(values):
            axis, axis_units = channels(values), ""
        return LastSpectrum(
            tuple(pixel), values, axis, self._source.units, axis_units, self._source.axis_name, self._source.key,
            self._windows,
        )  # fmt: skip

    def _decision(self, data: Mapping[str, Any]) -> None:
        value = partial(recorded_value, data, self._agent)
        rows = np.asarray(value("proposed"), dtype=np.intp)
        self._proposed = rows[rows[:, 0] >= 0]
        attempted = float(value("n_measured")) + float(value("n_failed"))
        self._decisions.setdefault(int(value("iteration")), (attempted, float(value("best_value"))))

    def _take_maps(self, data: Mapping[str, Any]) -> None:
        """Take maps in; the last decision proposes nothing, so that the acquisition before it says more."""
        for name in MAPS:
            values = np.asarray(data[f"{self._agent}_maps_{name}"], dtype=np.float64)
            if np.isfinite(values).any():
                self._scores = self._scores or scores_in_words(self._gp)
                self._maps[name], self._ages[name] = values, int(data[f"{self._agent}_maps_iteration"])

    def so_far(self, progress: RunProgress) -> RunSoFar:
        keys = self.outcomes.keys
        known, to_come = self.outcomes.outcomes, self.outcomes.to_come
        unknown = () if to_come is None else to_come.waiting
        last = {o.pixel: o for o in (*self._inherited, *known, *unknown)}  # in the order of the first attempt
        failed = [pixel for pixel, o in last.items() if (o.failed if o.reason != UNKNOWN else pixel in self._failed)]
        proposed = [tuple(p) for p in self._proposed.tolist() if int(keys.grid.ravel([p])[0]) not in last]
        decisions = np.array([self._decisions[i] for i in sorted(self._decisions)]).reshape(-1, 2)
        return RunSoFar(
            grid=keys.grid,
            target=self._title,
            units=self._units,
            progress=progress,
            pixels=keys.grid.unravel(list(last)),
            values=np.array([outcome.value for outcome in last.values()]),
            failed=keys.grid.unravel(failed),
            proposed=np.array(proposed, dtype=np.intp).reshape(-1, keys.grid.ndim),
            maps=dict(self._maps),
            ages=dict(self._ages),
            spectrum=self._spectrum,
            attempted=decisions[:, 0],
            best=decisions[:, 1],
            scores=self._scores,
        )
