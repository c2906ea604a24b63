"""Overview images of instruments: taken in the run, before the first pixel."""

import numpy as np
import pytest
from ophyd.utils.errors import UnknownStatusFailure
from soft_ioc import SoftIOC

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import SyntheticFerroelectric
from bluesky_gp.devices.epics import EpicsImager, EpicsSpectrometer, EpicsStage
from bluesky_gp.plans import adaptive_map
from bluesky_gp.run import RunRecord

pytestmark = pytest.mark.slow

GRID = PixelGrid((8, 6), step=(0.02, 0.02), units="um")


@pytest.fixture(scope="module")
def ioc():
    with SoftIOC("--shape", 8, 6) as running:
        yield running


def test_an_area_detectors_image_is_taken_before_the_first_pixel_and_recorded(ioc, RE, docs):
    imager = EpicsImager("stem:overview:", name="topography")
    stage = EpicsStage("stem:", grid=GRID, name="stage")
    detector = EpicsSpectrometer("stem:det:", name="spectrometer", scalarizers=["loop_area"])
    agent = GPAgent(PixelOptimizer(GRID, "loop_area", n_initial=4, batch_size=4), target="spectrometer_loop_area")
    for device in (imager, stage, detector):
        device.wait_for_connection(timeout=60)
    RE(adaptive_map([detector], stage, agent, num=4, overview=[imager]))
    (event,) = docs.data("overview")
    expected = SyntheticFerroelectric((8, 6), seed=0).overview()
    np.testing.assert_allclose(event["topography_image"], expected, rtol=1e-6)
    record = RunRecord.from_documents(docs.all)
    assert record.start["gp"]["overview"]["shape"] == [8, 6] and len(record.outcomes) == 4
    beside = EpicsImager("stem:overview:", name="beside", grid=PixelGrid((3, 3)))
    beside.wait_for_connection(timeout=60)
    status = beside.trigger()
    with pytest.raises((RuntimeError, UnknownStatusFailure), match="and its grid .3, 3."):
        status.wait(60)
    for device in (imager, stage, detector, beside):
        device.destroy()
