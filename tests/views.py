"""Outlooks of optimizers that know a few pixels, to try acquisition functions on."""

import numpy as np
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer.context import StateContext

GRID = PixelGrid((9, 8), step=(0.5, 2.0))
KERNEL = ConstantKernel(1.0, "fixed") * Matern([2.0, 3.0], "fixed", nu=2.5) + WhiteKernel(0.01, "fixed")


def height(row, col):
    return float(3.0 + np.sin(row) + 0.3 * col)


def tilt(row, col):
    return float(5.0 * np.cos(row) - col)


def spectrum(row, col):
    """Three bands on twelve channels: height, tilt, and a corner of its own."""
    bands = np.array([height(row, col), tilt(row, col), 20.0 if row > 6 and col > 5 else 0.0])
    return np.repeat(bands, 4) * np.linspace(1.0, 1.3, 12)


def optimizer(num=14, others=("tilt", "spectrum"), grid=GRID, shift=0.0, scale=1.0, **options):
    """Knows `num` random pixels."""
    found = PixelOptimizer(grid, "height", KERNEL, n_initial=4, others=others, **options)
    found.ingest(measured(found.suggest(num), shift, scale))
    return found


def measured(points, shift=0.0, scale=1.0):
    return [
        {
            "_id": point["_id"],
            "height": shift + scale * height(point["row"], point["col"]),
            "tilt": tilt(point["row"], point["col"]),
            "spectrum": spectrum(point["row"], point["col"]),
        }
        for point in points
    ]


def view(found=None, seed=0, chosen=(), **options):
    """What an acquisition function is given, some pixels taken as measured."""
    state = (found or optimizer(**options)).state
    posterior = state.posterior
    for pixel in chosen:
        posterior = posterior.condition(pixel, float(posterior.mean[pixel]))
    left = np.setdiff1d(state.candidates(), np.array(chosen, dtype=int))
    return StateContext(state, posterior, left, np.random.default_rng(seed))
