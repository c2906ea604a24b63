"""What the plan and the agent cost beside `bluesky.plans.list_scan`, and how soon the agent answers with a catalog on.

    python benchmarks/plan.py

Prints (1) the time a pixel of `adaptive_map` and of `list_scan` over the same pixels with the same stage and detector,
all instantaneous, the agent answering from a list in batches of ten, median of five; (2) the time from the event of the
last pixel to the agent's event, with journal and catalog subscribed and with `TiledWriter(batch_size=1)` subscribed
directly.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

import bluesky.plans as bp
from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.testing import ListOptimizer

SHAPE = (50, 50)


def bench(optimizer_class: Callable[..., Any], batch_size: int = 10) -> tuple[Any, Any, GPAgent]:
    """Return stage, detector and agent over one synthetic sample."""
    grid = PixelGrid(SHAPE)
    stage = PixelStage(grid=grid, name="stage")
    detector = SimulatedSpectrometer(
        SyntheticFerroelectric(shape=SHAPE, seed=0), stage, scalarizers=["loop_area"], name="spectrometer"
    )
    optimizer = optimizer_class(grid, target="loop_area", batch_size=batch_size)
    return stage, detector, GPAgent(optimizer, target="spectrometer_loop_area", maps=0)


def seconds(RE: RunEngine, plan: Any) -> float:  # noqa: N803
    """Time one plan."""
    began = perf_counter()
    RE(plan)
    return perf_counter() - began


def overhead(num: int, repeats: int) -> None:
    """Print the cost of a pixel beside list_scan's."""
    RE = RunEngine({})  # noqa: N806
    stage, detector, agent = bench(ListOptimizer)
    pixels = [(i // SHAPE[1], i % SHAPE[1]) for i in range(num)]
    ours, theirs = [], []
    for _ in range(repeats):
        theirs.append(seconds(RE, bp.list_scan([detector], stage, pixels)) / num)
        ours.append(seconds(RE, adaptive_map([detector], stage, agent, num=num)) / num)
    print(f"{'':34}{'ms a pixel':>12}")
    print(f"{'bluesky.plans.list_scan':34}{1e3 * median(theirs):12.3f}")
    print(f"{'adaptive_map, batches of ten':34}{1e3 * median(ours):12.3f}")
    print(f"{'ratio (at most 1.15)':34}{median(ours) / median(theirs):12.3f}")


class Latency:
    """Times from the last pixel's event to the agent's event, as the RunEngine emits them."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._streams: dict[str, str] = {}
        self._last = 0.0

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        """Note when an event arrives."""
        now = perf_counter()
        if name == "descriptor":
            self._streams[doc["uid"]] = doc["name"]
        stream = self._streams.get(doc.get("descriptor", ""))
        if name == "event" and stream == "primary":
            self._last = now
        elif name == "event" and stream == "gp" and doc["seq_num"] > 1:
            self.times.append(now - self._last)


@contextmanager
def nothing() -> Iterator[None]:
    """No recording."""
    yield None


@contextmanager
def journal_and_catalog() -> Iterator[Any]:
    """Our recording, in a folder that is thrown away."""
    from bluesky_gp.recording import open_catalog

    with tempfile.TemporaryDirectory() as folder:
        catalog = open_catalog(folder)
        try:
            yield catalog.writer
        finally:
            catalog.close()


@contextmanager
def tiled_writer() -> Iterator[Any]:
    """`TiledWriter(batch_size=1)` into an embedded catalog of the same kind."""
    from bluesky_tiled_plugins import TiledWriter

    from bluesky_gp.recording import open_catalog

    with tempfile.TemporaryDirectory() as folder:
        catalog = open_catalog(folder)
        try:
            yield TiledWriter(catalog.client, batch_size=1, max_array_size=0)
        finally:
            catalog.close()


def latency(num: int) -> None:
    """Print how long after the last pixel of a batch the agent has answered."""
    print(f"\n{'last pixel -> agent, 50 x 50':34}{'median ms':>12}{'longest ms':>12}")
    writers = {"nothing subscribed": nothing, "journal and catalog (below 100)": journal_and_catalog}
    for name, writer in {**writers, "TiledWriter(batch_size=1)": tiled_writer}.items():
        with writer() as subscriber:
            stage, detector, agent = bench(PixelOptimizer)
            RE, heard = RunEngine({}), Latency()  # noqa: N806
            if subscriber is not None:
                RE.subscribe(subscriber)
            RE.subscribe(heard)
            RE(adaptive_map([detector], stage, agent, num=num))
        print(f"{name:34}{1e3 * median(heard.times):12.1f}{1e3 * max(heard.times):12.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num", type=int, default=410, help="pixels a run")
    parser.add_argument("--repeats", type=int, default=5, help="runs each")
    parser.add_argument("--latency-num", type=int, default=410, help="pixels of the runs that measure latency")
    options = parser.parse_args()
    overhead(options.num, options.repeats)
    latency(options.latency_num)
