"""A run read back: its documents, from a catalog, a journal or a session, as arrays."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Floats, Indices, Scalarizer
from bluesky_gp.run.events import PIXELS, Axes, HeardRun, Listener, Outcome, last_words
from bluesky_gp.run.history import History

_LARGEST = 2**26  # pixels; half a GiB a map


@dataclass(frozen=True)
class Spectra:
    """The spectra of a run, in the order of their measurement; those that the scalarizer rejected are among them."""

    pixels: Indices  # (n_spectra, ndim)
    values: Floats  # (n_spectra, n_channels)
    axis: Floats  # (n_channels,)
    units: str
    axis_units: str


@dataclass(frozen=True)
class RunRecord:
    """What a run of `adaptive_map` measured, decided and predicted."""

    start: Mapping[str, Any]
    stop: Mapping[str, Any]  # empty while the run goes on
    grid: PixelGrid
    target: str
    units: str
    outcomes: tuple[Outcome, ...]  # every pixel attempted, in order
    iterations: Mapping[str, Any] = field(repr=False)  # columns of stream `gp`, without the agent's name
    maps: Mapping[str, Floats] = field(
        repr=False
    )  # mean, std, acquisition: the last of each; empty if none was written
    spectra: Spectra | None = field(repr=False)

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[tuple[str, Mapping[str, Any]]],
        *,
        scalarizer: Scalarizer | None = None,
        others: Mapping[str, str] | None = None,
    ) -> "RunRecord":
        """Read the documents of one run, ``(name, document)``.

        Parameters
        ----------
        scalarizer : callable, optional
            The agent's, if the detector had none of its own.
        others : mapping, optional
            Event keys of further numbers and spectra, by their names. Default: those that the run's agent heard.

        Raises
        ------
        ValueError
            If they are not those of a run that a `GPAgent` steered, or are damaged.
        """
        reader = _Reader(scalarizer, others)
        for name, doc in documents:
            with _damage(name):
                reader.take(name, doc)
        with _damage("event"):
            return reader.record()

    @property
    def measured(self) -> tuple[Indices, Floats]:
        """Pixels that have a value, shape ``(n, ndim)``, in order, and their values, shape ``(n,)``.

        Those that were marked as failed afterwards have none any more.
        """
        good = [outcome for outcome in last_words(self.outcomes) if not outcome.failed]
        flat = np.array([outcome.pixel for outcome in good], dtype=np.intp)
        return self.grid.unravel(flat), np.array([outcome.value for outcome in good])

    @property
    def failed(self) -> Indices:
        """Pixels that failed, shape ``(n, ndim)``."""
        return self.grid.unravel(np.array([o.pixel for o in last_words(self.outcomes) if o.failed], dtype=np.intp))

    @property
    def inherited(self) -> History:
        """What the run began with: where it resumes another, that one's pixels and decisions."""
        return History.of(self.start["gp"])

    @property
    def together(self) -> "RunRecord":
        """The run with the pixels of those that it resumes, in order; their spectra are in their own records."""
        inherited = self.inherited
        return replace(self, outcomes=(*inherited.learnt, *inherited.unlearnt, *self.outcomes), spectra=None)

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


class _Reader:
    """Takes documents in, one after another."""

    def __init__(self, scalarizer: Scalarizer | None, others: Mapping[str, str] | None) -> None:
        self.scalarizer = scalarizer
        self.others = others
        self.start: Mapping[str, Any] = {}
        self.stop: Mapping[str, Any] = {}
        self.heard: HeardRun | None = None
        self.agent = ""
        self.units = ""
        self.spectrum_key = ""
        self.spectra: list[tuple[int, Floats]] = []
        self.description: dict[str, Any] = {}
        self.iterations: dict[int, Mapping[str, Any]] = {}
        self.maps: Mapping[str, Any] = {}

    def take(self, name: str, doc: Mapping[str, Any]) -> None:
        if name == "start":
            self._begin(doc)
        elif name == "stop":
            self.stop = doc
        elif self.heard is not None and name == "descriptor":
            self.heard.descriptor(doc)
            if doc["name"] == PIXELS:
                self._describe(doc, self.heard.listener.target)
        elif self.heard is not None and name == "event":
            self._event(doc, self.heard)

    def _begin(self, doc: Mapping[str, Any]) -> None:
        gp = doc.get("gp")
        if not gp or "axes" not in gp or "grid" not in gp:
            raise ValueError(
                f"run {str(doc.get('uid'))[:8]} was not steered by a GPAgent: its start document has no 'gp'"
            )
        self.start, self.agent = doc, gp["agent"]
        grid = PixelGrid.from_mapping(gp["grid"])
        if grid.size > _LARGEST:
            raise ValueError(f"its grid has {grid.size} pixels, and {_LARGEST} are the most")
        others = gp.get("other_keys", {}) if self.others is None else self.others
        listener = Listener(self.agent, gp["target"], grid, Axes.of(gp["axes"]), self.scalarizer, others)
        self.heard = HeardRun(doc["uid"], listener, began=doc.get("time"))

    def _describe(self, doc: Mapping[str, Any], target: str) -> None:
        keys = doc["data_keys"]
        self.units = keys[target].get("units", "") or ""
        device = keys[target].get("object_name")
        ours = [key for key, value in keys.items() if value.get("object_name") == device and len(value["shape"]) == 1]
        configuration = doc.get("configuration", {}).get(device, {})
        axis = [key for key in configuration.get("data", {}) if key.endswith("_axis")]
        if len(ours) == 1 and len(axis) == 1:
            self.spectrum_key = ours[0]
            self.description = {
                "axis": np.asarray(configuration["data"][axis[0]], dtype=np.float64),
                "units": keys[ours[0]].get("units", "") or "",
                "axis_units": configuration["data_keys"][axis[0]].get("units", "") or "",
            }

    def _event(self, doc: Mapping[str, Any], heard: HeardRun) -> None:
        data = doc["data"]
        outcome = heard.event(doc)
        if outcome is not None and self.spectrum_key in data:
            self.spectra.append((outcome.pixel, np.asarray(data[self.spectrum_key], dtype=np.float64)))
        if f"{self.agent}_iteration" in data:
            self.iterations.setdefault(int(data[f"{self.agent}_iteration"]), data)
        if f"{self.agent}_maps_mean" in data:
            self.maps = data

    def record(self) -> RunRecord:
        if self.heard is None:
            raise ValueError("the documents hold no start document")
        rows = [self.iterations[i] for i in sorted(self.iterations)]
        prefix, maps_prefix = f"{self.agent}_", f"{self.agent}_maps_"
        names = rows[0] if rows else {}
        grid, spectra = self.heard.listener.grid, None
        if self.spectra:
            pixels, values = zip(*self.spectra, strict=True)
            spectra = Spectra(grid.unravel(np.array(pixels)), np.array(values), **self.description)
        return RunRecord(
            start=self.start,
            stop=self.stop,
            grid=grid,
            target=self.heard.listener.target,
            units=self.units,
            outcomes=tuple(self.heard.outcomes),
            iterations={name.removeprefix(prefix): np.array([row[name] for row in rows]) for name in names},
            maps={
                name.removeprefix(maps_prefix): np.asarray(self.maps[name], dtype=np.float64)
                for name in self.maps
                if name != f"{maps_prefix}iteration"
            },
            spectra=spectra,
        )
