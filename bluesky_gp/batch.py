"""A ranking of pixels -> a batch of pixels that do not repeat each other -> a short path through them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from bluesky_gp.posterior import GridPosterior
from bluesky_gp.protocols import Floats, Indices

_TIE = 1e-9  # relative: what numbers differ by that are equal but for rounding, by symmetry or far from all data

Score = Callable[[GridPosterior, Indices], Floats]
"""The acquisition function on some pixels (flat indices) of a posterior."""


class Batch(NamedTuple):
    """Pixels to measure, in the order of their choice."""

    pixels: Indices  # (k,), flat
    scores: Floats  # (k,), the acquisition function at each when it was chosen
    ahead: GridPosterior  # as if they were measured already, at their predicted mean


def choose(posterior: GridPosterior, candidates: Indices, score: Score, num: int, share: float) -> Batch:
    """Choose a batch, one pixel after another, each as if those before were measured.

    The first ``share * num`` pixels (at least one, unless the share is zero) are where the acquisition function is
    largest, the others where the remaining variance is. The exploring half is what keeps a batch from staying
    around one hill, and nearly all that the map gains. A pixel whose score is NaN is not exploited; where no pixel has
    a score, the variance chooses.
    """
    exploiting = round(share * num) or int(share > 0.0)
    pixels, scores = [], []
    for place in range(min(num, len(candidates))):
        values = score(posterior, candidates) if place < exploiting else np.empty(0)
        exploits = np.any(values > -np.inf)
        winner = _largest(values if exploits else posterior.variance[candidates])
        pixels.append(int(candidates[winner]))
        scores.append(float(values[winner] if exploits else score(posterior, candidates[[winner]])[0]))
        posterior = posterior.condition(pixels[-1], float(posterior.mean[pixels[-1]]))
        candidates = np.delete(candidates, winner)
    return Batch(np.array(pixels, dtype=np.intp), np.array(scores), posterior)


def _largest(ranking: Floats) -> int:
    """Place of the largest number, NaN left out; the first of those that tie, whatever the rounding of this machine."""
    top = np.max(ranking, where=~np.isnan(ranking), initial=-np.inf)
    return int(np.argmax(ranking >= (top - _TIE * abs(top) if np.isfinite(top) else top)))


def short_path(points: Floats, start: Floats | None = None) -> Indices:
    """Order points, shape ``(k, ndim)``, for a short open path from `start`, by default the first of them.

    2-opt, from the order of nearest neighbours and from the order given: never longer than that, and within about
    5 % of the shortest for the tens of points of a batch.
    """
    stops = np.vstack([points[0] if start is None else start, points])
    distance = cdist(stops, stops)
    orders = [_improved(distance, order) for order in (_nearest_neighbour(distance), np.arange(len(stops)))]
    return min(orders, key=lambda order: _length(distance, order))[1:] - 1


def _length(distance: Floats, order: Indices) -> float:
    return float(distance[order[:-1], order[1:]].sum())


def _improved(distance: Floats, order: Indices) -> Indices:
    while (better := _two_opt(distance, order)) is not None:
        order = better
    return order


def _nearest_neighbour(distance: Floats) -> Indices:
    order, left = [0], set(range(1, len(distance)))
    while left:
        order.append(min(left, key=lambda point: (distance[order[-1], point], point)))
        left.remove(order[-1])
    return np.array(order)


def _two_opt(distance: Floats, order: Indices) -> Indices | None:
    """Reverse the one stretch of the path whose reversal saves most; None where none saves anything."""
    n = len(order)
    legs = distance[order[:, None], order]
    onward = np.append(np.diagonal(legs, 1), 0.0)  # from each point to the next; nothing behind the last
    beyond = np.column_stack([legs[:, 1:], np.zeros(n)])  # from each point to the one behind the stretch's end
    # Reversing i + 1 .. j replaces the legs (i, i + 1) and (j, j + 1) by (i, j) and (i + 1, j + 1).
    change = legs + np.vstack([beyond[1:], np.zeros(n)]) - onward[:, None] - onward
    change = np.where(np.triu(np.ones((n, n), dtype=bool), 2), change, 0.0)
    i, j = np.unravel_index(np.argmin(change), change.shape)
    if change[i, j] >= -1e-9 * distance.max():
        return None
    return np.concatenate([order[: i + 1], order[j:i:-1], order[j + 1 :]])
