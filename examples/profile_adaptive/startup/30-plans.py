"""The plans, and a word of welcome."""

from bluesky import plan_stubs as bps
from bluesky import plans as bp
from bluesky import preprocessors as bpp

from bluesky_gp.plans import adaptive_map, go_to_best, raster_map

__all__ = ["adaptive_map", "bp", "bpp", "bps", "go_to_best", "raster_map"]

print("""
RE(adaptive_map([spectrometer], stage, agent, num=410))    Ctrl-C twice pauses, RE.resume() goes on
RE(raster_map([spectrometer], stage, every=5))
RE(go_to_best(stage, agent))
catalog[-1]                                                the run measured last
""")
