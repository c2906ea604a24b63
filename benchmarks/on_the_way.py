"""Seconds of a slow stage to the same error of a map, and to the maximum: batches as usual, and with `OnTheWay`.

    python benchmarks/on_the_way.py [--seeds 3] [--jobs 2] [--docs docs/benchmarks.md]

Four kinds of maps of `maps.py`, 25 x 25 pixels, noise 0.02 of the range. A pixel costs its exposure, and the way there:
axes move at once, at the same speed or one ten times as fast. Decisions cost nothing. The usual way measures 150
pixels, the other twice as many. Compared are the seconds to the error that the usual way ends with, and
to a pixel of the top 1 %. Nothing is waited for: time is that of the simulation.
"""

from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
from maps import make
from tables import machine, table, write_section

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import OnTheWay

KINDS = ("smooth", "domains", "grains", "stripes")
MOVES = (0.03, 0.3, 3.0)  # exposures, that the slow axis takes for a pixel
FAST = (1.0, 10.0)  # times as fast is the other axis
NUM, BATCH, LONGEST = 150, 10, 1.5


def measured(job):
    """Measure a map in one way; return times, errors of the map, the best value so far, and the top 1 %."""
    aware, kind, seed, move, fast = job
    truth = make(kind, seed).truth.reshape(50, 50)[::2, ::2]
    truth, rng = (truth - truth.min()) / np.ptp(truth), np.random.default_rng([seed, 7])
    speed = np.array([1.0, fast]) / move
    batch = OnTheWay(tuple(speed.tolist()), exposure=1.0) if aware else None
    optimizer = PixelOptimizer(PixelGrid(truth.shape), "z", batch_size=BATCH, seed=seed, batch=batch)
    here, passed, best, curve = None, 0.0, -np.inf, []
    while optimizer.state.n_measured < (2 if aware else 1) * NUM:
        points = []
        for pixel in [point["_id"] for point in optimizer.suggest(BATCH)]:
            there = np.array(np.unravel_index(pixel, truth.shape))
            seconds = 1.0 + (0.0 if here is None else float((np.abs(there - here) / speed).max()))
            here, passed, best = there, passed + seconds, max(best, truth.ravel()[pixel])
            points.append({"_id": pixel, "z": truth.ravel()[pixel] + 0.02 * rng.standard_normal()})
        optimizer.ingest(points)
        error = float(np.sqrt(np.mean((optimizer.state.mean - truth) ** 2)))
        curve.append((passed, error, best))
    return np.array(curve), float(np.quantile(truth, 0.99))


def seconds_to(reached, times):
    """Return the first of the times at which something was reached; the last times 1.5 if it never was."""
    return times[np.argmax(reached)] if np.any(reached) else times[-1] * LONGEST


def row(answers, move, fast, seeds):
    """Return ratios of times, as geometric means with their standard error as a factor, and pixels a second."""
    error, top, pace = [], [], []
    for kind, seed in product(KINDS, range(seeds)):
        (usual, high), (aware, _) = (answers[way, kind, seed, move, fast] for way in (False, True))
        goal = usual[:, 1].min()
        error.append(
            np.log(seconds_to(aware[:, 1] <= goal, aware[:, 0]) / seconds_to(usual[:, 1] <= goal, usual[:, 0]))
        )
        ends = [seconds_to(curve[:, 2] >= high, curve[:, 0]) for curve in (aware, usual)]
        top.append(np.log(ends[0] / ends[1]))
        pace.append(np.log((len(aware) / aware[-1, 0]) / (len(usual) / usual[-1, 0])))
    cells = [f"{np.exp(np.mean(x)):.2f} ± {np.exp(np.mean(x)) * np.std(x) / np.sqrt(len(x)):.2f}" for x in (error, top)]
    return [f"{move:g}", f"{move / fast:g}", *cells, f"{np.exp(np.mean(pace)):.2f}"]


def main():
    """Print the table."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--docs", type=Path)
    options = parser.parse_args()
    jobs = [*product((False, True), KINDS, range(options.seeds), MOVES, FAST)]
    with ProcessPoolExecutor(options.jobs) as pool:
        answers = dict(zip(jobs, pool.map(measured, jobs), strict=True))
    head = [
        "slow axis, exposures a pixel",
        "other axis",
        "seconds to the same error",
        "to the top 1 %",
        "pixels a second",
    ]
    text = table(head, [row(answers, move, fast, options.seeds) for move, fast in product(MOVES, FAST)])
    text = f"Made by `python benchmarks/on_the_way.py --seeds {options.seeds}` ({machine()}), ratios.\n\n{text}"
    print(text)
    if options.docs:
        write_section(options.docs, "on the way", text)


if __name__ == "__main__":
    main()
