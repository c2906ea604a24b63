"""A sparse factor of the inverse covariance of very many pixels (Vecchia).

======  ======================================================================  ============
symbol  meaning                                                                 shape
======  ======================================================================  ============
K       K_SS + noise                                                            (m, m)
U       sparse factor of the inverse, U U^T = K^-1 approximately                (m, m)
c(i)    up to 30 pixels near pixel i that come before it in the order           (k,)
======  ======================================================================  ============

Each column of U holds the regression of one pixel on its conditioning set c(i), as in Vecchia's approximation; it is
the factor of that sparsity that is nearest in the sense of Kullback and Leibler (Schäfer, Katzfuss & Owhadi 2021,
arXiv:2004.14455, theorem 2.1).
"""

import numpy as np
from scipy.spatial import KDTree

from bluesky_gp.gp.interfaces import StationaryCovariance
from bluesky_gp.typing import Floats, Indices

NEIGHBOURS = 30
_CHUNK = 4096  # pixels whose conditioning sets are factorised together: 30 MB
_LEAST_LEFT = 1e-12  # share of a pixel's variance that its conditioning set leaves at least


def positions(prior: StationaryCovariance, S: Indices) -> Floats:
    """Row and column of pixels, shape ``(m, ndim)``; a pixel measured twice lies a little beside itself."""
    return np.stack(np.unravel_index(S, prior.shape), axis=-1).astype(np.float64)


def conditioning_sets(positions: Floats, order: Indices, known: int = 0) -> Indices:
    """Nearest pixels among those earlier in the order, shape ``(m - known, k)``, padded with -1; from `known` on.

    In stretches that double: of the pixels up to the end of a stretch at least half come before it, so that among
    three times as many neighbours there are nearly always enough.
    """
    m = len(positions)
    k = min(NEIGHBOURS, m - 1)
    sets = np.full((m, max(k, 1)), -1)
    ordered, begin = positions[order], max(known, 1)
    while begin < m:
        end = min(2 * begin, m)
        near = KDTree(ordered[:end]).query(ordered[begin:end], k=min(3 * k, end))[1].reshape(end - begin, -1)
        later = near >= np.arange(begin, end)[:, None]
        first = np.argsort(later, axis=1, kind="stable")[:, :k]  # earlier ones first, the nearest of them in front
        chosen = np.where(np.take_along_axis(later, first, 1), -1, order[np.take_along_axis(near, first, 1)])
        sets[begin:end, : chosen.shape[1]] = chosen
        begin = end
    return sets[known:]


def columns(prior: StationaryCovariance, S: Indices, noise: Floats, order: Indices, conditions: Indices) -> Floats:
    """Columns of U, shape ``(m, k + 1)``: for each pixel its own entry, then those of its conditioning set."""
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(order), _CHUNK)]
    return np.concatenate([_chunk(prior, S, noise, order[chunk], conditions[chunk]) for chunk in chunks])


def _chunk(prior: StationaryCovariance, S: Indices, noise: Floats, i: Indices, c: Indices) -> Floats:
    used = c >= 0
    pixels = S[np.where(used, c, 0)]
    both = used[:, :, None] & used[:, None, :]
    K_cc = np.where(both, prior.pairs(pixels[:, :, None], pixels[:, None, :]), 0.0)
    diagonal = np.arange(c.shape[1])
    K_cc[:, diagonal, diagonal] += np.where(used, noise[np.where(used, c, 0)], 1.0)
    k_ci = np.where(used, prior.pairs(pixels, S[i][:, None]), 0.0)
    regression = np.linalg.solve(K_cc, k_ci[..., None])[..., 0]
    own = prior.pairs(S[i], S[i]) + noise[i]
    left = np.maximum(own - np.sum(regression * k_ci, axis=1), _LEAST_LEFT * own)
    return np.asarray(np.column_stack([np.ones(len(i)), -regression]) / np.sqrt(left)[:, None])
