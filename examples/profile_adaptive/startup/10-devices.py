"""A stage and a spectrometer: simulated, over a synthetic ferroelectric. Put yours here."""

from bluesky_gp import PixelGrid
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric

grid = PixelGrid(shape=(50, 50), step=(0.02, 0.02), units="um")
stage = PixelStage(grid=grid, name="stage")
spectrometer = SimulatedSpectrometer(
    SyntheticFerroelectric(shape=grid.shape, seed=0),
    stage,
    scalarizers=["loop_area"],
    exposure=0.05,  # s; the published experiment took 2.35
    name="spectrometer",
)
