"""A session that is ended by a signal; tests/faults/test_signals.py starts it, waits for a moment and sends one.

Arguments: a folder, and the moment: "exposing", "computing", "paused" or "idle". The folder gets a file of that name
when it has come, and "told", what happened to device and run.
"""

import atexit
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
from bluesky_gp.session import end_on_signals
from bluesky_gp.testing import ListOptimizer

folder, moment = Path(sys.argv[1]), sys.argv[2]
folder.mkdir(parents=True, exist_ok=True)


def tell(line):
    with (folder / "told").open("a") as file:
        file.write(f"{line}\n")


class Detector(SynSignal):
    def stage(self):
        tell("staged")
        return [self]

    def unstage(self):
        tell("unstaged")
        return [self]

    def trigger(self):
        if moment == "exposing":
            (folder / moment).touch()
            return DeviceStatus(self)  # never ends
        if moment == "paused":
            threading.Thread(target=RE.request_pause, daemon=True).start()
            return DeviceStatus(self)
        return super().trigger()


class Optimizer(ListOptimizer):
    def propose(self, *args, **options):
        if moment == "computing":
            (folder / moment).touch()
            threading.Event().wait()  # for ever
        return super().propose(*args, **options)


grid = PixelGrid((8, 8))
stage, detector = PixelStage(grid=grid, name="stage"), Detector(name="det", func=lambda: 1.0)
agent = GPAgent(Optimizer(grid, "det"), target="det")
RE = RunEngine({})
RE.subscribe(lambda name, doc: tell(f"{name}: {doc.get('exit_status')}, {doc.get('reason')}"), "stop")
end_on_signals(RE)
atexit.register(tell, "left in order")
try:
    RE(adaptive_map([detector], stage, agent, num=12))
except RunEngineInterrupted:
    tell(f"interrupted, {RE.state}")
(folder / moment).touch()
threading.Event().wait(60)
