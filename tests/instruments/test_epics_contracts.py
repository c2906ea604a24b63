"""The EPICS devices under the contracts that anybody runs over theirs."""

import pytest
from soft_ioc import SoftIOC

from bluesky_gp import PixelGrid
from bluesky_gp.devices.epics import EpicsAxis, EpicsSpectrometer, EpicsStage
from bluesky_gp.plans.stages import as_stage
from bluesky_gp.testing import DetectorContract, StageContract

pytestmark = pytest.mark.slow

GRID = PixelGrid((5, 4), step=(0.5, 2.0), origin=(3.0, -1.0), units="um", rotation=20.0)


@pytest.fixture(scope="module", autouse=True)
def ioc():
    shape, step, origin = GRID.shape, GRID.step, GRID.origin
    options = ["--shape", *shape, "--step", *step, "--origin", *origin, "--rotation", GRID.rotation]
    with SoftIOC("--prefix", "contract:", *options) as running:
        yield running


@pytest.fixture
def epics_stage():
    stage = EpicsStage("contract:", grid=GRID, name="stage")
    stage.wait_for_connection(timeout=20)
    yield stage
    stage.destroy()


class TestEpicsStage(StageContract):
    @pytest.fixture
    def stage(self, epics_stage):
        return epics_stage


class TestEpicsStageThatApproachesFromOneSide(StageContract):
    @pytest.fixture
    def stage(self):
        stage = EpicsStage("contract:", grid=GRID, backlash=[0.1, -0.1], settle_time=0.01, name="stage")
        stage.wait_for_connection(timeout=20)
        yield stage
        stage.destroy()


class TestPairOfEpicsAxes(StageContract):
    @pytest.fixture
    def stage(self):
        axes = [EpicsAxis(f"contract:{name}", name=name) for name in ("y", "x")]
        for axis in axes:
            axis.wait_for_connection(timeout=20)
        yield as_stage(axes, GRID)
        for axis in axes:
            axis.destroy()


class TestEpicsSpectrometer(DetectorContract):
    @pytest.fixture
    def stage(self, epics_stage):
        return epics_stage

    @pytest.fixture
    def detector(self):
        detector = EpicsSpectrometer("contract:det:", scalarizers=["loop_area"], name="spectrometer")
        detector.wait_for_connection(timeout=20)
        yield detector
        detector.destroy()


class TestEpicsSpectrometerWithoutSpectrum(DetectorContract):
    @pytest.fixture
    def stage(self, epics_stage):
        return epics_stage

    @pytest.fixture
    def detector(self):
        detector = EpicsSpectrometer(
            "contract:det:", variables={"spectrum": None}, targets={"area": "Target_RBV"}, name="files"
        )
        detector.wait_for_connection(timeout=20)
        yield detector
        detector.destroy()
