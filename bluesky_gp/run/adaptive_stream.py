"""A steered run with a further stream, in the schema of Tsuchinoko's adaptive runs, which Lightfall's viewer shows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from event_model import EventPage, unpack_event_page

from bluesky_gp.grid import PixelGrid
from bluesky_gp.run.keys import Axes
from bluesky_gp.run.schema import steered_entry
from bluesky_gp.typing import Floats

__all__ = ["with_adaptive_stream"]

_STREAM = "adaptive"
_SOURCE = "tsuchinoko"  # by which viewers know the schema, whoever wrote the run
_LETTERS = "xyz"  # of the axes: the schema ends at three

Document = tuple[str, Mapping[str, Any]]


def with_adaptive_stream(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield the documents of a run, and behind each event of maps one of the stream ``adaptive``.

    It holds `hyperparameters`, `targets` (the batch, padded with NaN), `posterior_mean`, `posterior_variance` and
    `acquisition_function`, arrays as one row; their shapes stand in the data keys, the values along the axes in the
    descriptor's configuration, in the unit of the run's own axes. A run that no agent steered, one without maps and one
    of more than three axes are left as they are.
    """
    stream: _Stream | None = None
    for name, doc in documents:
        if name == "start":
            stream = _stream_of(doc)
        if stream is None:
            yield name, doc
        elif name == "stop":
            yield name, stream.counted(doc)
        else:
            yield name, doc
            for event in _events(name, doc):
                yield from stream.behind(event)


def _events(name: str, doc: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if name == "event":
        return [doc]
    return unpack_event_page(cast(EventPage, doc)) if name == "event_page" else ()


def _stream_of(start: Mapping[str, Any]) -> "_Stream | None":
    gp = steered_entry(start)
    if gp is None:
        return None
    grid = PixelGrid.from_mapping(gp["grid"])
    return _Stream(start["uid"], gp["agent"], grid, Axes.of(gp["axes"])) if grid.ndim <= len(_LETTERS) else None


class _Stream:
    """The documents that a run is given: a descriptor, then an event for every event of maps."""

    def __init__(self, run: str, agent: str, grid: PixelGrid, axes: Axes) -> None:
        self._run = run
        self._agent = agent
        self._grid = grid
        self._axes = axes
        self._uid = f"{run}-{_STREAM}"
        self._decision: Mapping[str, Any] = {}
        self._count = 0

    def behind(self, event: Mapping[str, Any]) -> Iterator[Document]:
        """Yield what belongs behind an event of the run."""
        data, maps = event["data"], f"{self._agent}_maps_"
        if f"{self._agent}_proposed" in data:
            self._decision = data
        if f"{maps}mean" not in data or not self._decision:
            return
        values = self._values(*(np.asarray(data[f"{maps}{key}"], float) for key in ("mean", "std", "acquisition")))
        if not self._count:
            yield "descriptor", self._descriptor(values, event["time"])
        self._count += 1
        yield (
            "event",
            {
                "uid": f"{self._uid}-{self._count}",
                "descriptor": self._uid,
                "seq_num": self._count,
                "time": event["time"],
                "data": values,
                "timestamps": dict.fromkeys(values, event["time"]),
            },
        )

    def counted(self, stop: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the stop document, with the events of the stream among those that it counts."""
        if not self._count:
            return stop
        return {**stop, "num_events": {**stop.get("num_events", {}), _STREAM: self._count}}

    def _values(self, mean: Floats, std: Floats, acquisition: Floats) -> dict[str, Floats]:
        rows = np.asarray(self._decision[f"{self._agent}_proposed"], dtype=float)
        targets = np.where(rows < 0, np.nan, rows)
        return {
            "hyperparameters": np.asarray(self._decision[f"{self._agent}_kernel_theta"], dtype=float).ravel(),
            "targets": self._as_recorded(targets).ravel(),
            "posterior_mean": mean.ravel(),
            "posterior_variance": std.ravel() ** 2,
            "acquisition_function": acquisition.ravel(),
        }

    def _as_recorded(self, pixels: Floats) -> Floats:
        """Return pixels, shape ``(n, ndim)``, as the run's events say where they are."""
        return pixels if self._axes.space == "pixel" else self._grid.position(pixels)

    def _descriptor(self, values: Mapping[str, Floats], time: float) -> dict[str, Any]:
        keys = {key: _key(len(row)) for key, row in values.items()}
        keys["targets"]["target_shape"] = [len(values["targets"]) // self._grid.ndim, self._grid.ndim]
        for key in ("posterior_mean", "posterior_variance", "acquisition_function"):
            keys[key]["grid_shape"] = list(self._grid.shape)
        return {
            "uid": self._uid,
            "run_start": self._run,
            "name": _STREAM,
            "time": time,
            "data_keys": keys,
            "object_keys": {_SOURCE: list(keys)},
            "configuration": {_SOURCE: self._configuration(time)},
            "hints": {},
        }

    def _configuration(self, time: float) -> dict[str, Any]:
        data = {}
        for axis, (letter, size) in enumerate(zip(_LETTERS, self._grid.shape, strict=False)):
            line = np.zeros((size, self._grid.ndim))
            line[:, axis] = np.arange(size)
            data[f"evaluation_grid_{letter}"] = self._as_recorded(line)[:, axis].tolist()
        return {
            "data": data,
            "timestamps": dict.fromkeys(data, time),
            "data_keys": {key: _key(len(row)) for key, row in data.items()},
        }


def _key(size: int) -> dict[str, Any]:
    return {"source": _SOURCE, "dtype": "array", "dtype_numpy": "<f8", "shape": [size]}
