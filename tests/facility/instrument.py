"""Instruments that record into a served catalog, each a process; started by test_tiled_server.py.

They are given the catalog, the folder of their journals and their names, begin at once, and their uids are printed. All
come from one process, which imports everything once.
"""

import json
import sys
from multiprocessing import get_context

import bluesky.plans as bp
import numpy as np
import tiled.client  # noqa: F401
from bluesky import RunEngine
from ophyd.sim import SynSignal

from bluesky_gp.recording import open_catalog

place, folder, *names = sys.argv[1:]
together = get_context("fork").Barrier(len(names))


def record(name):
    spectrum = SynSignal(name=name, func=lambda: np.full(8, float(sum(map(ord, name)))))
    with open_catalog(place, journal=f"{folder}/{name}") as catalog:
        RE = RunEngine({"instrument": name}, context_managers=[])
        RE.subscribe(catalog.writer)
        together.wait(300)
        uids = RE(bp.count([spectrum], 5))
        catalog.flush(300)
    return list(uids)


with get_context("fork").Pool(len(names)) as instruments:
    print(json.dumps(dict(zip(names, instruments.map(record, names, chunksize=1), strict=True))))
