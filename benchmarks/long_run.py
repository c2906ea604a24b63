"""A long run on a large lattice through `adaptive_map`: seconds of each decision, and memory.

    python benchmarks/long_run.py [SIDE/BATCH/PIXELS ...]

Every decision learns the batch before and chooses the next; nothing else is recorded. CPU seconds, as other work may
share the machine. Memory: of the process, after the tenth decision and at its peak.
"""

import resource
import subprocess
import sys
import time

import numpy as np
from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage
from bluesky_gp.gp import LatticeCovariance, RotatedMatern
from bluesky_gp.plans import adaptive_map

RUNS = ("512/100/3000", "512/200/10000")
HEADER = (
    f"{'lattice, batch, pixels':>24s} {'median s':>9s} {'dearest s':>10s} {'ratio':>6s} {'MB at ten':>10s}"
    f" {'peak MB':>8s}"
)


class Values:
    """A detector that reads a number off a map."""

    parent, name = None, "map"

    def __init__(self, values, stage):
        self._values, self._stage = values, stage

    def read(self):
        """Return the number where the stage is."""
        pixel = tuple(round(place) for place in self._stage.locate()["readback"])
        return {"map_z": {"value": float(self._values[pixel]), "timestamp": time.time()}}

    def describe(self):
        """Describe it."""
        return {"map_z": {"source": "map", "dtype": "number", "dtype_numpy": "<f8", "shape": []}}

    def read_configuration(self):
        """Return nothing."""
        return {}

    describe_configuration = read_configuration


def measure(side, batch, num):
    """Print the row of one run."""
    grid, rng = PixelGrid((side, side)), np.random.default_rng(1)
    truth = LatticeCovariance.of(RotatedMatern((6.0, 9.0), 1.5), grid).sample(rng)
    values = (truth + 0.05 * rng.standard_normal(grid.size)).reshape(grid.shape)
    stage = PixelStage(grid=grid, name="stage")
    agent = GPAgent(PixelOptimizer(grid, "z", batch_size=batch, n_initial=batch), target="map_z", maps=0)
    clock, seconds, memory = [time.process_time()], [], []

    def heard(name, doc):
        if name == "event" and "gp_iteration" in doc["data"]:
            seconds.append(time.process_time() - clock[0])
            memory.append(resident())
        clock[0] = time.process_time()

    RunEngine({}, context_managers=[])(adaptive_map([Values(values, stage)], stage, agent, num=num), heard)
    cost = np.array(seconds[1:])  # the first chose at random
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = f"{np.median(cost):9.2f} {cost.max():10.2f} {cost.max() / np.median(cost):6.1f}"
    print(
        f"{side:>9d}^2, {batch:>4d}, {num:>6d} {row} {memory[min(10, len(memory) - 1)]:10.0f} {peak:8.0f}", flush=True
    )


def resident():
    """Memory of this process, in MB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--one"]:
        measure(*(int(part) for part in sys.argv[2].split("/")))
        return
    print(HEADER, flush=True)
    for run in sys.argv[1:] or RUNS:
        subprocess.run([sys.executable, __file__, "--one", run], check=True)


if __name__ == "__main__":
    main()
