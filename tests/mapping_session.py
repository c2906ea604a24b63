"""A session that maps into a catalog, to be killed; tests/faults/test_processes.py starts it.

It is given the catalog's folder, the number of pixels, the run to resume (or nothing) and, if batches are to be flown
while the next one is chosen, ``flown``. It prints the uid of its run and a line an event, each when the journal has it.
"""

import sys

from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedFlyer, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog


def mapping(catalog, num, resume_from=None, *, flown=False):
    """The plan: pixel by pixel, or small batches that are flown, each chosen while the one before is measured."""
    grid = PixelGrid((10, 10))
    stage = PixelStage(grid=grid, name="stage")
    sample = SyntheticFerroelectric(shape=grid.shape, seed=3, noise=0.0)
    kind, sizes = (SimulatedFlyer, {"batch_size": 3, "n_initial": 3}) if flown else (SimulatedSpectrometer, {})
    detector = kind(sample, stage, scalarizers=["loop_area"], exposure=0.05, name="spectrometer")
    optimizer = PixelOptimizer(grid, "loop_area", seed=3, **sizes)
    agent = GPAgent(optimizer, target="spectrometer_loop_area", catalog=catalog)
    return adaptive_map([detector], stage, agent, num=num, resume_from=resume_from, overlap=flown)


if __name__ == "__main__":
    catalog = open_catalog(sys.argv[1])
    catalog.wait()
    RE = RunEngine({}, context_managers=[])
    RE.subscribe(catalog.writer)
    RE.subscribe(lambda name, doc: print(doc["uid"], flush=True), "start")
    RE.subscribe(lambda name, doc: print("event", flush=True), "event")
    RE.subscribe(lambda name, doc: print("event\n" * len(doc["seq_num"]), end="", flush=True), "event_page")
    RE(mapping(catalog, int(sys.argv[2]), sys.argv[3] or None, flown="flown" in sys.argv[4:]))
    catalog.close()
