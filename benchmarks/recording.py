"""What recording costs: a document on the RunEngine's thread, the agent's answer with a catalog on, memory.

    python benchmarks/recording.py

Prints, for spectra of 1024 channels, (1) the time that a document takes on the RunEngine's thread with journal and
catalog subscribed, with nothing, with `TiledWriter` (one event a write, and its default) and with `TiledInserter`
subscribed directly, all into embedded catalogs of the same kind; (2) the time from the event of a batch's last pixel to
the agent's event; (3) the memory of the process over ten thousand events.
"""

import argparse
import logging
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter, time
from typing import Any

import bluesky.plans as bp
import numpy as np
from bluesky import RunEngine
from plan import Latency, bench, nothing, tiled_writer

from bluesky_gp import PixelOptimizer
from bluesky_gp.plans import adaptive_map

CHANNELS = 1024


class Detector:
    """A spectrum and a number, other ones each time, at once."""

    name, parent = "det", None

    def __init__(self) -> None:
        self._spectra = np.random.default_rng(0).normal(size=(16, CHANNELS))
        self._count = 0

    def read(self) -> dict[str, Any]:
        """Return the next spectrum."""
        self._count += 1
        values = {"det_spectrum": self._spectra[self._count % 16].copy(), "det_area": float(self._count)}
        return {key: {"value": value, "timestamp": time()} for key, value in values.items()}

    def describe(self) -> dict[str, Any]:
        """Describe it."""
        common = {"source": "benchmark", "dtype_numpy": "<f8"}
        return {
            "det_spectrum": {**common, "dtype": "array", "shape": [CHANNELS]},
            "det_area": {**common, "dtype": "number", "shape": []},
        }

    def read_configuration(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Describe nothing."""
        return {}


class Timed:
    """A subscriber, and how long each event took it."""

    def __init__(self, subscriber: Callable[[str, Any], Any] | None) -> None:
        self._subscriber = subscriber or (lambda name, doc: None)
        self.times: list[float] = []

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        """Pass a document on."""
        began = perf_counter()
        self._subscriber(name, doc)
        if name == "event":
            self.times.append(perf_counter() - began)


@contextmanager
def journal_and_catalog() -> Iterator[Any]:
    """Our recording, in a folder that is thrown away, once it is open, as it is when a user starts a plan."""
    from bluesky_gp.recording import open_catalog

    with tempfile.TemporaryDirectory() as folder, open_catalog(folder) as catalog:
        catalog.wait()
        yield catalog.writer


@contextmanager
def embedded(make: Callable[[Any], Any]) -> Iterator[Any]:
    """Whatever `make` makes of the client of an embedded catalog, in a folder that is thrown away."""
    from bluesky_gp.recording import open_catalog

    with tempfile.TemporaryDirectory() as folder, open_catalog(folder) as catalog:
        yield make(catalog.client)


def tiled_writer_by_default() -> Any:
    """`TiledWriter` that writes after 10,000 events, and at the end."""
    from bluesky_tiled_plugins import TiledWriter

    return embedded(lambda client: TiledWriter(client, max_array_size=0))


def tiled_inserter() -> Any:
    """`TiledInserter`, one request a document."""
    from bluesky_tiled_plugins import TiledInserter

    return embedded(lambda client: TiledInserter(client, "benchmark"))


def documents(num: int, num_slow: int) -> None:
    """Print what an event costs with each subscriber."""
    cases: dict[str, tuple[Callable[[], Any], int]] = {
        "nothing subscribed": (nothing, num),
        "journal and catalog (at most 1)": (journal_and_catalog, num),
        "TiledWriter(batch_size=1)": (tiled_writer, num_slow),
        "TiledWriter()": (tiled_writer_by_default, num),
        "TiledInserter": (tiled_inserter, num_slow),
    }
    print(f"{'ms an event of 1024 channels':34}{'events':>8}{'median':>10}{'p99':>10}{'longest':>10}{'run, s':>9}")
    for name, (writer, count) in cases.items():
        try:
            with writer() as subscriber:
                _documents(name, subscriber, count)
        except Exception as error:
            print(f"{name:34} {type(error).__name__}: {' '.join(str(error).split()):.80}")


def _documents(name: str, subscriber: Any, count: int) -> None:
    timed, RE = Timed(subscriber), RunEngine({}, context_managers=[])  # noqa: N806
    RE.subscribe(timed)
    began = perf_counter()
    RE(bp.count([Detector()], count))
    seconds = perf_counter() - began
    ms = 1e3 * np.array(timed.times)
    row = f"{np.median(ms):10.3f}{np.quantile(ms, 0.99):10.3f}{ms.max():10.3f}{seconds:9.2f}"
    print(f"{name:34}{count:8d}{row}", flush=True)


def latency(num: int) -> None:
    """Print how long after the last pixel of a batch the agent has answered."""
    print(f"\n{'last pixel -> agent, 50 x 50':34}{'exposure ms':>12}{'median ms':>12}{'p90':>8}{'longest':>9}")
    for exposure in (0.0, 0.02):
        for name, writer in {
            "nothing subscribed": nothing,
            "journal and catalog (at most 30)": journal_and_catalog,
        }.items():
            with writer() as subscriber:
                times = 1e3 * np.array(_latencies(subscriber, num, exposure))
            row = f"{np.median(times):12.1f}{np.quantile(times, 0.9):8.1f}{times.max():9.1f}"
            print(f"{name:34}{1e3 * exposure:12.0f}{row}", flush=True)


def _latencies(subscriber: Any, num: int, exposure: float) -> list[float]:
    stage, detector, agent = bench(PixelOptimizer)
    detector.exposure.put(exposure)
    RE, heard = RunEngine({}, context_managers=[]), Latency()  # noqa: N806
    if subscriber is not None:
        RE.subscribe(subscriber)
    RE.subscribe(heard)
    RE(adaptive_map([detector], stage, agent, num=num))
    return heard.times


def memory(num: int) -> None:
    """Print how much memory the process has needed at most after so many events."""
    print(f"\n{'memory with journal and catalog':34}{'events':>8}{'peak MiB':>10}{'kept would be':>15}")

    def look(name: str, doc: dict[str, Any]) -> None:
        if name == "event" and doc["seq_num"] in (num // 10, num // 2, num):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
            print(f"{'':34}{doc['seq_num']:8d}{peak:10.0f}{8 * CHANNELS * doc['seq_num'] / 2**20:+15.0f}", flush=True)

    with journal_and_catalog() as subscriber:
        RE = RunEngine({}, context_managers=[])  # noqa: N806
        RE.subscribe(subscriber)
        RE.subscribe(look)
        RE(bp.count([Detector()], num))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num", type=int, default=1000, help="events of each run")
    parser.add_argument("--slow", type=int, default=40, help="events of the runs that take 0.2 s an event")
    parser.add_argument("--latency-num", type=int, default=410, help="pixels of the runs that measure latency")
    parser.add_argument("--memory-num", type=int, default=10_000, help="events of the run that measures memory")
    options = parser.parse_args()
    logging.getLogger("bluesky").setLevel(logging.CRITICAL)  # what cannot be subscribed is told in a line
    memory(options.memory_num)  # first: the peak is that of the whole process
    print()
    documents(options.num, options.slow)
    latency(options.latency_num)
