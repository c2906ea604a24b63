"""Scores of a run whose true map is known."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import generic_filter

from bluesky_gp.typing import Floats, Indices

TOP = 0.01  # of the pixels: those that a run should find


@dataclass(frozen=True)
class Score:
    """A run beside the truth."""

    best_value: float  # of the true map at the pixel called best
    rank: int  # of that pixel in the true map, 1 the best
    smooth_rank: int  # the same by the 3 x 3 median of the true map: where neighbours differ by noise, the fair one
    n_valid: int  # pixels whose truth is known
    top_found: float  # share of the top 1 % of pixels that were measured
    rmse: float  # root-mean-square error of the mean, target's unit
    relative_rmse: float  # the same over the standard deviation of the true map

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def score(truth: Floats, mean: Floats, best_pixel: tuple[int, ...], measured: Indices, *, sign: float = 1.0) -> Score:
    """Compare a run's answer with the true map.

    Parameters
    ----------
    truth : ndarray
        True map, NaN where there is no truth; such pixels do not count.
    mean : ndarray
        Posterior mean, of the same shape.
    best_pixel : tuple of int
        The pixel called best.
    measured : ndarray of int, shape (n, ndim)
        Pixels that were attempted.
    sign : float
        -1 where smaller is better.
    """
    valid = np.isfinite(truth)
    hits = np.zeros(truth.shape, dtype=bool)
    hits[tuple(measured.T)] = True
    top = valid & (sign * truth >= top_threshold(sign * truth))
    rmse = float(np.sqrt(np.mean((mean - truth)[valid] ** 2)))
    return Score(
        best_value=float(truth[best_pixel]),
        rank=rank(sign * truth, best_pixel),
        smooth_rank=rank(sign * median_map(truth), best_pixel),
        n_valid=int(valid.sum()),
        top_found=float(hits[top].mean()),
        rmse=rmse,
        relative_rmse=rmse / float(truth[valid].std()),
    )


def top_threshold(goodness: Floats) -> float:
    """Return the least value among the best 1 % of the pixels, one at least; NaN does not count, larger is better."""
    known = np.sort(goodness[np.isfinite(goodness)])
    return float(known[-n_top(len(known))])


def n_top(n_pixels: int) -> int:
    """Return the number of pixels that are the best 1 % of so many, one at least."""
    return max(1, round(TOP * n_pixels))


def rank(values: Floats, pixel: tuple[int, ...]) -> int:
    """Return how many pixels, itself included, are no worse than `pixel`; last where its value is not known."""
    known = values[np.isfinite(values)]
    value = values[pixel]
    return int((known > value).sum()) + 1 if np.isfinite(value) else len(known)


def median_map(truth: Floats) -> Floats:
    """Return the median of each pixel and its neighbours, NaN left out; NaN stays NaN."""

    def median(window: npt.NDArray[np.float64]) -> float:
        return float(np.nanmedian(window)) if np.isfinite(window).any() else np.nan

    smooth = np.asarray(generic_filter(truth, median, size=3, mode="constant", cval=np.nan))
    return np.where(np.isfinite(truth), smooth, np.nan)
