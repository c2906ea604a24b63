"""Your own instrument under adaptive_map: three plain classes, no ophyd.

    python examples/your_instrument.py

`Microscope` stands for what the vendor gives you, a module whose calls block. Replace it, keep the rest, and run the
contracts of `bluesky_gp.testing` over your devices (docs/your-instrument.md).
"""

import math
import time

from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.status import DaemonExecutor, FutureStatus


class Microscope:
    """The vendor's module: where it stands, and a number that it measures there."""

    at = {"y": 0.0, "x": 0.0}

    def move(self, axis, position):
        time.sleep(0.001)
        self.at[axis] = position

    def acquire(self, seconds):
        time.sleep(seconds)
        return 100.0 * math.exp(-((self.at["y"] - 3.0) ** 2 + (self.at["x"] - 1.0) ** 2))


class Device:
    """What both have: a name, blocking calls in a thread of their own, readings of one number."""

    parent = None

    def __init__(self, microscope, name, units):
        self.microscope, self.name, self.units = microscope, name, units
        self.hints = {"fields": [name]}
        self.value = math.nan

    def read(self):
        return {self.name: {"value": self.value, "timestamp": time.time()}}

    def describe(self):
        key = {"source": "Microscope", "dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": self.units}
        return {self.name: key}

    def _in_a_thread(self, call, *arguments):
        return FutureStatus(DaemonExecutor().submit(call, *arguments), name=self.name)


class Axis(Device):
    """A Movable: `set` returns at once, its Status ends when the axis is there."""

    def set(self, position):
        self.check_value(position)  # the vendor's call would clip it
        return self._in_a_thread(self.microscope.move, self.name, position)

    def check_value(self, position):
        if not -10.0 <= position <= 10.0:
            raise ValueError(f"{self.name}: {position} {self.units} is outside the limits -10 to 10")

    def read(self):
        self.value = self.microscope.at[self.name]
        return super().read()


class Counter(Device):
    """A Triggerable: `trigger` returns at once, its Status ends when `read` has this exposure's value."""

    def trigger(self):
        return self._in_a_thread(self._expose)

    def _expose(self):
        self.value = self.microscope.acquire(0.001)


def devices():
    """Return the axes, rows first, and the detector."""
    microscope = Microscope()
    return [Axis(microscope, name, "um") for name in "yx"], Counter(microscope, "counts", "1/s")


def main(num=60):
    """Measure `num` of 900 pixels and return the best one."""
    stage, detector = devices()
    grid = PixelGrid((30, 30), step=(0.2, 0.2), units="um")
    optimizer = PixelOptimizer(grid, target="counts")
    RunEngine({})(adaptive_map([detector], stage, GPAgent(optimizer, target="counts"), num=num))
    return optimizer.best


if __name__ == "__main__":
    print(main())
