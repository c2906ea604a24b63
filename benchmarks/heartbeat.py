"""How late a plan goes on while the agent decides: what a decision keeps the RunEngine waiting.

    python benchmarks/heartbeat.py [SIDE/MEASURED ...]

A plan asks the agent and, until the answer is there, sleeps five milliseconds at a time; each time that it is late is
kept. The decisions: the first, on data that are handed over at once; one with the hyperparameters held; one with a
refit. "Idle": the same plan while the agent has nothing to do. On a busy machine all of that is late; "of its CPU" is
how much the deciding thread computed meanwhile, which is what the RunEngine waited for the interpreter at most.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from time import clock_gettime, perf_counter, pthread_getcpuclockid

import bluesky.plan_stubs as bps
import numpy as np
from bluesky import RunEngine
from engine import sample_map

from bluesky_gp import PixelOptimizer
from bluesky_gp.optimizer import model

BEAT = 0.005  # s
HEADER = (
    f"{'lattice, measured, decision':>32s} {'s':>6s} {'beats':>6s} {'p99 ms':>8s} {'longest':>8s}"
    f" {'of its CPU: p99':>16s} {'longest':>8s}"
)


class Deciding:
    """A thread that decides, and how much it has computed."""

    def __init__(self):
        self._pool = ThreadPoolExecutor(1)
        self._clock = pthread_getcpuclockid(self._pool.submit(threading.get_ident).result())
        self.submit = self._pool.submit

    @property
    def seconds(self):
        """CPU time of the thread."""
        return clock_gettime(self._clock)


def beats(deciding, work):
    """Return a plan that beats while `work` is done, and the list of how late it was, in s and in s of CPU."""
    late = []

    def plan():
        answer = deciding.submit(work)
        while not answer.done():
            began, computed = perf_counter(), deciding.seconds
            yield from bps.sleep(BEAT)
            over = perf_counter() - began - BEAT
            late.append((over, min(over, max(deciding.seconds - computed - BEAT, 0.0))))
        answer.result()

    return plan(), late


def measure(side, m, RE):  # noqa: N803
    """Print the rows of one size."""
    grid, values = sample_map(side)
    optimizer, deciding = PixelOptimizer(grid, "z"), Deciding()
    pixels = np.random.default_rng(0).choice(grid.size, m, replace=False)
    proposed = [{"_id": int(pixel)} for pixel in pixels]
    fit, held = (lambda *_: True), (lambda *_: False)
    contradicts = model.contradicts

    def decide():
        nonlocal proposed
        optimizer.ingest([{**point, "z": values[point["_id"]]} for point in proposed])
        proposed = optimizer.suggest()
        _ = optimizer.state.mean, optimizer.state.forecast

    for name, work, due in (
        ("idle", lambda: threading.Event().wait(3.0), held),
        ("first", decide, fit),
        ("held", decide, held),
        ("held", decide, held),
        ("refit", decide, fit),
    ):
        model.refit_due, model.contradicts = due, contradicts if due is fit else lambda _: False
        plan, late = beats(deciding, work)
        began = perf_counter()
        RE(plan)
        seconds, ms = perf_counter() - began, 1e3 * np.array(late).T
        row = " ".join(f"{np.quantile(each, 0.99):8.1f} {each.max():8.1f}" for each in ms)
        print(f"{side:>14d}^2, {m:>6d}, {name:>7s} {seconds:6.1f} {len(late):6d} {row}", flush=True)


def main() -> None:
    """Print the table."""
    print(HEADER, flush=True)
    for size in sys.argv[1:] or ("50/410", "256/2000", "1024/5000"):
        side, m = map(int, size.split("/"))
        measure(side, m, RunEngine({}, context_managers=[]))


if __name__ == "__main__":
    main()
