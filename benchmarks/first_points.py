"""What the priors are for: fits to the first ten pixels, with them and without.

    python benchmarks/first_points.py [--maps 40]

For maps with length scales of 2 to 15 pixels: how often a fit to ten random pixels ends with a length scale below one
pixel or beyond the map's side, or with all noise or none, and the error of the map after those ten and after thirty.
"""

from argparse import ArgumentParser
from dataclasses import replace

import numpy as np

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.gp import LatticeCovariance, RotatedMatern

GRID = PixelGrid((50, 50))
HEADER = f"{'':16s} {'absurd length':>14s} {'all noise':>10s} {'no noise':>9s} {'error at 10':>12s} {'at 30':>8s}"


def sample_map(seed):
    """Draw a map with a random length scale, and what is measured of it."""
    rng = np.random.default_rng(seed)
    lengths = np.exp(rng.uniform(np.log(2.0), np.log(15.0), 2))
    truth = LatticeCovariance.of(RotatedMatern(tuple(lengths)), GRID).sample(rng)
    return truth, truth + 0.02 * np.ptp(truth) * rng.standard_normal(GRID.size)


def without_priors(optimizer):
    """Take the priors away, and leave kernel, bounds and starts."""
    model = optimizer._model  # noqa: SLF001
    choice = replace(model.choice, prior=None)
    optimizer._model = replace(model, beliefs=model.beliefs._replace(choice=choice))  # noqa: SLF001
    return optimizer


def judge(optimizer, truth, values, rng):
    """Return whether the fit to ten pixels is absurd, and the relative errors at 10 and 30."""
    pixels = rng.choice(GRID.size, 30, replace=False)
    errors = []
    for batch in (pixels[:10], pixels[10:]):
        optimizer.ingest([{"_id": int(i), "z": float(values[i])} for i in batch])
        errors.append(np.sqrt(np.mean((optimizer.mean.ravel() - truth) ** 2)) / truth.std())
        if len(errors) == 1:
            amplitude, *lengths, _roughness, _skew, noise = np.exp(optimizer.state.theta)
    absurd = min(lengths) < 1.0 or max(lengths) > 50.0
    return absurd, noise > amplitude, noise < 1e-5 * amplitude, *errors


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=int, default=40)
    n_maps = parser.parse_args().maps
    rows = {"with priors": [], "without": []}
    for seed in range(n_maps):
        truth, values = sample_map(seed)
        optimizers = PixelOptimizer(GRID, "z"), without_priors(PixelOptimizer(GRID, "z"))
        for row, optimizer in zip(rows.values(), optimizers, strict=True):
            row.append(judge(optimizer, truth, values, np.random.default_rng(seed)))
    print(HEADER)
    for name, row in rows.items():
        absurd, all_noise, no_noise, at_10, at_30 = np.mean(row, axis=0)
        print(f"{name:16s} {absurd:14.0%} {all_noise:10.0%} {no_noise:9.0%} {at_10:12.2f} {at_30:8.2f}")


if __name__ == "__main__":
    main()
