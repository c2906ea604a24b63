"""A detector that is flown, whose points go wrong as is written down beforehand."""

import threading

import numpy as np

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.devices import PixelStage
from bluesky_gp.devices.flight import FlightBrokenError
from bluesky_gp.devices.flying import FlyingDetector
from bluesky_gp.plans import adaptive_map
from bluesky_gp.testing import ListOptimizer


def height(spectrum, axis):
    """The target: the largest channel."""
    return float(spectrum.max())


class ScriptedFlyer(FlyingDetector):
    """Sees a hill with its maximum at (5, 2); `script` says what happens at a pixel, visit by visit.

    ``{(0, 3): ["fail", "ok"]}`` fails there at the first visit and not at the second; the last word stays. "fail": the
    point alone fails, "break": the flight ends there, "nan": a bad spectrum, "hold": it waits until it is
    told to go on, or given up.
    """

    def __init__(self, stage, script=None, **kwargs):
        super().__init__(name="det", scalarizers={"height": height}, axis=np.arange(3.0), **kwargs)
        self.pixel_stage = stage
        self.script = {pixel: list(words) for pixel, words in (script or {}).items()}
        self.visited = []
        self.flights = []
        self.calls = []
        self.holding = threading.Event()
        self.going_on = threading.Event()
        self.held = threading.Event()

    def prepare(self, value):
        status = super().prepare(value)
        self.flights.append(value.pixels)
        return status

    def stage(self):
        self.calls.append("stage")
        return super().stage()

    def unstage(self):
        self.calls.append("unstage")
        return super().unstage()

    def _hold(self):
        self.held.set()

    def _visit(self, pixel):
        self.visited.append(pixel)
        words = self.script.get(pixel, ["ok"])
        word = words.pop(0) if len(words) > 1 else words[0]
        if word == "fail":
            raise OSError("the shutter is stuck")
        if word == "break":
            raise FlightBrokenError("the scan unit lost its trigger")
        if word == "hold":
            self.holding.set()
            while not self.going_on.is_set():
                self._rest(0.01)
        row, col = pixel
        value = np.nan if word == "nan" else 10.0 - np.hypot(row - 5, col - 2)
        return np.array([0.0, value, 0.0]), pixel


class FlownBench:
    """A stage, a detector that is flown, an optimizer that answers from a list (row by row), and an agent."""

    def __init__(self, script=None, optimizer=ListOptimizer, **options):
        self.grid = PixelGrid((8, 8), step=(0.5, 0.5), units="um")
        self.stage = PixelStage(grid=self.grid, name="stage")
        self.detector = ScriptedFlyer(self.stage, script)
        self.optimizer = optimizer(self.grid, "height", **options)
        self.agent = GPAgent(self.optimizer, target="det_height")

    @property
    def things(self):
        return [self.detector], self.stage, self.agent

    def map(self, num, **options):
        return adaptive_map(*self.things, num=num, **options)
