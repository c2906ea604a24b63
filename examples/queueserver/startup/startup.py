"""The session of the queue server's worker: devices, agent, plans, and what may be called by hand while a map runs."""

import os

from bluesky import RunEngine
from bluesky.plan_stubs import mv
from bluesky.plans import count, grid_scan

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map, go_to_best, list_map, one_pixel, raster_map, remeasure, tolerant
from bluesky_gp.recording import open_catalog

__all__ = ["adaptive_map", "count", "go_to_best", "grid_scan", "list_map", "mv", "raster_map", "remeasure"]

RE = RunEngine()
catalog = open_catalog(os.environ.get("BLUESKY_GP_CATALOG", "data"))  # a folder, a URL, or a Tiled profile
RE.subscribe(catalog.writer)

grid = PixelGrid(shape=(50, 50), step=(0.02, 0.02), units="um")
stage = PixelStage(grid=grid, name="stage")
row, col = stage.row, stage.col  # motors in pixels, for plans that are not ours
spectrometer = SimulatedSpectrometer(
    SyntheticFerroelectric(shape=grid.shape), stage, scalarizers=["loop_area"], exposure=0.05, name="spectrometer"
)
optimizer = PixelOptimizer(grid, target="loop_area", batch_size=10)
agent = GPAgent(optimizer, target="spectrometer_loop_area", name="gp", catalog=catalog)

patient = tolerant(one_pixel, retries=3, max_failures=10)  # for an item of the queue: per_pixel="patient"

# What people may do while a map is measured, by `function_execute`; user_group_permissions.yaml names each.
add_pixels, forbid, allow, restrict = agent.add_pixels, agent.forbid, agent.allow, agent.restrict
configure, go_on, finish, mark_failed = agent.configure, agent.go_on, agent.finish, agent.mark_failed
agree, edit, veto, pause_after_batch = agent.agree, agent.edit, agent.veto, agent.pause_after_batch
