"""The graph of an image's pixels, and features from the smallest eigenvectors of its Laplacian.

======  ======================================================  ============
symbol  meaning                                                 shape
======  ======================================================  ============
z       the image, standardised                                 (n, ...)
A       affinity of neighbours                                  (N, N)
lam, v  smallest eigenvalues of a Laplacian, eigenvectors       (r,), (N, r)
======  ======================================================  ============
"""

from collections.abc import Callable
from functools import wraps
from itertools import product
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array

from bluesky_gp.typing import Floats, Indices

_LARGEST = 2**14  # pixels whose eigenvectors are found in a second; of a larger image, those of larger pixels

Features = Callable[[Floats, int], Floats]
"""Features of an image, ``(N, r)``, from the image and the largest r."""


def on_coarse_pixels(features: Features) -> Features:
    """Make features of a large image those of an image of larger pixels, each given to all that lie in it."""

    @wraps(features)
    def of(z: Floats, rank: int) -> Floats:
        factor = ceil(sqrt(z.size / _LARGEST))
        if factor == 1:
            return features(z, rank)
        rows, cols = (np.arange(n) // factor for n in z.shape)
        starts = [np.arange(0, n, factor) for n in z.shape]
        sums = np.add.reduceat(np.add.reduceat(z, starts[0], axis=0), starts[1], axis=1)
        coarse = sums / np.outer(np.bincount(rows), np.bincount(cols))
        U = of(coarse, rank).reshape(*coarse.shape, -1)
        return np.asarray(U[rows[:, None], cols].reshape(z.size, -1))

    return of


def neighbours(shape: tuple[int, ...]) -> tuple[Indices, Indices]:
    """Flat indices of the two pixels of each pair of neighbours, diagonal ones included, each pair once."""
    flat = np.arange(int(np.prod(shape))).reshape(shape)
    first: list[npt.NDArray[np.intp]] = []
    second: list[npt.NDArray[np.intp]] = []
    for step in product((-1, 0, 1), repeat=len(shape)):
        if step > (0,) * len(shape):
            here = tuple(slice(max(0, -d), n - max(0, d)) for d, n in zip(step, shape, strict=True))
            there = tuple(slice(max(0, d), n - max(0, -d)) for d, n in zip(step, shape, strict=True))
            first.append(flat[here].ravel())
            second.append(flat[there].ravel())
    return np.concatenate(first), np.concatenate(second)


def affinities(i: Indices, j: Indices, weights: Floats, n: int) -> csc_array:
    """Return A, ``(n, n)``, symmetric, of the affinity of each pair of pixels."""
    pairs = np.concatenate([i, j]), np.concatenate([j, i])
    return csc_array(coo_array((np.tile(weights, 2), pairs), shape=(n, n)))


def damped(lam: Floats, v: Floats, corner: float) -> Floats:
    """Return the eigenvectors, smaller where they change quickly: beyond the eigenvalue at that share of all.

    The first is left out: it is a constant, as the mean of the map is.
    """
    lam = np.maximum(lam[1:], 0.0)
    return np.asarray(v[:, 1:] / (1.0 + lam / max(lam[int(corner * len(lam))], 1e-12)))
