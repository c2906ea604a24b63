"""Stages and detectors with one fault each, under the contracts; run by test_testing.py in a process of its own.

The name of a class is its fault.
"""

import operator
import threading
import time

import numpy as np
import pytest
from ophyd.status import StatusBase

from bluesky_gp import PixelGrid
from bluesky_gp.devices import PixelStage, SimulatedAxis
from bluesky_gp.devices.detector import SpectrumDetectorBase
from bluesky_gp.plans import as_stage
from bluesky_gp.testing import DetectorContract, StageContract

GRID = PixelGrid((4, 5), step=(0.5, 0.5), mask=[[False] * 5, [False] * 5, [False] * 5, [True] + [False] * 4])
AXIS = np.linspace(0.0, 10.0, 8)


class Axis:
    """An axis without faults; the others inherit from it."""

    parent = None

    def __init__(self, name):
        self.name = name
        self.hints = {"fields": [name]}
        self.where = 0.0

    def set(self, value):
        if not np.isfinite(value):
            raise ValueError(f"{self.name}: {value} is no position")
        return self.move(value)

    def move(self, value):
        self.where = float(value)
        status = StatusBase()
        status.set_finished()
        return status

    def read(self):
        return {self.name: {"value": self.where, "timestamp": time.time()}}

    def describe(self):
        return {self.name: {"source": "test", "dtype": "number", "shape": []}}


class ClippingAxis(Axis):
    def move(self, value):
        return super().move(min(max(value, 0.0), 1.5))


class EndlessAxis(Axis):
    def move(self, value):
        return StatusBase()


class EarlyAxis(Axis):
    def move(self, value):
        threading.Timer(0.2, super().move, [value]).start()
        status = StatusBase()
        status.set_finished()
        return status


class NaNAxis(Axis):
    def set(self, value):
        return self.move(value)


class WrongTypeAxis(Axis):
    def describe(self):
        return {self.name: {"source": "test", "dtype": "string", "shape": []}}


class ArrayAxis(Axis):
    def describe(self):
        return {self.name: {"source": "test", "dtype": "number", "shape": [1]}}


class NamelessAxis(Axis):
    def __init__(self, name):
        super().__init__(name)
        self.name = ""


class UnhintedAxis(Axis):
    def __init__(self, name):
        super().__init__(name)
        self.hints = {}


class StopsForEverAxis(Axis):
    """Once stopped it does not move any more."""

    stopped = False

    def stop(self, success=True):
        self.stopped = True

    def move(self, value):
        return super().move(self.where if self.stopped else value)


class StagedOnceAxis(Axis):
    stagings = 0

    def stage(self):
        self.stagings += 1
        if self.stagings > 1:
            raise RuntimeError("staged already")
        return [self]

    def unstage(self):
        return [self]


class LooseStage(PixelStage):
    """Goes beyond its grid, and to masked pixels."""

    def check_value(self, pixel):
        if not np.isfinite(pixel).all():
            raise ValueError(pixel)


class Detector(SpectrumDetectorBase):
    """A detector without faults: sees where the stage is."""

    def __init__(self, stage, **kwargs):
        self.looking_at = stage
        super().__init__(name="det", axis=AXIS, scalarizers={"total": lambda y, x: y.sum()}, **kwargs)

    def _expose(self, exposure):
        self._timer = threading.Timer(self.exposure.get(), self._finish, args=[exposure])
        self._timer.daemon = True
        self._timer.start()

    def _finish(self, exposure):
        self._deliver(exposure, self._seen())

    def _seen(self):
        return AXIS + 10 * sum(self.looking_at.locate()["readback"])

    def _cancel(self):
        self._timer.cancel()


class StaleDetector(Detector):
    frame = AXIS

    def _seen(self):
        before, self.frame = self.frame, super()._seen()
        return before


class EndlessDetector(Detector):
    def _expose(self, exposure):
        pass

    def _cancel(self):
        pass


class BlockingDetector(Detector):
    def _expose(self, exposure):
        time.sleep(self.exposure.get())
        self._deliver(exposure, self._seen())

    def _cancel(self):
        pass


class Float32Detector(Detector):
    def read(self):
        reading = super().read()
        reading["det_spectrum"]["value"] = reading["det_spectrum"]["value"].astype(np.float32)
        return reading


class WrongShapeDetector(Detector):
    def describe(self):
        described = super().describe()
        described["det_spectrum"]["shape"] = [8, 1]
        return described


class UndescribedArrayDetector(Detector):
    def describe(self):
        described = super().describe()
        del described["det_spectrum"]["dtype_numpy"]
        return described


class GrowingDetector(Detector):
    """Each spectrum is a channel longer than the one before."""

    exposures = 0

    def trigger(self):
        self.exposures += 1
        return super().trigger()

    def read(self):
        reading = super().read()
        reading["det_spectrum"]["value"] = np.zeros(len(AXIS) + self.exposures)
        return reading


class HintsArrayDetector(Detector):
    @property
    def hints(self):
        return {"fields": ["det_spectrum"]}


class NoAxisDetector(Detector):
    def read_configuration(self):
        return {k: v for k, v in super().read_configuration().items() if k != "det_axis"}

    def describe_configuration(self):
        return {k: v for k, v in super().describe_configuration().items() if k != "det_axis"}


class FrozenClockDetector(Detector):
    def read(self):
        return {key: {**reading, "timestamp": 1e9} for key, reading in super().read().items()}


class ChangedByStagingDetector(Detector):
    def stage(self):
        self.exposure.put(self.exposure.get() + 0.001)
        return super().stage()


class DeafDetector(Detector):
    """Does not hear that nobody waits any more."""

    def stop(self, *, success=False):
        pass

    def unstage(self):
        return [self]

    def _expose(self, exposure):
        if self.exposure.get() < 0.1:
            super()._expose(exposure)


class NegativeExposureDetector(Detector):
    def __init__(self, stage):
        super().__init__(stage)
        self.exposure.check_value = lambda value: operator.index(round(value))  # no NaN, no infinity


def stage_case(kind):
    class Case(StageContract):
        timeout = 0.15

        @pytest.fixture
        def stage(self):
            if issubclass(kind, PixelStage):
                return kind(grid=GRID, name="stage")
            return as_stage((kind("y"), kind("x")), PixelGrid((4, 5), step=(0.5, 0.5)))

    return Case


def detector_case(kind):
    class Case(DetectorContract):
        timeout = 0.3
        long_exposure = 0.2

        @pytest.fixture
        def stage(self):
            return PixelStage(grid=GRID, axes=[SimulatedAxis(name="y"), SimulatedAxis(name="x")], name="stage")

        @pytest.fixture
        def detector(self, stage):
            return kind(stage)

    return Case


for _kind in [Axis, *Axis.__subclasses__(), PixelStage, LooseStage]:
    globals()[f"Test{_kind.__name__}"] = stage_case(_kind)  # type: ignore[attr-defined]
for _kind in [Detector, *Detector.__subclasses__()]:
    globals()[f"Test{_kind.__name__}"] = detector_case(_kind)
