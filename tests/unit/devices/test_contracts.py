"""The simulated devices under the public contracts."""

import numpy as np
import pytest
from bluesky.run_engine import get_bluesky_event_loop
from ophyd.sim import SynAxis

from bluesky_gp.devices import PixelStage, SimulatedAxis, SimulatedSpectrometer, SyntheticEELS
from bluesky_gp.grid import PixelGrid
from bluesky_gp.plans import as_stage
from bluesky_gp.testing import DetectorContract, StageContract

MASK = np.zeros((4, 5), dtype=bool)
MASK[0, 0] = MASK[2, 3] = True
GRID = PixelGrid((4, 5), step=(0.5, -0.2), origin=(1.0, 3.0), rotation=20.0, mask=MASK, units="um")


class TestPixelStage(StageContract):
    @pytest.fixture
    def stage(self):
        return PixelStage(grid=GRID, name="stage")


class TestPixelStageOverSlowAxes(StageContract):
    @pytest.fixture
    def stage(self):
        axes = [SimulatedAxis(name=name, velocity=100.0, settle=0.01, noise=0.001) for name in ("u", "v")]
        return PixelStage(grid=GRID, axes=axes, name="sample")


class TestPairOfAxes(StageContract):
    @pytest.fixture
    def stage(self):
        return as_stage((SimulatedAxis(name="y"), SimulatedAxis(name="x", limits=(-5, 5))), GRID)


class TestTwoUnrelatedAxes(StageContract):
    """A facility's: one axis of ophyd, one that is not."""

    @pytest.fixture
    def stage(self):
        return PixelStage(grid=GRID, axes=[SynAxis(name="hexapod_y"), SimulatedAxis(name="piezo")], name="sample")


class TestOneAxis(StageContract):
    @pytest.fixture
    def stage(self):
        return PixelStage(grid=PixelGrid(7), name="line")


class TestSimulatedSpectrometer(DetectorContract):
    long_exposure = 0.2

    @pytest.fixture
    def stage(self):
        return PixelStage(grid={"shape": [6, 5]}, name="stage")

    @pytest.fixture
    def detector(self, stage):
        return SimulatedSpectrometer("ferroelectric", stage, name="spectrometer")


class TestNoisyEELS(DetectorContract):
    long_exposure = 0.2

    @pytest.fixture
    def stage(self):
        return PixelStage(grid={"shape": [6, 5]}, name="stage")

    @pytest.fixture
    def detector(self, stage):
        sample = SyntheticEELS((6, 5), seed=1)
        targets = {"ti": "net_counts", "never": lambda spectrum, axis: np.nan}
        return SimulatedSpectrometer(sample, stage, scalarizers=targets, exposure=0.001, name="eels")


def test_contracts_use_the_loop_that_bluesky_has(RE):
    assert get_bluesky_event_loop() is RE._loop
