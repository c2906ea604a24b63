"""A coarse or quick map learnt before the fine one: errors of the map, beside throwing it away.

    python benchmarks/coarse_to_fine.py [--seeds 8] [--docs docs/steering.md]

Maps of 50 x 50 pixels from 0 to 1, 100 of them measured at random after the coarse map. Block means: one of each block
of 5 x 5 pixels, learnt as a value at its centre, or as the linear measurement that it is by a dense Gaussian process of
the same hyperparameters. Quick maps: every second or fourth pixel at a tenth of the exposure, learnt with the fine
map's noise or with their own.
"""

from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from images import SHAPE, domains, grains, hills
from tables import machine, spread, table, write_section

from bluesky_gp import PixelGrid, PixelOptimizer

BLOCK = 5
NUM = 100
NOISE = 0.03
QUICK = NOISE * np.sqrt(10.0)
KINDS = {
    "smooth": lambda rng: hills(rng, 5.0),
    "fine": lambda rng: hills(rng, 2.5),
    "domains": lambda rng: domains(rng)[1],
    "grains": lambda rng: grains(rng)[1],
}


class Sample:
    """A map by kind and seed, and what is measured of it."""

    def __init__(self, kind, seed):
        self.rng = np.random.default_rng([seed, 11, sorted(KINDS).index(kind)])
        truth = KINDS[kind](self.rng)
        self.truth = (truth - truth.min()) / np.ptp(truth)
        self.pixels = self.rng.choice(self.truth.size, NUM, replace=False)
        self.fine = self.measured(self.truth.ravel()[self.pixels], NOISE)

    def measured(self, values, noise):
        """Return values with noise."""
        return values + noise * self.rng.standard_normal(values.shape)

    def error(self, mean):
        """Return the error of a map in standard deviations of the true one."""
        return float(np.sqrt(np.mean((mean.reshape(SHAPE) - self.truth) ** 2)) / self.truth.std())

    def learnt(self, pixels=(), values=(), std=0.0):
        """Return the state that knows the fine pixels, and coarse ones with a known noise."""
        optimizer = PixelOptimizer(PixelGrid(SHAPE), "z")
        coarse = [{"_id": int(p), "z": float(v), "z_std": std} for p, v in zip(pixels, values, strict=True)]
        fine = [{"_id": int(p), "z": float(v)} for p, v in zip(self.pixels, self.fine, strict=True)]
        return optimizer.learn(optimizer.state, [*coarse, *fine], final=True)


def blocks(kind, seed):
    """Return errors without block means, with them at the blocks' centres, and as linear measurements."""
    sample = Sample(kind, seed)
    n_rows, n_cols = (n // BLOCK for n in SHAPE)
    means = sample.truth.reshape(n_rows, BLOCK, n_cols, BLOCK).mean(axis=(1, 3))
    means = sample.measured(means, NOISE).ravel()
    places = np.arange(sample.truth.size).reshape(SHAPE)
    centres = places[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].ravel()
    state = sample.learnt(centres, means)
    members = places.reshape(n_rows, BLOCK, n_cols, BLOCK).swapaxes(1, 2).reshape(len(means), -1)
    averaging = np.zeros((len(means) + NUM, sample.truth.size))
    np.put_along_axis(averaging[: len(means)], members, 1.0 / BLOCK**2, axis=1)
    averaging[np.arange(len(means), len(averaging)), sample.pixels] = 1.0
    linear = _linear(state, averaging, np.concatenate([means, sample.fine]))
    return [sample.error(mean) for mean in (sample.learnt().mean, state.mean, linear)]


def _linear(state, averaging, y):
    """Mean of a field of which linear combinations were measured. Rasmussen & Williams (2006), eq. 2.25, 2.42."""
    covariance = state.fit.covariance
    X = PixelGrid(SHAPE).coordinates
    K = covariance.kernel(X, X.copy())
    noise = covariance.kernel.diag(X[:1])[0] - K[0, 0]
    cross = K @ averaging.T
    inverse = np.linalg.inv(averaging @ cross + noise * np.eye(len(y)))
    inward = state.units.inward(y)
    constant = inverse.sum(axis=0) @ inward / inverse.sum()
    return state.units.outward(constant + cross @ (inverse @ (inward - constant)), np.zeros(len(X)))[0]


def quick(every, kind, seed):
    """Return errors without a quick map, with it as if it were no noisier, and with its noise."""
    sample = Sample(kind, seed)
    pixels = np.arange(sample.truth.size).reshape(SHAPE)[::every, ::every].ravel()
    values = sample.measured(sample.truth.ravel()[pixels], QUICK)
    ways = (sample.learnt(), sample.learnt(pixels, values), sample.learnt(pixels, values, QUICK))
    return [sample.error(state.mean) for state in ways]


def report(seeds):
    """Return the table."""
    maps = {
        "means of 5 x 5": blocks,
        "quick, every 2nd": lambda *args: quick(2, *args),
        "quick, every 4th": lambda *args: quick(4, *args),
    }
    rows = []
    for coarse, errors_of in maps.items():
        for kind in KINDS:
            errors = np.array([errors_of(kind, seed) for seed in range(seeds)])
            logs = np.log(errors[:, 1:] / errors[:, :1]).T
            ratios = [f"{np.exp(np.mean(log)):.2f} ± {np.exp(np.mean(log)) * spread(log)[1]:.2f}" for log in logs]
            rows.append([coarse, kind, f"{np.median(errors[:, 0]):.2f}", *ratios])
            print(rows[-1], flush=True)
    head = ["coarse map", "map", "error without it", "as values", "as a linear measurement, or with its own noise"]
    return table(head, rows) + f"\n\n{seeds} seeds each. Measured on {machine()}."


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--docs", type=Path, help="write the table into this file")
    arguments = parser.parse_args()
    text = report(arguments.seeds)
    print(text)
    if arguments.docs:
        write_section(arguments.docs, "coarse", text)


if __name__ == "__main__":
    main()
