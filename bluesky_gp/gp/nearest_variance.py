"""The variance of all pixels from each one's nearest measured pixels: O(N), where the exact one is O(N m^2).

A pixel far beyond the length scale changes nothing. Leaving it out can only make the variance larger, never smaller:
fewer measurements know less.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.spatial import KDTree

from bluesky_gp.gp import lapack
from bluesky_gp.gp.blas import blas_threads, processors
from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.interfaces import TiledCovariance
from bluesky_gp.typing import Floats, Indices

NEIGHBOURS = 300  # measured pixels that a tile shares: its corners have their 120 nearest among them
_INSIDE = 60  # measured pixels in a tile beyond which it is cut in four
_SMALLEST = 4  # pixels along the longest side of a tile that is not cut any more
_SIDE = 32  # pixels along the side of a first tile


def nearest_variance(
    prior: TiledCovariance,
    S: Indices,
    noise: Floats,
    reach: Indices | None = None,
    neighbours: int = NEIGHBOURS,
) -> Floats:
    """Return the variance of every pixel, shape ``(N,)``, from measured pixels near its tile.

    Parameters
    ----------
    prior : TiledCovariance
    S : ndarray of int, shape (m,)
        Measured pixels, flat.
    noise : ndarray, shape (m,)
        Their noise variances, the kernel's included.
    reach : ndarray of int, shape (ndim,), optional
        Pixels along each axis beyond which there is no covariance: what lies farther from a tile is left out.
    neighbours : int
        Measured pixels that a tile shares.
    """
    positions = np.stack(np.unravel_index(S, prior.shape), axis=-1)
    tree = KDTree(positions)
    variance = np.empty(int(np.prod(prior.shape)))
    everywhere = np.arange(len(variance)).reshape(prior.shape)

    def fill(tile: Tile) -> None:
        pixels = everywhere[tuple(slice(*ends) for ends in zip(*tile, strict=True))].ravel()
        near = _near(tree, positions, *tile, reach, neighbours)
        solver = CholeskySolver.factorise(prior.block(S[near], S[near]) + np.diag(noise[near]))
        cross = prior.box(S[near], *tile)
        reduction = solver.reduce(cross) if reach is None else _reduction(solver, cross)
        variance[pixels] = np.maximum(prior.variance[pixels] - reduction, 0.0)

    with blas_threads(0), ThreadPoolExecutor(processors()) as pool:  # a thread a tile: BLAS has none to share out
        list(pool.map(fill, _tiles(positions, prior.shape)))
    return variance


def _reduction(solver: CholeskySolver, cross: Floats) -> Floats:
    """What the measured pixels take off the variance; nothing where none of them is within reach."""
    return lapack.reduction(solver.L, cross) if len(cross) else np.zeros(cross.shape[1])


Tile = tuple[Indices, Indices]
"""First pixel and the one behind the last, along each axis."""


def _tiles(positions: Indices, shape: tuple[int, ...]) -> list[Tile]:
    """Cut the lattice into tiles, small ones where many pixels were measured."""
    edges = [np.append(np.arange(0, n, _SIDE), n) for n in shape]
    lows = np.stack(np.meshgrid(*[edge[:-1] for edge in edges], indexing="ij"), axis=-1).reshape(-1, len(shape))
    highs = np.stack(np.meshgrid(*[edge[1:] for edge in edges], indexing="ij"), axis=-1).reshape(-1, len(shape))
    return [tile for low, high in zip(lows, highs, strict=True) for tile in _cut(positions, low, high)]


def _cut(positions: Indices, low: Indices, high: Indices) -> list[Tile]:
    inside = positions[np.all((positions >= low) & (positions < high), axis=1)]
    if len(inside) <= _INSIDE or max(high - low) <= _SMALLEST:
        return [(low, high)]
    axis = int(np.argmax(high - low))
    middle = (low[axis] + high[axis]) // 2
    first, second = high.copy(), low.copy()
    first[axis] = second[axis] = middle
    return [*_cut(inside, low, first), *_cut(inside, second, high)]


def _near(
    tree: KDTree, positions: Indices, low: Indices, high: Indices, reach: Indices | None, neighbours: int
) -> Indices:
    """Measured pixels around a tile, `neighbours` if there are as many: those inside, then the nearest on every side.

    On every side, because the nearest of all may lie in one dense cluster and know nothing of the other side.
    """
    centre, half = 0.5 * (low + high - 1), 0.5 * (high - low - 1)
    candidates = np.atleast_1d(tree.query(centre, k=min(len(positions), 8 * neighbours))[1])
    if reach is not None:
        candidates = candidates[np.all(np.abs(positions[candidates] - centre) <= half + reach, axis=1)]
    offset = positions[candidates] - centre
    distance = np.linalg.norm(np.maximum(np.abs(offset) - half, 0.0), axis=1)
    side = (offset > 0) @ (1 << np.arange(len(centre)))
    order = np.lexsort((distance, side))
    first = np.searchsorted(side[order], np.arange(1 << len(centre)))
    rank = np.empty(len(order))  # of each among those of its side
    rank[order] = np.arange(len(order)) - first[side[order]]
    rank[distance == 0.0] = -1.0
    return candidates[np.lexsort((distance, rank))[:neighbours]]
