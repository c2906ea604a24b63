"""A session in which a person presses Ctrl-C twice; tests/faults/test_interrupts.py starts it and sends the signals.

In the folder that it is given it leaves a file when it exposes and one when the agent computes: the moments to do so.
"""

import sys
import threading
from pathlib import Path

from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted
from ophyd.sim import SynSignal
from ophyd.status import DeviceStatus

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.devices import PixelStage
from bluesky_gp.plans import adaptive_map
from bluesky_gp.testing import ListOptimizer

folder = Path(sys.argv[1])
folder.mkdir(parents=True)
moment = ""


class Detector(SynSignal):
    def trigger(self):
        if moment == "exposing":
            (folder / moment).touch()
            return DeviceStatus(self)  # never ends
        return super().trigger()


class Optimizer(ListOptimizer):
    def propose(self, state, num_points, *, pending=(), stopping=True):
        if moment == "computing":
            (folder / moment).touch()
            threading.Event().wait()  # for ever
        return super().propose(state, num_points, pending=pending, stopping=stopping)


grid = PixelGrid((8, 8))
stage, detector = PixelStage(grid=grid, name="stage"), Detector(name="det", func=lambda: 1.0)
optimizer = Optimizer(grid, "det")
agent = GPAgent(optimizer, target="det")
RE = RunEngine({})
for moment in ("exposing", "computing"):
    try:
        RE(adaptive_map([detector], stage, agent, num=12))
    except RunEngineInterrupted:
        stops = []
        RE.subscribe(lambda name, doc, stops=stops: stops.append(doc["exit_status"]), "stop")
        state = RE.state
        RE.abort()
        print(f"{moment}: {state}, then {stops[0]}")
moment = ""
RE(adaptive_map([detector], stage, agent, num=12))
print(f"{optimizer.state.n_measured} measured")
