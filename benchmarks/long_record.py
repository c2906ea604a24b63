"""A long run with its spectra, read back by the commands: seconds, and memory over that of a command that does nothing.

    python benchmarks/long_record.py [--pixels 20000] [--channels 4096]

The run is measured into a journal and a catalog, which is timed a pixel in its second and its last tenth, and its
memory looked at after every tenth. Then it is shown and exported, each by a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time, time

import numpy as np
from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.devices import PixelStage
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog
from bluesky_gp.testing import ListOptimizer

COMMAND = """
import sys, time
from bluesky_gp.cli import main
try:
    main()
finally:
    with open("/proc/self/status") as status:  # what getrusage says begins with the process that started this one
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    print(peak, time.process_time(), file=sys.stderr)
"""


class Spectrometer:
    """A spectrum and a number, other ones each time, at once."""

    name, parent = "det", None

    def __init__(self, channels):
        self._spectra, self._count = np.random.default_rng(0).normal(size=(16, channels)), 0

    def read(self):
        """Return the next spectrum."""
        self._count += 1
        values = {"det_spectrum": self._spectra[self._count % 16].copy(), "det_area": float(self._count)}
        return {key: {"value": value, "timestamp": time()} for key, value in values.items()}

    def describe(self):
        """Describe it."""
        common = {"source": "benchmark", "dtype_numpy": "<f8"}
        return {
            "det_spectrum": {**common, "dtype": "array", "shape": [self._spectra.shape[1]]},
            "det_area": {**common, "dtype": "number", "shape": []},
        }

    def read_configuration(self):
        """Return nothing."""
        return {}

    describe_configuration = read_configuration


def resident():
    """Memory of this process, in MB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def measure(place, pixels, channels):
    """Record the run, and print what a pixel cost early and late."""
    side = int(np.ceil(np.sqrt(pixels)))
    grid = PixelGrid((side, side))
    stage = PixelStage(grid=grid, name="stage")
    agent = GPAgent(ListOptimizer(grid, "area", batch_size=pixels // 20), target="det_area", maps=0)
    marks, seen = [], [0]

    def look(name, doc):
        if name == "event" and "det_area" in doc["data"]:
            seen[0] += 1
            if seen[0] % (pixels // 10) == 0:
                marks.append((process_time(), resident()))

    with open_catalog(place) as catalog:
        RE = RunEngine({}, context_managers=[])  # noqa: N806
        RE.subscribe(catalog.writer)
        RE(adaptive_map([Spectrometer(channels)], stage, agent, num=pixels), look)
        catalog.wait()
    clock, memory = np.array(marks).T
    cost = 1e3 * np.diff(clock) / (pixels // 10)
    print(f"recorded: {cost[0]:.2f} ms of CPU a pixel in the second tenth, {cost[-1]:.2f} in the last")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tenths = ", ".join(f"{each:.0f}" for each in memory)
    print(f"memory, MB after each tenth: {tenths}; peak {peak:.0f}", flush=True)


def command(place, *words):
    """Run a command in a process of its own; return its peak in MB, and its seconds of CPU."""
    ended = subprocess.run(
        [sys.executable, "-c", COMMAND, *words], capture_output=True, text=True, check=False, cwd=place
    )
    assert ended.returncode == 0, ended.stderr
    peak, seconds = ended.stderr.split()[-2:]
    return float(peak), float(seconds)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pixels", type=int, default=20_000)
    parser.add_argument("--channels", type=int, default=4096)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "catalog")
        began = perf_counter()
        measure(place, options.pixels, options.channels)
        spectra = options.pixels * options.channels * 8 / 2**20
        print(f"{options.pixels} pixels, {spectra:.0f} MB of spectra, {perf_counter() - began:.0f} s")
        at = ("--catalog", str(place))
        command(folder, "runs", *at)  # takes in what the session had no time for
        empty, _ = command(folder, "runs", *at)
        print(f"{'command':12s} {'MB over an empty one':>22s} {'CPU s':>8s}")
        for words in (("show", "last"), ("export", "last", "run.zarr"), ("export", "last", "run.nc")):
            peak, seconds = command(folder, *words, *at)
            print(f"{words[0] + ' ' + Path(words[-1]).suffix:12s} {peak - empty:22.0f} {seconds:8.1f}", flush=True)


if __name__ == "__main__":
    main()
