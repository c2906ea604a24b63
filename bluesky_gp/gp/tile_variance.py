"""The variance of all pixels from the measured pixels that are most correlated with each tile: O(N).

Those of a small correlation change next to nothing, and leaving them out can only make the variance larger, never
smaller: fewer measurements know less. Correlation and not distance tells them apart: on stripes ten times as long as
wide the nearest 200 leave up to 10 % too much, and the 96 most correlated less than 1 %.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.spatial import KDTree

from bluesky_gp.gp import lapack
from bluesky_gp.gp.blas import blas_threads, processors
from bluesky_gp.gp.cholesky import LOST, CholeskySolver
from bluesky_gp.gp.interfaces import NO_VARIANCE, TiledCovariance
from bluesky_gp.typing import Floats, Indices

RELATED = 128  # measured pixels that a tile looks at
LEAST = 1e-2  # correlation with some pixel of the tile, of those that it looks at: its square counts
_CONSIDERED = 4  # times as many: among those the most correlated are found, as axes may be skewed
_INSIDE = 20  # measured pixels in a tile beyond which it is cut in two
_SIDES = 4, 64  # pixels along the longest side of a tile: not cut any more, and cut in any case
_TILES = 64  # whose measured pixels are looked up together

Corner = tuple[int, ...]
"""A pixel of the lattice, by its place along each axis."""


def tile_variance(prior: TiledCovariance, S: Indices, noise: Floats, reach: Indices) -> Floats:
    """Return the variance of every pixel, shape ``(N,)``, from the measured pixels most correlated with its tile.

    Parameters
    ----------
    prior : TiledCovariance
    S : ndarray of int, shape (m,)
        Measured pixels, flat.
    noise : ndarray, shape (m,)
        Their noise variances, the kernel's included.
    reach : ndarray of int, shape (ndim,)
        Pixels along each axis beyond which no correlation is above `LEAST`.
    """
    measured = _Measured.of(prior, S, noise, reach)
    tiles = _cut(measured.positions, (0,) * len(prior.shape), prior.shape)
    lows, highs = (np.array(ends) for ends in zip(*tiles, strict=True))
    variance = prior.variance.copy()
    lattice = variance.reshape(prior.shape)

    def fill(some: Indices) -> None:
        for low, high, near in zip(lows[some], highs[some], measured.around(lows[some], highs[some]), strict=True):
            if len(near):
                part = lattice[tuple(slice(*ends) for ends in zip(low, high, strict=True))]
                np.maximum(part - measured.reduction(near, low, high).reshape(part.shape), 0.0, out=part)

    with blas_threads(0), ThreadPoolExecutor(processors()) as pool:  # a thread a task: BLAS has none to share out
        list(pool.map(fill, np.array_split(np.arange(len(lows)), -(-len(lows) // _TILES))))
    return variance


@dataclass(frozen=True)
class _Measured:
    """Measured pixels, and where each of them is."""

    prior: TiledCovariance
    S: Indices  # (m,)
    noise: Floats  # (m,)
    positions: Indices  # (m, ndim)
    scale: Indices  # (ndim,), of the positions in the tree
    tree: KDTree

    @classmethod
    def of(cls, prior: TiledCovariance, S: Indices, noise: Floats, reach: Indices) -> Self:
        positions, scale = np.stack(np.unravel_index(S, prior.shape), axis=-1), np.maximum(reach, 1)
        return cls(prior, S, noise, positions, scale, KDTree(positions / scale))

    def around(self, low: Indices, high: Indices) -> Iterator[Indices]:
        """Yield the measured pixels that each tile looks at, indices into S."""
        centre, ndim = 0.5 * (low + high - 1), len(self.scale)
        num = min(len(self.S), _CONSIDERED * RELATED)
        farthest = float(np.linalg.norm(1.0 + np.max(0.5 * (high - low), axis=0) / self.scale))
        candidates = self.tree.query(centre / self.scale, k=num, distance_upper_bound=farthest)[1].reshape(-1, num)
        nobody = candidates == len(self.S)  # no other is as near
        candidates[nobody] = 0
        place = self.positions[candidates]
        closest = tuple(np.moveaxis(np.clip(place, low[:, None], high[:, None] - 1), -1, 0))
        shared = np.abs(self.prior.pairs(self.S[candidates], np.ravel_multi_index(closest, self.prior.shape)))
        shared[nobody | (shared <= LEAST * max(self.prior.variance[0], NO_VARIANCE))] = 0.0
        return _chosen(candidates, shared, (place > centre[:, None]) @ (1 << np.arange(ndim)), 1 << ndim)

    def reduction(self, near: Indices, low: Indices, high: Indices) -> Floats:
        """Return what some measured pixels take off the variance of a tile, flat."""
        box, K = self.prior.box(self.S[near], low, high), self._noisy(near)
        found = lapack.reduction_given(K, box, LOST * float(np.mean(np.diagonal(K))))
        if found is None:
            return lapack.reduction_of_rows(CholeskySolver.factorise(self._noisy(near)).L, box)
        return found

    def _noisy(self, near: Indices) -> Floats:
        K = self.prior.pairs(self.S[near, None], self.S[near])
        K.flat[:: len(near) + 1] += self.noise[near]
        return K


def _chosen(candidates: Indices, shared: Floats, side: Indices, n_sides: int) -> Iterator[Indices]:
    """Yield what each tile looks at: candidates that share most with it, in turns of all and of those on each side.

    On each side, because those that share most may lie in one dense cluster and know nothing of the other side.
    """
    order = np.argsort(-shared, axis=1, kind="stable")
    side = np.take_along_axis(side, order, axis=1)
    rank = np.broadcast_to(np.arange(side.shape[1]), side.shape).copy()
    for each in range(n_sides):
        mine = side == each
        rank = np.where(mine, np.minimum(rank, n_sides * (np.cumsum(mine, axis=1) - 1)), rank)
    first = np.argsort(rank, axis=1, kind="stable")[:, :RELATED]
    for row, has, places in zip(candidates, shared > 0.0, np.take_along_axis(order, first, axis=1), strict=True):
        yield row[places[has[places]]]


def _cut(positions: Indices, low: Corner, high: Corner) -> list[tuple[Corner, Corner]]:
    """Cut a box into tiles, from the first pixel to behind the last; small ones where many pixels were measured."""
    sides = [end - begin for begin, end in zip(low, high, strict=True)]
    side, (least, most) = max(sides), _SIDES
    if side <= most and (len(positions) <= _INSIDE or side <= least):
        return [(low, high)]
    axis = sides.index(side)
    middle = (low[axis] + high[axis]) // 2
    first, second = (*high[:axis], middle, *high[axis + 1 :]), (*low[:axis], middle, *low[axis + 1 :])
    before = positions[:, axis] < middle
    return [*_cut(positions[before], low, first), *_cut(positions[~before], second, high)]
