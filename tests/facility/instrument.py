"""An instrument that records into a served catalog; started by test_tiled_server.py as a process.

It is given the catalog, its name, the number of runs and the folder of its journals, waits for a line, so that several
begin at once, and prints the uids of its runs.
"""

import json
import sys

import bluesky.plans as bp
import numpy as np
from bluesky import RunEngine
from ophyd.sim import SynSignal

from bluesky_gp.recording import open_catalog

place, name, n_runs, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
spectrum = SynSignal(name=name, func=lambda: np.full(8, float(sum(map(ord, name)))))
with open_catalog(place, journal=folder) as catalog:
    RE = RunEngine({"instrument": name}, context_managers=[])
    RE.subscribe(catalog.writer)
    print("ready", flush=True)
    sys.stdin.readline()
    uids = [uid for _ in range(n_runs) for uid in RE(bp.count([spectrum], 5))]
    catalog.flush(300)
print(json.dumps(uids))
