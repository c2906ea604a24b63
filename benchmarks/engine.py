"""The engine at every size, beside the limit of the machine measured there and then.

    python benchmarks/engine.py [SIDE/MEASURED[/image] ...]

For each size, in a process of its own: an iteration (learn ten pixels, propose ten) with hyperparameters held, one with
a refit, the first decision on data that are handed over at once, an iteration with batches of a hundred, and peak
memory. The limit is 20 pairs of FFTs of the padded lattice and, up to 2000 measured, one Cholesky factorisation of that
many; beyond, 70 pairs more: ten solutions of seven iterations. Beside them, how far the variance lies above the exact
one, and how many of the measured pixels the likelihood looks at. With `/image` there is an overview image, of which
the map is a function: beside the row without it.
"""

import resource
import subprocess
import sys
from time import process_time

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.linalg import cholesky

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.gp import IN_BLOCKS, LIKELIHOOD, LatticeCovariance, RotatedMatern
from bluesky_gp.optimizer import model, timing

SIZES = ("50/410", "128/1000", "256/2000", "512/2000", "512/5000", "1024/5000", "1024/50000")
SIZES += ("50/410/image", "512/2000/image")
HEADER = (
    f"{'lattice, measured':>22s} {'held ms':>10s} {'limit ms':>10s} {'ratio':>6s} {'refit ms':>10s} {'first s':>8s}"
    f" {'of 100 ms':>10s} {'/expected':>9s} {'/expected':>9s}"
    f" {'variance':>10s} {'likelihood':>11s} {'MB':>6s}"
)


def clock(work, times=1):
    """Return the shortest of several runs, in CPU seconds of all threads: other work may share the machine."""
    seconds = []
    for _ in range(times):
        began = process_time()
        work()
        seconds.append(process_time() - began)
    return min(seconds)


def sample_map(side):
    """Draw a map whose hyperparameters the engine has to find, with noise."""
    grid = PixelGrid((side, side))
    truth = LatticeCovariance.of(RotatedMatern((6.0, 9.0), 1.5), grid).sample(np.random.default_rng(1))
    return grid, truth + 0.05 * np.random.default_rng(2).standard_normal(grid.size)


def limit(optimizer, m):
    """Return the seconds that FFTs and the factorisation take here and now."""
    padded = np.zeros([next_fast_len(2 * n - 1, real=True) for n in optimizer.grid.shape])
    workers = 2 if padded.size > 2**18 else 1
    pair = clock(lambda: irfftn(rfftn(padded, workers=workers), padded.shape, workers=workers), 5)
    if m > 2000:
        return 90 * pair
    K = optimizer.state.posterior.prior.block(np.arange(m), np.arange(m)) + np.eye(m)
    return 20 * pair + clock(lambda: cholesky(K, lower=True), 3)


def iteration(optimizer, values, num=10):
    """Learn the pixels proposed last, and propose the next."""

    def work():
        optimizer.ingest([{**point, "z": values[point["_id"]]} for point in optimizer.points])
        optimizer.points = optimizer.suggest(num)

    return work


def excess(posterior, n=6):
    """Largest relative excess of the variance over the exact one, at some pixels."""
    pixels = np.random.default_rng(0).choice(len(posterior.variance), n, replace=False)
    exact = np.array([posterior.covariance_column(int(pixel))[pixel] for pixel in pixels])
    return float(np.max(posterior.variance[pixels] / exact - 1.0))


def measure(size):
    """Print the row of one size."""
    side, m, *seeing = size.split("/")
    side, m = int(side), int(m)
    grid, values = sample_map(side)
    image = np.reshape(values + 0.3 * np.random.default_rng(3).standard_normal(grid.size), grid.shape)
    optimizer = PixelOptimizer(grid, "z", overview=image if seeing else None)
    pixels = np.random.default_rng(0).choice(grid.size, m - 10, replace=False)
    points = [{"_id": int(i), "z": float(values[i])} for i in pixels]

    def first_decision():
        optimizer.ingest(points)
        optimizer.points = optimizer.suggest()

    first = clock(first_decision)
    expected_held = timing.decision_seconds(grid.size, m, 10, 0)
    expected_refit = timing.decision_seconds(grid.size, m + 10, 10, 5)
    model.refit_due, model.contradicts = lambda *_: False, lambda _: False
    held = clock(iteration(optimizer, values), 5 if m <= 5000 else 2)
    shortest = limit(optimizer, m)
    model.refit_due = lambda *_: True
    refit = clock(iteration(optimizer, values))
    state = optimizer.state
    model.refit_due, optimizer.points = lambda *_: False, optimizer.suggest(100)
    hundred = clock(iteration(optimizer, values, 100), 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    looked_at = "all" if state.fit.n_likelihood == state.n_measured else f"{state.fit.n_likelihood}"
    times = f"{1e3 * held:10.1f} {1e3 * shortest:10.1f} {held / shortest:6.2f} {1e3 * refit:10.1f} {first:8.2f}"
    expected = f"{1e3 * hundred:10.1f} {held / expected_held:9.1f} {refit / expected_refit:9.1f}"
    rest = f"{excess(state.posterior):+10.1e} {looked_at:>11s} {peak:6.0f}"
    print(f"{size:>22s} {times} {expected} {rest}", flush=True)


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2])
        return
    print(f"fits take more than {LIKELIHOOD} pixels in blocks, at most {IN_BLOCKS}")
    print("'variance': excess over the exact one, 6 pixels")
    print(HEADER, flush=True)
    for size in sys.argv[1:] or SIZES:
        subprocess.run([sys.executable, __file__, "--one", size], check=True)


if __name__ == "__main__":
    main()
