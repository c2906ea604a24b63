"""RunEngine, catalog, and what is shown while a run goes on."""

import os

from bluesky import RunEngine
from bluesky.callbacks.best_effort import BestEffortCallback
from bluesky.utils import PersistentDict
from platformdirs import user_data_path

from bluesky_gp.live import IterationLine, LiveMaps, RunSummary
from bluesky_gp.recording import open_catalog
from bluesky_gp.session import end_on_signals

# Kept between sessions: scan_id goes on counting, so that catalog[12] is one run and no other.
metadata = PersistentDict(os.environ.get("BLUESKY_GP_METADATA") or user_data_path("bluesky_gp") / "metadata")
RE = RunEngine(metadata)
end_on_signals(RE)  # a terminal that is closed, a service that is stopped: the run is aborted, devices are unstaged

catalog = open_catalog(os.environ.get("BLUESKY_GP_CATALOG", "data"))
RE.subscribe(catalog.writer)

bec = BestEffortCallback()
bec.disable_plots()  # a plot a pixel takes 0.3 s a pixel
bec.disable_table()  # a line a pixel; IterationLine prints one an iteration
RE.subscribe(bec)
RE.subscribe(IterationLine())
RE.subscribe(RunSummary())

# Maps while a run goes on, drawn by another process: a window, or a picture that is renewed, for ssh.
live = LiveMaps(os.environ.get("BLUESKY_GP_LIVE") or None)
RE.subscribe(live)
