"""What a pixel of `adaptive_map` costs beside `bluesky.plans.list_scan` over the same points, on each instrument.

    python benchmarks/instruments.py [--instrument epics ...]

Every instrument that ``bluesky-gp demo --instrument`` knows, each in a process of its own, the agent answering from a
list in batches of ten; the two plans take turns, and the medians are compared.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Any

from bluesky_gp.cli.instruments import INSTRUMENTS, SAMPLES, Setup

LIMIT = 1.15


def measure(name: str, num: int, repeats: int) -> dict[str, float]:
    """Return seconds a pixel of both plans on one instrument."""
    with INSTRUMENTS[name](SAMPLES.get(name, "ferroelectric"), None) as setup:
        from bluesky import RunEngine  # after the instrument: EPICS reads its environment when ophyd is imported

        from bluesky_gp import GPAgent
        from bluesky_gp.plans import adaptive_map
        from bluesky_gp.testing import ListOptimizer

        engine = RunEngine({}) if setup.engine is None else setup.engine
        optimizer = ListOptimizer(setup.grid, setup.target.removeprefix(f"{setup.detector.name}_"), batch_size=10)
        agent = GPAgent(optimizer, target=setup.target, maps=0)
        pixels = setup.grid.unravel(optimizer.order[:num]).tolist()
        times: dict[str, list[float]] = {"list_scan": [], "adaptive_map": []}
        for _ in range(repeats + 1):
            times["list_scan"].append(seconds(engine, list_scan(setup, pixels)) / num)
            plan = adaptive_map([setup.detector], setup.stage, agent, num=num)
            times["adaptive_map"].append(seconds(engine, plan) / num)
        return {plan: median(runs[1:]) for plan, runs in times.items()}  # the first one connects and imports


def list_scan(setup: Setup, pixels: Sequence[Sequence[int]]) -> Any:
    """Return the plan that everybody has, over a PixelStage or a pair of motors."""
    import bluesky.plans as bp

    if hasattr(setup.stage, "grid"):
        return bp.list_scan([setup.detector], setup.stage, [tuple(pixel) for pixel in pixels])
    positions = setup.grid.position(pixels).T.tolist()
    moves = [part for pair in zip(setup.stage, positions, strict=True) for part in pair]
    return bp.list_scan([setup.detector], *moves)


def seconds(engine: Any, plan: Any) -> float:
    """Time one plan."""
    began = perf_counter()
    engine(plan)
    return perf_counter() - began


def in_a_process(name: str, num: int, repeats: int) -> dict[str, float]:
    """Measure one instrument in a process of its own: some can be had once in a process."""
    command = [sys.executable, __file__, "--one", name, "--num", str(num), "--repeats", str(repeats)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Print a line an instrument; exit code 1 if one is beyond the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instrument", nargs="+", choices=list(INSTRUMENTS), default=list(INSTRUMENTS))
    parser.add_argument("--num", type=int, default=100, help="pixels a run")
    parser.add_argument("--repeats", type=int, default=5, help="runs each")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.num, options.repeats)))
        return
    print(f"{'ms a pixel':16}{'list_scan':>12}{'adaptive_map':>14}{'ratio (at most ' + str(LIMIT) + ')':>24}")
    ratios = []
    for name in options.instrument:
        found = in_a_process(name, options.num, options.repeats)
        ratios.append(found["adaptive_map"] / found["list_scan"])
        print(f"{name:16}{1e3 * found['list_scan']:12.2f}{1e3 * found['adaptive_map']:14.2f}{ratios[-1]:24.3f}")
    sys.exit(int(max(ratios) > LIMIT))


if __name__ == "__main__":
    main()
