"""Seconds to the same error of a map: fixed exposures, looks as often as it pays, and exposures as long as it pays.

    python benchmarks/looks.py [--seeds 4] [--jobs 2] [--docs docs/benchmarks.md]

Four kinds of maps of `maps.py`, 25 x 25 pixels, with noise as large as the map's standard deviation or half as large. A
new pixel costs a move and a look, each further look at it a look, and an exposure as long as so many looks as much;
decisions cost nothing. Each way measures for twice as long as 150 pixels take that are looked at once; how long it
takes to the error that those lead to is its time. Errors are counted as the smallest so far. Nothing is waited for:
time is that of the simulation. The last column is the last way over the best of the three fixed exposures of its row.
"""

from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
from maps import make
from tables import machine, table, write_section

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.agent import worthwhile_exposure, worthwhile_looks
from bluesky_gp.plans.exposing import FEW, REPEATS

KINDS = ("smooth", "domains", "grains", "stripes")
MOVES = (1.0, 3.0, 10.0)  # of the time of a look
NOISES = (0.5, 1.0)  # of the map's standard deviation
FIXED = {"1 look long": 1.0, "4 looks long": 4.0, "16 looks long": 16.0}
WAYS = (*FIXED, "as often as it pays", "as long as it pays")
MOST = 20.0  # looks
NUM, BATCH, LONGEST = 150, 10, 2.0


def measured(job):
    """Measure a map in one way; return times, and the errors of the map then."""
    way, kind, seed, move, noise = job
    truth = make(kind, seed).truth.reshape(50, 50)[::2, ::2]
    truth, rng = (truth - truth.mean()) / truth.std(), np.random.default_rng([seed, 7])
    optimizer = PixelOptimizer(PixelGrid(truth.shape), "z", batch_size=BATCH, seed=seed, exposure=1.0)
    passed, times, errors = 0.0, [], []
    while passed < LONGEST * NUM * (move + 1.0):
        points = []
        for pixel in [point["_id"] for point in optimizer.suggest(BATCH)]:
            std = optimizer.state.std.ravel()[pixel]
            exposures = looks(way, (optimizer.state.noise_std / std) ** 2, move, optimizer.state.n_measured)
            points += [
                {"_id": pixel, "z": truth.ravel()[pixel] + noise * rng.standard_normal() / np.sqrt(t), "exposure": t}
                for t in exposures
            ]
            passed += move + sum(exposures)
        if not points:
            break
        optimizer.ingest(points)
        times.append(passed)
        errors.append(float(np.sqrt(np.mean((optimizer.state.mean - truth) ** 2))))
    return times, np.minimum.accumulate(errors).tolist()


def looks(way, ratio, move, n_measured):
    """Return the exposures at a pixel, in looks, where the noise of one has so many times the map's variance."""
    if way in FIXED:
        return [FIXED[way]]
    if way == "as often as it pays":
        return [1.0] * min(worthwhile_looks(ratio, move, 1.0), int(MOST))
    if n_measured < FEW:  # as `dwelling` does: it takes repeats to tell noise from a rough map
        return [1.0] * REPEATS
    return [float(np.clip(worthwhile_exposure(ratio, move, 1.0), 1.0, MOST))]


def seconds_to(curve, error):
    """Return when an error was reached; infinite if never."""
    times, errors = curve
    place = int(np.argmax(np.array(errors) <= error))
    return times[place] if errors[place] <= error else np.inf


def row(answers, move, noise, seeds):
    """Return the geometric mean of each way's seconds over those of a single look, with how many never came there."""
    whole, ratios = NUM * (move + 1.0), {way: [] for way in WAYS}
    for kind, seed in product(KINDS, range(seeds)):
        once = answers["1 look long", kind, seed, move, noise]
        goal = min(e for t, e in zip(*once, strict=True) if t <= whole + 1e-9)
        base = seconds_to(once, goal)
        for way in WAYS:
            ratios[way].append(seconds_to(answers[way, kind, seed, move, noise], goal) / base)
    cells, logs = [], {way: np.log(np.minimum(found, LONGEST * 1.5)) for way, found in ratios.items()}
    for way, found in ratios.items():
        late = int(np.sum(~np.isfinite(found)))
        cells.append(f"{np.exp(np.mean(logs[way])):.2f}" + (f" ({late} of {len(found)} never)" if late else ""))
    best = min(FIXED, key=lambda way: np.mean(logs[way]))
    beside = logs["as long as it pays"] - logs[best]
    mean = np.exp(np.mean(beside))
    return [f"{move:g}", f"{noise:g}", *cells, f"{mean:.2f} ± {mean * np.std(beside) / np.sqrt(len(beside)):.2f}"]


def main():
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--docs")
    options = parser.parse_args()
    jobs = [*product(WAYS, KINDS, range(options.seeds), MOVES, NOISES)]
    with ProcessPoolExecutor(options.jobs) as pool:
        answers = dict(zip(jobs, pool.map(measured, jobs), strict=True))
    rows = [row(answers, move, noise, options.seeds) for move, noise in product(MOVES, NOISES)]
    text = table(["move, looks", "noise", *WAYS, "over the best fixed"], rows)
    print(text)
    if options.docs:
        made = f"Made by `python benchmarks/looks.py --seeds {options.seeds}` ({machine()})."
        write_section(Path(options.docs), "looks", f"{text}\n\n{made}")


if __name__ == "__main__":
    main()
