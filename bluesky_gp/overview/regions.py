r"""Features that are alike where the image does not change on the way from one pixel to another: grains, particles.

======  ======================================================  ============
symbol  meaning                                                 shape
======  ======================================================  ============
z       the image, standardised                                 (N,)
A       affinity of neighbours, small across an edge            (N, N)
lam, v  smallest eigenvalues of the Laplacian of that graph     (r,), (N, r)
======  ======================================================  ============

.. math:: A_{ij} = e^{-(z_i - z_j)^2 / 2 s^2} + \epsilon, \qquad
          K \propto \sum_k \frac{v_k v_k^T}{(1 + \lambda_k / \lambda_c)^2}

Kernels on graphs: Smola & Kondor 2003, COLT, 144; a graph of an image's pixels: Shi & Malik 2000, IEEE Trans. Pattern
Anal. Mach. Intell. 22, 888.
"""

from itertools import product
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import eigsh

from bluesky_gp.gp import unit_rows
from bluesky_gp.typing import Floats, Indices

_LARGEST = 2**14  # pixels whose eigenvectors are found in a second; of a larger image, those of larger pixels
_EDGE = 2.0  # s, in typical differences of neighbours
_LEAK = 0.02  # epsilon: how much neighbours have in common in spite of an edge
_CORNER = 0.25  # of the eigenvalues: lambda_c stands there
_SHIFT = 1e-3  # below zero, where no eigenvalue is, relative to the sum of a pixel's affinities


def region_features(z: Floats, rank: int) -> Floats:
    """Return features of an image, shape of a lattice: ``(N, r)``, r at most `rank`, rows of length one."""
    factor = ceil(sqrt(z.size / _LARGEST))
    if factor > 1:
        return _of_coarse_pixels(z, rank, factor)
    A = _affinity(z)
    degree = np.asarray(A.sum(axis=0)).ravel()
    laplacian = csc_array(diags_array(degree) - A)
    number = min(rank + 1, z.size - 1)
    lam, v = eigsh(laplacian, k=number, sigma=-_SHIFT * float(np.median(degree)), v0=np.ones(z.size))
    lam = np.maximum(lam[1:], 0.0)  # the first eigenvector is a constant, as the mean of the map is
    corner = max(lam[int(_CORNER * len(lam))], 1e-12)
    return unit_rows(v[:, 1:] / (1.0 + lam / corner))


def _of_coarse_pixels(z: Floats, rank: int, factor: int) -> Floats:
    """Return features of an image whose pixels are so many times as large, each given to all that lie in it."""
    rows, cols = (np.arange(n) // factor for n in z.shape)
    starts = [np.arange(0, n, factor) for n in z.shape]
    sums = np.add.reduceat(np.add.reduceat(z, starts[0], axis=0), starts[1], axis=1)
    coarse = sums / np.outer(np.bincount(rows), np.bincount(cols))
    U = region_features(coarse, rank).reshape(*coarse.shape, -1)
    return np.asarray(U[rows[:, None], cols].reshape(z.size, -1))


def _affinity(z: Floats) -> csc_array:
    i, j = _neighbours(z.shape)
    step = np.abs(z.ravel()[i] - z.ravel()[j])
    scale = _EDGE * float(np.median(step)) or 1.0
    weight = np.exp(-0.5 * np.square(step / scale)) + _LEAK
    pairs = np.concatenate([i, j]), np.concatenate([j, i])
    return csc_array(coo_array((np.tile(weight, 2), pairs), shape=(z.size, z.size)))


def _neighbours(shape: tuple[int, ...]) -> tuple[Indices, Indices]:
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
