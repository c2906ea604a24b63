"""RunEngine, catalog, and what is shown while a run goes on."""

import os

from bluesky import RunEngine
from bluesky.callbacks.best_effort import BestEffortCallback

from bluesky_gp.live import IterationLine
from bluesky_gp.recording import open_catalog

RE = RunEngine({})

catalog = open_catalog(os.environ.get("BLUESKY_GP_CATALOG", "data"))
RE.subscribe(catalog.writer)

bec = BestEffortCallback()
bec.disable_plots()  # a plot a pixel takes 0.3 s a pixel
bec.disable_table()  # a line a pixel; IterationLine prints one an iteration
RE.subscribe(bec)
RE.subscribe(IterationLine())
