"""The pixels to begin with, before there is a model that could say where to measure.

A design returns flat indices, the first to be measured first: any callable ``design(grid, num, rng=rng)``. What is
masked is left out; where a design has fewer than `num` pixels, random ones follow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import qmc

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.batch import apart
from bluesky_gp.typing import Floats, Indices

_PLACE = 3.0  # side of the map, in the length of a feature vector
_LOOKED_AT = 10_000  # pixels, of which the clusters are found
_CLUSTERINGS = 4  # of which the tightest is taken
_CROWDED = 16  # points of a sequence for each pixel of the grid: what those have not hit is filled up at random


class Design(Protocol):
    """Implemented here and by users; called when an optimizer is made."""

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator) -> Indices:
        """Return flat indices of pixels, shape ``(k,)``, in the order in which to measure them; k need not be `num`.

        Parameters
        ----------
        grid : PixelGrid
        num : int
            First pixels to be measured.
        rng : Generator
            The only source of randomness that a replay can repeat.
        """
        ...


@dataclass(frozen=True)
class Random:
    """Pixels drawn at random, anew for each batch."""

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator) -> Indices:
        """Return `num` pixels."""
        allowed = np.flatnonzero(grid.allowed)
        return rng.choice(allowed, min(num, len(allowed)), replace=False)


@dataclass(frozen=True)
class Sobol:
    """A scrambled Sobol sequence: evenly spread, however many of it are measured. Owen 1998."""

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator) -> Indices:
        """Return the pixels that the sequence hits, in its order."""
        sequence, found = qmc.Sobol(grid.ndim, rng=rng), np.empty(0, dtype=np.intp)
        drawn = 1
        while len(found) < num and drawn <= _CROWDED * grid.size:
            points = sequence.random(drawn)  # 1, 1, 2, 4, ...: a power of two in all
            found = _allowed(grid, np.concatenate([found, _hit(grid, points * grid.shape)]))
            drawn = sequence.num_generated
        return found[:num]


@dataclass(frozen=True)
class CoarseGrid:
    """Evenly spaced rows of evenly spaced pixels; where `num` is no product, some rows have one more than others."""

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator) -> Indices:
        """Return the pixels, row by row."""
        wanted = min(num, grid.size)
        while len(found := _allowed(grid, grid.ravel(_coarse(grid.shape, wanted)))) < num and wanted < grid.size:
            wanted = min(grid.size, max(wanted + 1, wanted * num // max(len(found), 1)))
        return found[evenly_spaced(len(found), min(num, len(found)))]


@dataclass(frozen=True)
class PoissonDisk:
    """Random pixels, no two of them near each other. Bridson 2007."""

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator) -> Indices:
        """Return the pixels of the widest disks, in steps of a tenth, of which there are `num`."""
        found = np.empty(0, dtype=np.intp)
        radius = np.sqrt(grid.ndim) * (grid.size / num) ** (1.0 / grid.ndim)
        while len(found) < num and radius > 1.0:
            disks = qmc.PoissonDisk(grid.ndim, radius=radius, u_bounds=grid.shape, rng=rng)
            found = _allowed(grid, _hit(grid, disks.fill_space()))
            radius *= 0.9
        return rng.permutation(found)[:num]


@dataclass(frozen=True)
class CenterFirst:
    """The pixel at the centre, then always the one furthest from all before it: corners, sides, and what is between."""

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator) -> Indices:
        """Return the pixels, whatever `rng` is."""
        allowed = np.flatnonzero(grid.allowed)
        places = 2 * grid.unravel(allowed)  # doubled, so that the centre is a whole number, and ties are exact
        squares = -np.square(places - np.subtract(grid.shape, 1)).sum(axis=1)
        chosen = [int(np.argmax(squares))]
        squares = np.full(len(allowed), np.iinfo(np.intp).max)
        while len(chosen) < min(num, len(allowed)):
            squares = np.minimum(squares, np.square(places - places[chosen[-1]]).sum(axis=1))
            chosen.append(int(np.argmax(squares)))
        return allowed[chosen]


@dataclass(frozen=True)
class OverImage:
    """Pixels spread over what an overview image shows, and over the map: one of each kind, as many as are asked for."""

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator, image: Floats | None = None) -> Indices:
        """Return the pixels nearest to the centres of clusters, in random order.

        Parameters
        ----------
        image : ndarray, shape (grid.size, r)
            Features of the image, see `overview.FeatureGroups`.

        Raises
        ------
        ValueError
            If there is no image.
        """
        if image is None:
            raise ValueError("PixelOptimizer: initial='overview' needs an image, overview=...")
        from sklearn.cluster import KMeans  # a third of a second, for this design alone

        allowed = np.flatnonzero(grid.allowed)
        places = _PLACE * (grid.coordinates[allowed] / np.subtract(grid.shape, 1).clip(1) - 0.5)
        rows = np.column_stack([places, image[allowed] - image[allowed].mean(axis=0)])
        centres = KMeans(min(num, len(allowed)), n_init=_CLUSTERINGS, random_state=int(rng.integers(2**31)))
        some = rows[:: -(-len(rows) // _LOOKED_AT)]
        found = _allowed(grid, allowed[cdist(centres.fit(some).cluster_centers_, rows).argmin(axis=1)])
        return rng.permutation(found)


@dataclass(frozen=True)
class Listed:
    """Pixels that somebody chose.

    Parameters
    ----------
    pixels : sequence
        ``(row, col)`` of each; on one axis numbers will do.
    """

    pixels: tuple[tuple[int, ...], ...]

    def __init__(self, pixels: Iterable[Any]) -> None:
        places = tuple(_pixel(pixel) for pixel in pixels)
        object.__setattr__(self, "pixels", tuple(dict.fromkeys(places)))  # the dataclass is frozen

    def __call__(self, grid: PixelGrid, num: int, *, rng: np.random.Generator) -> Indices:
        """Return all of them, in their order.

        Raises
        ------
        ValueError
            If one lies outside the grid, is masked or has another number of axes.
        """
        if not self.pixels or any(len(pixel) != grid.ndim for pixel in self.pixels):
            raise ValueError(f"the pixels to begin with need {' and '.join(grid.axes)}, got {list(self.pixels)}")
        flat = grid.ravel(self.pixels)
        masked = flat[~grid.allowed[flat]]
        if len(masked):
            raise ValueError(f"the pixels {grid.unravel(masked).tolist()} to begin with are masked")
        return flat


_NAMES: dict[str, type[Any]] = {
    "random": Random,
    "sobol": Sobol,
    "grid": CoarseGrid,
    "poisson": PoissonDisk,
    "center": CenterFirst,
    "overview": OverImage,
}


def design_of(initial: "str | Design | Iterable[Any]") -> Design:
    """Return the design that a user named, gave, or listed pixel by pixel."""
    if isinstance(initial, str):
        if initial not in _NAMES:
            raise ValueError(
                f"PixelOptimizer: initial is one of {', '.join(_NAMES)}, a list of pixels or a design, got {initial!r}"
            )
        made: Design = _NAMES[initial]()
        return made
    if isinstance(initial, type) or not (callable(initial) or isinstance(initial, Iterable)):
        raise TypeError(f"PixelOptimizer: initial is a name, pixels or a design such as Sobol(), got {initial!r}")
    return initial if callable(initial) else Listed(initial)


def _pixel(given: Any) -> tuple[int, ...]:
    """Return a pixel of a list; one of a record or a table may have its whole numbers as floats."""
    numbers = np.atleast_1d(np.asarray(given))
    if numbers.dtype.kind not in "iuf" or numbers.ndim != 1 or not np.array_equal(numbers, np.rint(numbers)):
        raise ValueError(f"PixelOptimizer: a pixel to begin with is whole numbers, row and column, got {given!r}")
    return tuple(int(number) for number in numbers)


@dataclass(frozen=True, eq=False)
class Beginning:
    """A design laid out on a grid.

    Parameters
    ----------
    grid : PixelGrid
    num : int
        First pixels to be measured.
    planned : ndarray of int or None
        Flat indices, in order, each once. None: drawn at random batch by batch, the one that reaches `num` in full.
    """

    grid: PixelGrid
    num: int
    planned: Indices | None

    @classmethod
    def of(cls, design: Design, grid: PixelGrid, num: int, seed: int) -> "Beginning":
        """Lay a design out. One that returns more than `num` pixels has them all measured."""
        if isinstance(design, Random):
            return cls(grid, num, None)
        planned = np.asarray(design(grid, num, rng=np.random.default_rng(seed)), dtype=np.intp)
        if planned.ndim != 1 or not np.all((planned >= 0) & (planned < grid.size)):
            raise ValueError(f"PixelOptimizer: {design!r} must return flat indices of the grid's {grid.size} pixels")
        planned = _allowed(grid, planned)
        return cls(grid, max(num, len(planned)), planned)

    def due(self, num: int, attempted: Indices, pending: Indices, *, known: bool) -> int:
        """Return how many of the next `num` pixels are first ones; all of them as long as nothing is known."""
        if self.planned is None:
            return num if len(attempted) < self.num or not known else 0
        left = self.num - len(np.union1d(attempted, pending))
        return min(num, left) if left > 0 else num * (not known)

    def next(
        self, candidates: Indices, num: int, pending: Indices, rng: np.random.Generator, min_distance: float = 0.0
    ) -> Indices:
        """Return the next `num` of the planned pixels, passing over those that are no candidates; then random ones.

        Random ones keep their distance from all others of the batch and those pending; a plan is followed as it is.
        """
        following = np.empty(0, dtype=np.intp)
        if self.planned is not None:
            following = self.planned[np.isin(self.planned, candidates)][:num]
            candidates = np.setdiff1d(candidates, following)
        missing = min(num - len(following), len(candidates))
        if min_distance <= 1.0:
            return np.concatenate([following, rng.choice(candidates, size=missing, replace=False)])
        for _ in range(missing):
            near = apart(self.grid, candidates, np.concatenate([pending, following]), min_distance)
            following = np.append(following, rng.choice(near))
            candidates = np.setdiff1d(candidates, following)
        return following


def _hit(grid: PixelGrid, points: Floats) -> Indices:
    """Flat indices of the pixels that hold points, shape ``(k, ndim)``; a pixel reaches from p to p + 1."""
    return grid.ravel(np.minimum(points.astype(np.intp), np.subtract(grid.shape, 1)))


def _allowed(grid: PixelGrid, flat: Indices) -> Indices:
    """Leave out what is masked, or repeats an earlier one."""
    _, first = np.unique(flat, return_index=True)
    flat = flat[np.sort(first)]
    return flat[grid.allowed[flat]]


def evenly_spaced(n: int, num: int, start: float = 0.5) -> Indices:
    """Return `num` numbers below n, evenly spaced, the first after a share `start` of the distance between two."""
    return ((np.arange(num) + start) * n / num).astype(np.intp)


def _coarse(shape: tuple[int, ...], num: int) -> Indices:
    """At most `num` pixels, shape ``(k, ndim)``, as evenly spaced on every axis as whole rows of pixels can be."""
    if len(shape) == 1:
        return evenly_spaced(shape[0], min(num, shape[0]))[:, None]
    ideal = shape[0] * (num / np.prod(shape)) ** (1.0 / len(shape))
    rows = int(np.clip(np.rint(ideal), 1, min(shape[0], num)))
    shares = np.diff(np.rint(np.linspace(0, num, rows + 1)).astype(int)).tolist()
    parts = [_coarse(shape[1:], share) for share in shares]
    return np.vstack(
        [np.insert(part, 0, row, axis=1) for row, part in zip(evenly_spaced(shape[0], rows), parts, strict=True)]
    )
