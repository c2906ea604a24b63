"""Measuring and predicting without an agent: a coarse grid, and inpainting between pixels."""

from importlib.util import find_spec

import numpy as np
from scipy.interpolate import griddata
from scipy.spatial import QhullError

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import evenly_spaced
from bluesky_gp.typing import Floats, Indices

INPAINTING = "biharmonic" if find_spec("skimage") else "cubic"
"""The method of `inpaint` here: scikit-image comes with the extra ``rehearse``."""


def coarse_grid(grid: PixelGrid, num: int, rng: np.random.Generator) -> Indices:
    """Return flat indices of about `num` evenly spaced pixels, masked ones left out; where the first lies is random.

    Whole rows of as many pixels each, as a raster has them; `CoarseGrid` has `num` exactly.
    """
    counts = np.clip(np.rint(np.multiply(grid.shape, (num / grid.size) ** (1.0 / grid.ndim))), 1, grid.shape)
    starts = rng.random(grid.ndim)
    lines = [evenly_spaced(n, k, start) for n, k, start in zip(grid.shape, counts.astype(int), starts, strict=True)]
    flat = grid.ravel(np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, grid.ndim))
    return np.asarray(flat[grid.allowed[flat]])


def inpaint(values: Floats) -> Floats:
    """Fill a map, NaN where it is not known: biharmonic equation (Damelin & Hoang 2018), or cubic without scikit-image.

    Parameters
    ----------
    values : ndarray, one to three axes
        At least one must be known.
    """
    if INPAINTING != "biharmonic":
        return interpolate(values)
    from skimage.restoration import inpaint_biharmonic

    unknown = np.isnan(values)
    # In units of their own spread: scikit-image takes numbers far below 1 for nothing.
    center, spread = np.nanmean(values), np.nanstd(values) or 1.0
    filled = inpaint_biharmonic(np.where(unknown, 0.0, (values - center) / spread), unknown)
    return np.asarray(center + spread * filled)


def interpolate(values: Floats) -> Floats:
    """Fill a map: cubic between known pixels (linear on three axes), the nearest known one beyond them."""
    known = np.isfinite(values)
    places, wanted = np.argwhere(known), np.argwhere(~known)
    filled = values.copy()
    filled[~known] = griddata(places, values[known], wanted, "nearest").ravel()
    try:
        inside = griddata(places, values[known], wanted, "cubic" if values.ndim < 3 else "linear").ravel()
    except (QhullError, ValueError):  # too few, or all in one line
        return filled
    filled[~known] = np.where(np.isfinite(inside), inside, filled[~known])
    return filled
