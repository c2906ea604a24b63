"""Maps to choose pixels on: eight kinds of synthetic ones, drawn by seed, and the measured sets where there are any.

Synthetic maps run from 0 to 1; what is measured is the map with noise of 0.02 ("noisy": 0.2), one value a pixel, the
same for everybody. The measured sets are taken as they are; their folder is named by BLUESKY_GP_DATA.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, generic_filter
from scipy.spatial import cKDTree

SHAPE = (50, 50)
NOISE, NOISY = 0.02, 0.2
MEASURED = ("bepfm_resonance_32x32", "beps_pto_loops_50x50")
BY_MEDIAN = ("beps_pto_loops_50x50",)  # its noise from pixel to pixel is as large as its pattern


@dataclass(frozen=True, eq=False)
class Map:
    """A true map, and the values that measurements of its pixels give; both flat, NaN where nothing can be measured."""

    kind: str
    seed: int
    shape: tuple[int, int]
    truth: np.ndarray
    values: np.ndarray

    def first(self, num=10):
        """Return the random pixels that everybody starts from."""
        return np.random.default_rng([self.seed, 1]).choice(np.flatnonzero(np.isfinite(self.values)), num, False)


def smooth(rng):
    """Hills of about 15 pixels."""
    return _hills(rng, 6.0)


def rough(rng):
    """Ridges and spikes on every scale, as of an exponential covariance."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(100), np.fft.fftfreq(100), indexing="ij"))
    amplitude = (frequency**2 + 0.02**2) ** -0.75
    return np.fft.ifft2(amplitude * np.fft.fft2(rng.standard_normal((100, 100)))).real[:50, :50]


def domains(rng):
    """Two kinds of regions with sharp walls, not quite even within."""
    return np.tanh(4.0 * _hills(rng, 5.0) / 0.5) + 0.25 * _hills(rng, 4.0)


def stripes(rng):
    """Oblique stripes, bent a little, of uneven strength."""
    row, col = _places()
    angle, period = rng.uniform(0.0, np.pi), rng.uniform(8.0, 14.0)
    phase = (row * np.cos(angle) + col * np.sin(angle)) / period + 0.3 * _hills(rng, 10.0)
    return np.sin(2.0 * np.pi * phase) * (1.0 + 0.3 * _hills(rng, 8.0))


def narrow_peak(rng):
    """One peak of three pixels on a gentle background."""
    return 0.15 * _hills(rng, 9.0) + _bump(rng, 3.0)


def grains(rng):
    """Grains of one value each, with a little texture."""
    places = np.stack(_places(), axis=-1).reshape(-1, 2)
    grain = cKDTree(rng.uniform(0.0, 50.0, (40, 2))).query(places)[1]
    return rng.uniform(size=40)[grain].reshape(SHAPE) + 0.05 * _hills(rng, 2.0)


def slope_with_bumps(rng):
    """A slope with six bumps of different sizes."""
    row, col = _places()
    angle = rng.uniform(0.0, 2.0 * np.pi)
    slope = (row * np.cos(angle) + col * np.sin(angle)) / 50.0
    return slope + sum(rng.uniform(0.3, 0.8) * _bump(rng, rng.uniform(2.5, 6.0)) for _ in range(6))


KINDS = {
    "smooth": smooth,
    "rough": rough,
    "domains": domains,
    "stripes": stripes,
    "narrow peak": narrow_peak,
    "grains": grains,
    "slope with bumps": slope_with_bumps,
    "noisy": smooth,
}


def kinds():
    """Return the names of all kinds, of the measured sets those that are there."""
    return [*KINDS, *(name for name in MEASURED if (file := data_file(name)) is not None and file.exists())]


def make(kind, seed):
    """Return the map of one kind and seed; of a measured set, the seed draws no more than the first pixels."""
    if kind not in KINDS:
        return _measured(kind, seed)
    rng = np.random.default_rng([seed, sorted(KINDS).index(kind)])
    truth = KINDS[kind](rng)
    truth = (truth - truth.min()) / np.ptp(truth)
    noise = NOISY if kind == "noisy" else NOISE
    values = truth + noise * rng.standard_normal(SHAPE)
    return Map(kind, seed, SHAPE, truth.ravel(), values.ravel())


def _measured(name, seed):
    with np.load(data_file(name), allow_pickle=False) as file:
        target = file["target"].astype(float)
    truth = generic_filter(target, np.nanmedian, 3, mode="nearest") if name in BY_MEDIAN else target
    truth = np.where(np.isnan(target), np.nan, truth)
    low, range_ = np.nanmin(truth), np.nanmax(truth) - np.nanmin(truth)
    return Map(name, seed, target.shape, ((truth - low) / range_).ravel(), ((target - low) / range_).ravel())


def data_file(name):
    """Return where a measured set would be, None where the folder is not named."""
    folder = os.environ.get("BLUESKY_GP_DATA")
    return None if folder is None else Path(folder) / f"{name}.npz"


def _places():
    return np.indices(SHAPE).astype(float)


def _hills(rng, width):
    """Gaussian field of that width in pixels, of standard deviation 1."""
    field = gaussian_filter(rng.standard_normal((100, 100)), width, mode="wrap")[:50, :50]
    return (field - field.mean()) / field.std()


def _bump(rng, width):
    row, col = _places()
    top = rng.uniform(4.0, 46.0, 2)
    return np.exp(-0.5 * ((row - top[0]) ** 2 + (col - top[1]) ** 2) / width**2)
