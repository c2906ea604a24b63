"""A scan in the other direction: the same map, mirrored in the positions of the stage."""

import numpy as np
from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.export import to_dataset
from bluesky_gp.plans import adaptive_map
from bluesky_gp.plots import run_figure
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


def mapped(step):
    grid = PixelGrid((8, 8), step=step, origin=(1.0, 2.0), units="um")
    stage = PixelStage(grid=grid, name="stage")
    sample = SyntheticFerroelectric(shape=grid.shape, seed=3)
    detector = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], name="det")
    optimizer = PixelOptimizer(grid, "loop_area", batch_size=5, n_initial=5)
    documents = []
    RunEngine({}, context_managers=[])(
        adaptive_map([detector], stage, GPAgent(optimizer, target="det_loop_area"), num=20),
        lambda name, doc: documents.append((name, doc)),
    )
    return documents


def test_both_directions_measure_the_same_pixels_and_all_of_the_record_can_be_used():
    there, back = mapped((0.5, 0.5)), mapped((-0.5, 0.5))
    first, second = RunRecord.from_documents(there), RunRecord.from_documents(back)
    assert [o.pixel for o in first.outcomes] == [o.pixel for o in second.outcomes]
    np.testing.assert_allclose(first.maps["mean"], second.maps["mean"], rtol=1e-9)
    assert back[0][1]["gp"]["grid"]["step"] == [-0.5, 0.5]
    assert replay(back).identical
    assert run_figure(second).axes and to_dataset(second).sizes["row"] == 8
