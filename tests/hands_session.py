"""A session whose map is steered by every kind of action; tests/hands/test_kill.py starts it, and it kills itself.

It is given the catalog's folder, the iteration after whose first pixel it is killed (or nothing), and the run to resume
(or nothing). What is done when hangs on iterations, so that a resumed run goes on as the first would have.
"""

import os
import signal
import sys
import threading
import time

from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted

from bluesky_gp import ConfidenceBound, GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.optimizer import MaxPixels
from bluesky_gp.plans import adaptive_map, raster_map
from bluesky_gp.recording import open_catalog

NUM = 60
folder, killed_at, resume_from = sys.argv[1], int(sys.argv[2] or -1), sys.argv[3] or None
grid = PixelGrid((10, 10))
stage = PixelStage(grid=grid, name="stage")
sample = SyntheticFerroelectric(shape=grid.shape, seed=3, noise=0.0)
spectrometer = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], name="spectrometer")
catalog = open_catalog(folder)
catalog.wait()
optimizer = PixelOptimizer(grid, "loop_area", seed=3, batch_size=5, n_initial=5)
agent = GPAgent(optimizer, target="spectrometer_loop_area", catalog=catalog)
RE = RunEngine({}, context_managers=[])
RE.subscribe(catalog.writer)

DURING = {  # when a pixel of a decision has been measured
    1: lambda: agent.add_pixels([[0, 0], [9, 8]], who="jane"),
    2: lambda: agent.forbid({"rectangle": [[0, 0], [3, 3]]}),
    3: lambda: agent.restrict({"polygon": [[-0.5, -0.5], [-0.5, 8.5], [9.5, 8.5], [9.5, -0.5]]}),
    5: lambda: (agent.allow({"pixels": [[1, 1], [2, 2], [5, 9]]}), agent.mark_failed([9, 8], "a bubble")),
    7: lambda: agent.configure(acquisition=ConfidenceBound(3.0), batch_size=4, stopping=[MaxPixels(80)]),
    8: lambda: agent.pause_after_batch(),
    10: lambda: agent.restrict({"above": float(agent.decision.state.mean.min())}),
    11: lambda: agent.configure(num=NUM - 1),
    12: lambda: agent.go_on(7),
    13: lambda: agent.finish("enough"),
}
REVIEWED = {  # answers to the batch of a decision; the others are agreed to
    4: lambda batch: agent.veto(batch[:2], who="jane"),
    6: lambda batch: agent.edit([[6, 6], list(batch[0]), [7, 5]]),
}


def steer(name, doc):
    """Do what is due; a session that is to be killed is so before it does anything at that decision."""
    decision = agent.progress.latest if agent.progress is not None else None
    if name == "event" and "spectrometer_loop_area" in doc["data"] and decision is not None:
        if decision.iteration == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        DURING.pop(decision.iteration, lambda: None)()


def review():
    """Answer to every batch that waits."""
    seen = None
    while True:
        question = agent.review.question
        if question is not None and question is not seen:
            seen = question
            answer = REVIEWED.pop(agent.decision.iteration, lambda batch: agent.agree(who="jane"))
            answer(question.pixels)
        time.sleep(0.002)


threading.Thread(target=review, daemon=True).start()
RE.subscribe(lambda name, doc: print("run", doc["uid"], flush=True), "start")
if resume_from is None:
    RE(raster_map([spectrometer], stage, every=4))
    catalog.flush()
    agent.learn_from(catalog[-1])
RE.subscribe(steer)
try:
    RE(adaptive_map([spectrometer], stage, agent, num=NUM, resume_from=resume_from, review=True))
except RunEngineInterrupted:
    RE.resume()
catalog.close()
