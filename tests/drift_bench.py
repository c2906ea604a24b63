"""A sample that drifts, with all that measures it."""

from functools import cache
from itertools import count

import numpy as np

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import DriftingSample, PixelStage, SimulatedImager, SimulatedSpectrometer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.scalarizers import get_scalarizer

GRID = PixelGrid((10, 10), step=(0.5, -0.25), origin=(3.0, 1.0), rotation=20.0, units="um")


def sample(speed, seed=6, noise=0.01):
    whole = {"kind": "ferroelectric", "shape": [100, 100], "seed": seed, "failed": 0.0, "noise": noise}
    return DriftingSample(whole, shape=GRID.shape, speed=speed, clock=count(0.0, 1.0).__next__)


@cache
def truth():
    """The true map, of the pixels that are shown alone: that of the whole sample takes seconds."""
    still = sample(0.0, noise=0.0)
    values = [get_scalarizer("loop_area")(still.spectrum(pixel), still.axis) for pixel in np.ndindex(GRID.shape)]
    return np.reshape(values, GRID.shape)


class Bench:
    """A sample that drifts, a second each exposure and image, and all that measures it."""

    def __init__(self, speed=0.04, batch_size=5):
        self.sample = sample(speed)
        self.stage = PixelStage(grid=GRID, name="stage")
        self.spectrometer = SimulatedSpectrometer(self.sample, self.stage, name="spectrometer")
        self.imager = SimulatedImager(self.sample, self.stage, name="haadf")
        self.optimizer = PixelOptimizer(GRID, target="loop_area", batch_size=batch_size, seed=1)
        self.agent = GPAgent(self.optimizer, target="spectrometer_loop_area")
        self.sample.begin()

    def map(self, num=40, **options):
        return adaptive_map([self.spectrometer], self.stage, self.agent, num=num, **options)

    @property
    def error(self):
        """Root mean square error of the map, as a part of the spread of the true one."""
        wrong = np.reshape(self.optimizer.mean, GRID.shape) - truth()
        return np.sqrt(np.mean(wrong**2)) / truth().std()

    @property
    def from_best(self):
        """Pixels between where the axes are and where the best of the sample lies by then."""
        best = np.unravel_index(truth().argmax(), GRID.shape)
        there = best + self.sample.displacement(self.sample.now - self.sample._began)
        return np.abs(GRID.fraction([axis.position for axis in self.stage.axes]) - there).max()

    def moved(self, docs):
        """How far the sample had moved at each image."""
        times = np.array(docs.column("drift_seconds", "drift"))
        return np.array([self.sample.displacement(t - times[0]) for t in times])
