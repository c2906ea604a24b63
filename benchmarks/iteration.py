"""CPU time of an iteration (ingest, fit, propose ten) of a 50 x 50 map, beside scikit-learn with the same batch rule.

    python benchmarks/iteration.py

Both start from the same ten random pixels, use a Matern 5/2 kernel with a length scale per axis, a constant and white
noise, fit it in every iteration that their own schedule says (scikit-learn: in every one, from where the last fit
ended, as one row of ours), and choose five pixels by expected improvement and five by the largest remaining variance,
each as if those before were measured. First the two posteriors are shown to be equal. CPU seconds on one thread, as
other work may share the machine.
"""

import warnings
from time import process_time

import numpy as np
from choices import Split
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.devices import SyntheticFerroelectric
from bluesky_gp.gp import GridPosterior, Trend

NUM, BATCH = 410, 10
KERNEL = ConstantKernel(1.0, (1e-4, 1e4)) * Matern([6.0, 6.0], (0.7, 100.0), nu=2.5) + WhiteKernel(0.01, (1e-6, 1e1))


def peer(values, coordinates, first):
    """Run scikit-learn's kriging believer; return pixels and the seconds of each iteration."""
    pixels, seconds = list(first), []
    kernel = KERNEL
    while len(pixels) < NUM:
        began = process_time()
        fitted = GaussianProcessRegressor(kernel, normalize_y=True).fit(coordinates[pixels], values[pixels])
        kernel = fitted.kernel_
        pixels += believe(fitted, coordinates, values, pixels)
        seconds.append(process_time() - began)
    return pixels, seconds


def believe(fitted, coordinates, values, measured):
    """Choose a batch: each pixel is added at its predicted mean before the next is chosen."""
    chosen, believed = [], list(values[measured])
    model = fitted
    best = model.predict(coordinates[measured]).max()
    noise = np.sqrt(fitted.kernel_.k2.noise_level) * np.std(values[measured])
    for place in range(BATCH):
        mean, std = model.predict(coordinates, return_std=True)
        std = np.sqrt(np.maximum(std**2 - noise**2, 1e-300))
        z = (mean - best) / std
        score = std * (norm.pdf(z) + z * norm.cdf(z)) if place < BATCH // 2 else std
        score[[*measured, *chosen]] = -np.inf
        chosen.append(int(np.argmax(score)))
        believed.append(mean[chosen[-1]])
        model = clone(fitted).set_params(kernel=fitted.kernel_, optimizer=None)
        model.fit(coordinates[[*measured, *chosen]], believed)
    return chosen


def ours(values, grid, kernel=None, n_restarts=None):
    """Run PixelOptimizer; return it and the seconds of each iteration."""
    optimizer = PixelOptimizer(
        grid, "z", kernel=kernel, batch_size=BATCH, batch=Split(0.5), seed=0, n_restarts=n_restarts
    )
    points, seconds = optimizer.suggest(), []
    while optimizer.state.n_attempted + BATCH < NUM:
        began = process_time()
        optimizer.ingest([{**point, "z": values[point["_id"]]} for point in points])
        points = optimizer.suggest()
        seconds.append(process_time() - began)
    return optimizer, seconds


def deviation(grid, values, pixels):
    """Largest difference of the two posteriors, in standard deviations of the values."""
    y = (values[pixels] - values[pixels].mean()) / values[pixels].std()
    theirs = GaussianProcessRegressor(KERNEL, optimizer=None, alpha=0.0).fit(grid.coordinates[pixels], y)
    mean, std = theirs.predict(grid.coordinates, return_std=True)
    mine = GridPosterior.of(KERNEL, grid, np.array(pixels), y, trend=Trend.known(np.zeros(grid.size)))
    std = np.sqrt(np.maximum(std**2 - KERNEL.k2.noise_level, 0.0))
    return max(np.abs(mine.mean - mean).max(), np.abs(mine.std - std).max())


def main() -> None:
    """Print the table."""
    threadpool_limits(1)
    warnings.simplefilter("ignore", ConvergenceWarning)  # the peer's noise reaches its bound in the first iterations
    sample = SyntheticFerroelectric(seed=0, failed=0.0)
    grid = PixelGrid(sample.shape)
    values = np.array([sample.truth("loop_area").ravel()]).ravel()
    values = values + 0.02 * np.ptp(values) * np.random.default_rng(0).standard_normal(grid.size)
    optimizer, default = ours(values, grid)
    _, same_kernel = ours(values, grid, KERNEL, n_restarts=0)
    _, searched = ours(values, grid, KERNEL)
    first = PixelOptimizer(grid, "z", batch_size=BATCH, seed=0).suggest()
    _, theirs = peer(values, grid.coordinates, [point["_id"] for point in first])
    worst = deviation(grid, values, optimizer.state.pixels.tolist())
    assert worst < 1e-8, worst
    print(f"posteriors of {NUM - BATCH} pixels differ by {worst:.1e} standard deviations at most")
    print(f"{'50 x 50, 410 pixels, batches of ten':40s} {'median ms':>10s} {'p95 ms':>10s} {'sum s':>8s}")
    rows = {
        "bluesky_gp, default kernel": default,
        "bluesky_gp, Matern 5/2 from one start": same_kernel,
        "bluesky_gp, Matern 5/2 from several": searched,
        "scikit-learn": theirs,
    }
    for name, seconds in rows.items():
        t = 1e3 * np.array(seconds)
        print(f"{name:40s} {np.median(t):10.1f} {np.quantile(t, 0.95):10.1f} {t.sum() / 1e3:8.2f}")
    print(f"scikit-learn / default kernel, summed: {sum(theirs) / sum(default):.1f}")
    print(f"scikit-learn / same kernel, summed: {sum(theirs) / sum(same_kernel):.1f}")


if __name__ == "__main__":
    main()
