"""Gains that the agent expects of the next hundred pixels, beside those that they brought.

    python benchmarks/forecast.py [--seeds FIRST LAST] [KIND ...]

Kinds and measured sets are those of maps.py, a run of 400 pixels each, in batches of ten. At 100, 200 and 300 pixels:

error     RMS error of the map as the agent expects it, over what it is (geometric mean of the ratios)
gain      by how much the next hundred pixels lower it, expected and real (means), and their ratio
within    runs whose real gain was between half and twice the expected one, or both below 0.1 % of the range
best      by how much they better the true value of the best pixel (by the posterior mean), expected and real (means)
covered   runs in which it was no more, within 0.5 % of the range, than what the agent gave a probability of nine tenths

All in units of the map's range. The last lines are rank correlations over all runs at one number of pixels.
"""

from argparse import ArgumentParser
from dataclasses import dataclass

import numpy as np
from maps import kinds, make
from scipy.stats import spearmanr

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import Forecast

AT = (100, 200, 300)
SMALL = 0.001  # of the map's range: a gain below it is none
TELLING = 0.005  # of the map's range: a difference of two values below it says nothing, as the noise is 0.02
HEADER = (
    f"{'kind':22s} {'at':>4s} {'error':>6s}   {'gain':>6s} {'real':>7s} {'ratio':>6s} {'within':>7s}"
    f"   {'best':>6s} {'real':>7s} {'covered':>8s}"
)


@dataclass(frozen=True)
class Compared:
    """One forecast, and what came of it."""

    forecast: Forecast
    error: float  # of the map, RMS
    map_gain: float
    best_gain: float

    @property
    def within(self):
        """Whether the gain of the map was as expected, within a factor of two."""
        expected, real = self.forecast.map_gain, self.map_gain
        return max(expected, real) < SMALL or 0.5 * expected <= real <= 2.0 * expected

    @property
    def covered(self):
        """Whether the best value gained no more than was likely."""
        return self.best_gain <= self.forecast.best_gain_most + TELLING


def run(kind, seed):
    """Measure 400 pixels; return what was forecast at each number of pixels, and what came of it."""
    truth = make(kind, seed)
    missing = np.isnan(truth.values).reshape(truth.shape)
    grid = PixelGrid(truth.shape, mask=missing if missing.any() else None)
    optimizer, points, found = PixelOptimizer(grid, "z", seed=seed), [{"_id": int(i)} for i in truth.first()], {}
    while True:
        optimizer.ingest([{**point, "z": float(truth.values[point["_id"]])} for point in points])
        state = optimizer.state
        if state.n_measured in (*AT, 400):
            wrong = (state.mean.ravel() - truth.truth)[grid.allowed]
            best = float(truth.truth[grid.ravel([state.best_pixel])[0]])
            found[state.n_measured] = state.forecast, float(np.sqrt(np.mean(wrong**2))), best
        if state.n_measured == 400:
            return [_compared(found[n], found[n + 100]) for n in AT]
        points = optimizer.suggest()


def _compared(now, later):
    (expected, error, best), (_, error_later, best_later) = now, later
    return Compared(expected, error, error - error_later, best_later - best)


def row(kind, at, results):
    """Return a line of the table."""
    ratio = np.exp(np.mean([np.log(r.forecast.map_error / r.error) for r in results]))
    gain, real = np.mean([r.forecast.map_gain for r in results]), np.mean([r.map_gain for r in results])
    best, real_best = np.mean([r.forecast.best_gain for r in results]), np.mean([r.best_gain for r in results])
    within, covered = np.mean([r.within for r in results]), np.mean([r.covered for r in results])
    return (
        f"{kind:22s} {at:4d} {ratio:6.2f}   {gain:6.4f} {real:7.4f} {gain / real:6.2f} {within:7.0%}"
        f"   {best:6.4f} {real_best:7.4f} {covered:8.0%}"
    )


def ranks(results):
    """Return a line of rank correlations between what was expected and what came."""
    pairs = {
        "error": [(r.forecast.map_error, r.error) for r in results],
        "gain of the map": [(r.forecast.map_gain, r.map_gain) for r in results],
        "gain of the best": [(r.forecast.best_gain, r.best_gain) for r in results],
    }
    return ", ".join(f"{name} {spearmanr(*zip(*both, strict=True))[0]:.2f}" for name, both in pairs.items())


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 10), metavar=("FIRST", "LAST"))
    parser.add_argument("kinds", nargs="*")
    arguments = parser.parse_args()
    print(HEADER)
    everything = {at: [] for at in AT}
    for kind in arguments.kinds or kinds():
        runs = [run(kind, seed) for seed in range(*arguments.seeds)]
        for place, at in enumerate(AT):
            results = [each[place] for each in runs]
            everything[at] += results
            print(row(kind, at, results), flush=True)
    for at, results in everything.items():
        print(row("all", at, results))
        print(f"{'':27s}rank correlations: {ranks(results)}")


if __name__ == "__main__":
    main()
