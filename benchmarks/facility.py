"""From a batch's last pixel to the next proposals: an agent in the session, one over 0MQ, one that fills a queue.

    python benchmarks/facility.py

The first two take turns over one sample, with the same decisions; the time is that between the RunEngine's documents,
of the last pixel and of the decision. An agent that fills the queue reads a run out of the catalog when the queue's
history has it: the time is that from the last pixel's event to the next item that it adds. All on this machine, the
proxy, the agent, Redis and the manager each a process. Medians; ratios are of one run of this script.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, time
from typing import Any

from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import documents_of, open_catalog
from bluesky_gp.remote import QueueAgent, RemoteAgent

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # for this file's own folder: `facility` is this file there

from facility.elsewhere import Elsewhere  # noqa: E402
from facility.queue_server import QueueServer, wait_for  # noqa: E402

TARGET = "spectrometer_loop_area"


class Gaps:
    """Seconds from the last pixel's event to the decision that follows, of every document that passes."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = 0.0

    def __call__(self, name: str, doc: Any) -> None:
        """Note the time of a pixel, or the gap before a decision."""
        if TARGET in doc["data"]:
            self._last = perf_counter()
        elif "gp_iteration" in doc["data"] and self._last:
            self.seconds.append(perf_counter() - self._last)


def in_session(size: int, num: int, **elsewhere: Any) -> list[float]:
    """Map once with an agent in the session, or with one elsewhere where its addresses are given."""
    grid = PixelGrid((size, size))
    stage = PixelStage(grid=grid, name="stage")
    sample = SyntheticFerroelectric(shape=grid.shape, seed=0)
    spectrometer = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], name="spectrometer")
    optimizer = PixelOptimizer(grid, "loop_area")
    agent = RemoteAgent(optimizer, target=TARGET, **elsewhere) if elsewhere else GPAgent(optimizer, target=TARGET)
    gaps, engine = Gaps(), RunEngine({}, context_managers=[])
    engine.subscribe(gaps, "event")
    engine(adaptive_map([spectrometer], stage, agent, num=num))
    if isinstance(agent, RemoteAgent):
        agent.close()
    return gaps.seconds


def from_queue(folder: Path, size: int, num: int) -> list[float]:
    """Have an agent fill a queue, batch after batch."""
    added: list[float] = []
    with QueueServer(folder, changed={"exposure=0.05": "exposure=0.0"}) as server:
        api = server.client()
        wait_for(partial(_answers, api), what="the manager")
        api.environment_open()
        wait_for(lambda: api.status(reload=True)["worker_environment_exists"], what="the worker")
        api.wait_for_idle(timeout=60)
        with open_catalog(folder / "data", take_in=False) as catalog:
            catalog.wait()
            read = partial(documents_of, catalog=catalog)
            optimizer = PixelOptimizer(PixelGrid((size, size), step=(0.02, 0.02), units="um"), "loop_area")
            agent = QueueAgent(
                api, optimizer, target=TARGET, detectors=["spectrometer"], documents=read, starts=True, wait=120.0
            )
            add = agent.items.add
            agent.items.add = lambda *item: added.append(time()) or add(*item)
            ended = agent.run(num)
            last = [max(doc["time"] for name, doc in read(uid) if "event" in name) for uid in ended.uids]
    return [begun - measured for begun, measured in zip(added[1:], last, strict=False)]


def _answers(api: Any) -> bool:
    try:
        return bool(api.status(reload=True))
    except api.RequestTimeoutError:
        return False


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=50)
    parser.add_argument("--num", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    here: list[float] = []
    there: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        with Elsewhere(folder) as elsewhere:
            for _ in range(given.rounds):
                here += in_session(given.size, given.num)
                there += in_session(given.size, given.num, **elsewhere.addresses)
        queue = from_queue(Path(folder) / "queue", given.size, min(given.num, 60))
    print("| agent | decisions | from the last pixel to the proposals, s | to the session's |")
    print("|---|---|---|---|")
    for name, seconds in (("in the session", here), ("elsewhere, over 0MQ", there), ("from the queue", queue)):
        print(f"| {name} | {len(seconds)} | {median(seconds):.3f} | {median(seconds) / median(here):.1f} |")


if __name__ == "__main__":
    main()
