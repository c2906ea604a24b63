"""Masks made from an overview image or an outline: True where a pixel must never be measured, as `PixelGrid` has it.

>>> import numpy as np
>>> from bluesky_gp import PixelGrid
>>> grid = PixelGrid((2, 3))
>>> below(np.array([[0.0, 5.0, 5.0], [5.0, 5.0, 0.0]]), 1.0, grid)
array([[ True, False, False],
       [False, False,  True]])
>>> masked(grid, outside([(-0.5, -0.5), (-0.5, 1.5), (1.5, 1.5), (1.5, -0.5)], grid)).mask
array([[False, False,  True],
       [False, False,  True]])
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats

Mask = npt.NDArray[np.bool_]

_ON_EDGE = 1e-6  # pixels


def below(image: npt.ArrayLike, threshold: float, grid: PixelGrid, image_grid: PixelGrid | None = None) -> Mask:
    """Mask pixels that are darker than `threshold` in an image: vacuum, a hole, the support.

    Parameters
    ----------
    image : array_like, shape (n_image_rows, n_image_cols)
    threshold : float
        In the image's unit; compared with the mean of the image over each pixel.
    grid : PixelGrid
        Of the map, two axes.
    image_grid : PixelGrid, optional
        Where the pixels of the image lie, in the units of `grid`. Default: the image covers what the pixels cover.

    Returns
    -------
    ndarray of bool, shape grid.shape
        True also where the image shows nothing (outside of it, or NaN).
    """
    return ~(sample_image(image, grid, image_grid) >= threshold)


def above(image: npt.ArrayLike, threshold: float, grid: PixelGrid, image_grid: PixelGrid | None = None) -> Mask:
    """Mask pixels that are brighter than `threshold` in an image: what is too thick, what charges. See `below`."""
    return ~(sample_image(image, grid, image_grid) <= threshold)


def outside(outline: Sequence[Sequence[float]], grid: PixelGrid) -> Mask:
    """Mask pixels whose centres lie outside a polygon; on an edge or a corner they lie inside, on every side alike.

    Parameters
    ----------
    outline : sequence of (first, second)
        Corners in stage positions, in `grid.units`, in the order of the grid's axes (y before x). The last one is
        joined to the first; a polygon that crosses itself is inside where it winds around an odd number of times.
        On an edge is what lies within a millionth of a pixel of it: a turned lattice puts its pixels there but for
        rounding.
    grid : PixelGrid
        Of the map, two axes.

    Returns
    -------
    ndarray of bool, shape grid.shape
    """
    corners = np.asarray(outline, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
        raise ValueError(f"outline: expected three corners or more, each (y, x) in {grid.units}, got {outline!r}")
    pixels, corners = _pixels(grid), grid.fraction(corners)  # in pixels, as the distance from an edge is
    return ~(_inside(pixels, corners) | _on_edge(pixels, corners)).reshape(grid.shape)


def masked(grid: PixelGrid, *masks: npt.ArrayLike) -> PixelGrid:
    """Return the grid with further masks beside its own.

    Raises
    ------
    ValueError
        If no pixel is left, or a mask has another shape.
    """
    together = np.zeros(grid.shape, dtype=bool) if grid.mask is None else np.array(grid.mask)
    for mask in masks:
        if np.shape(mask) != grid.shape:
            raise ValueError(f"mask: expected the grid's shape {grid.shape}, got {np.shape(mask)}")
        together |= np.asarray(mask, dtype=bool)
    return replace(grid, mask=together)


def sample_image(image: npt.ArrayLike, grid: PixelGrid, image_grid: PixelGrid | None = None) -> Floats:
    """Return the mean of an image over each pixel of a grid, shape ``grid.shape``; NaN where it shows nothing.

    Where the image is coarser than the grid: the image's pixel in which the centre of the grid's pixel lies.
    """
    values = image_values(image)
    lattice = image_lattice(values.shape, grid, image_grid)
    cells = np.rint(grid.fraction(lattice.position(lattice.coordinates))).astype(np.intp)
    finite = np.isfinite(values).ravel() & _within(cells, grid.shape)
    flat = grid.ravel(cells[finite])
    counts = np.bincount(flat, minlength=grid.size)
    sums = np.bincount(flat, weights=values.ravel()[finite], minlength=grid.size)
    means = np.divide(sums, counts, out=_nearest(values, grid, lattice), where=counts > 0)
    return means.reshape(grid.shape)


def image_values(image: npt.ArrayLike) -> Floats:
    """Return an image as numbers; TypeError if it is none, as the name of a file is."""
    try:
        return np.asarray(image, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"image: expected the numbers of an image, got {type(image).__name__} {image!r:.80}") from None


def image_lattice(shape: tuple[int, ...], grid: PixelGrid, image_grid: PixelGrid | None = None) -> PixelGrid:
    """Return where the pixels of an image lie: as told, or so that it covers what the pixels of `grid` cover."""
    for name, given in (("grid", grid), ("image_grid", image_grid)):
        if not isinstance(given, PixelGrid) and not (name == "image_grid" and given is None):
            raise TypeError(f"image: {name} must be a PixelGrid, got {type(given).__name__}")
    _pixels(grid)
    if image_grid is None:
        scale = np.divide(grid.shape, shape) if len(shape) == 2 else None
        if scale is None:
            raise ValueError(f"image: expected two axes, got shape {shape}")
        origin = grid.position(0.5 * scale - 0.5)  # of the image's first pixel
        step = np.multiply(grid.step, scale)
        return PixelGrid(shape, tuple(step), tuple(origin), grid.units, rotation=grid.rotation)
    if image_grid.shape != shape:
        raise ValueError(f"image: its shape {shape} is not that of its grid, {image_grid.shape}")
    if image_grid.units != grid.units:
        raise ValueError(f"image: its grid is in {image_grid.units}, the grid of the map in {grid.units}")
    return image_grid


def _pixels(grid: PixelGrid) -> Floats:
    if grid.ndim != 2:
        raise ValueError(f"masks of images and outlines need two axes, the grid has {grid.ndim}")
    return grid.coordinates


def _nearest(values: Floats, grid: PixelGrid, lattice: PixelGrid) -> Floats:
    """Value of the image's pixel in which each centre lies, shape ``(grid.size,)``; NaN outside."""
    cells = np.rint(lattice.fraction(grid.position(grid.coordinates))).astype(np.intp)
    seen = _within(cells, lattice.shape)
    found = np.full(grid.size, np.nan)
    found[seen] = values[tuple(cells[seen].T)]
    return found


def _within(cells: npt.NDArray[np.intp], shape: tuple[int, ...]) -> Mask:
    return np.asarray(((cells >= 0) & (cells < shape)).all(axis=1))


def _inside(points: Floats, corners: Floats) -> Mask:
    """Even-odd rule: how often a ray from each point, shape ``(k, 2)``, crosses an edge."""
    inside = np.zeros(len(points), dtype=bool)
    y, x = points.T
    for (y0, x0), (y1, x1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        if y0 != y1:
            with np.errstate(over="ignore"):  # an edge that is all but level, where nothing crosses it
                inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def _on_edge(points: Floats, corners: Floats) -> Mask:
    """Whether points, shape ``(k, 2)``, lie on an edge: the nearest place of one is no distance away."""
    found = np.zeros(len(points), dtype=bool)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        way, offset = end - start, points - start
        length = float(way @ way)
        share = np.clip(offset @ way / length, 0.0, 1.0) if length else np.zeros(len(points))
        found |= np.hypot(*(offset - share[:, np.newaxis] * way).T) < _ON_EDGE
    return found
