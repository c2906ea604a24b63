"""A session that maps into a catalog, to be killed; tests/faults/test_processes.py starts it.

It is given the catalog's folder, the number of pixels and the run to resume (or nothing), and prints the uid of its run
and a line an event, each when the journal has it.
"""

import sys

from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog

folder, num, resume_from = sys.argv[1], int(sys.argv[2]), sys.argv[3] or None
grid = PixelGrid((10, 10))
stage = PixelStage(grid=grid, name="stage")
sample = SyntheticFerroelectric(shape=grid.shape, seed=3, noise=0.0)
spectrometer = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], exposure=0.05, name="spectrometer")
catalog = open_catalog(folder)
catalog.wait()
agent = GPAgent(PixelOptimizer(grid, "loop_area", seed=3), target="spectrometer_loop_area", catalog=catalog)
RE = RunEngine({}, context_managers=[])
RE.subscribe(catalog.writer)
RE.subscribe(lambda name, doc: print(doc["uid"], flush=True), "start")
RE.subscribe(lambda name, doc: print("event", flush=True), "event")
RE(adaptive_map([spectrometer], stage, agent, num=num, resume_from=resume_from))
catalog.close()
