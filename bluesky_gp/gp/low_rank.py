"""A radial kernel of any quantities as a few features: their products are the kernel, as nearly as so few can be it.

======  ==================================================  ==============
symbol  meaning                                             shape
======  ==================================================  ==============
X       quantities of all pixels                            (N, d)
Z       centres among them                                  (q, d)
U       features, U U^T = k(X, X) nearly                    (N, r)
======  ==================================================  ==============

Nystroem's method: Williams & Seeger 2001, NeurIPS 13; centres by k-means: Zhang & Kwok 2010, IEEE Trans. Neural
Networks 21, 1576.
"""

import numpy as np
from scipy.spatial.distance import cdist

from bluesky_gp.typing import Floats

_LOOKED_AT = 4000  # of the pixels, in which centres are sought
_ROUNDS = 5  # of k-means
_LEAST = 1e-6  # of the variance: an eigenvector that has less is left out


def radial_features(X: Floats, length: float, rank: int) -> Floats:
    """Return features of ``k(x, x') = exp(-|x - x'|^2 / (2 length^2))``, at most `rank`, shape ``(N, r)``.

    The squares of each row add up to one, as they do for the kernel itself.
    """
    Z = _centres(X, rank)
    values, vectors = np.linalg.eigh(_radial(Z, Z, length))
    kept = values > 1e-8 * values[-1]
    return principal(unit_rows(_radial(X, Z, length) @ (vectors[:, kept] / np.sqrt(values[kept]))), rank)


def unit_rows(U: Floats) -> Floats:
    """Return rows whose squares add up to one."""
    return np.asarray(U / np.maximum(np.sqrt(np.square(U).sum(axis=1, keepdims=True)), 1e-150))


def principal(U: Floats, rank: int) -> Floats:
    """Return fewer features with nearly the same products: the principal axes of those given, rows renewed."""
    values, vectors = np.linalg.eigh(U.T @ U)
    kept = np.flatnonzero(values > _LEAST * values.sum())[-rank:]
    return unit_rows(U @ vectors[:, kept])


def _centres(X: Floats, num: int) -> Floats:
    """Choose centres by k-means, begun at rows evenly spaced among those sorted by their first quantity."""
    step = -(-len(X) // _LOOKED_AT)
    some = np.unique(X[::step], axis=0)
    if len(some) <= num:
        return some
    centres = some[np.linspace(0, len(some) - 1, num).astype(np.intp)]
    for _ in range(_ROUNDS):
        nearest = cdist(some, centres, "sqeuclidean").argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(centres))
        sums = np.stack([np.bincount(nearest, column, minlength=len(centres)) for column in some.T], axis=1)
        centres = sums[counts > 0] / counts[counts > 0, None]
    return np.asarray(centres)


def _radial(X: Floats, Z: Floats, length: float) -> Floats:
    return np.asarray(np.exp(cdist(X, Z, "sqeuclidean") * (-0.5 / length**2)))
