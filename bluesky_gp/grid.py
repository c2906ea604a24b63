"""Pixels, their flat indices and where the stage finds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from math import cos, prod, radians, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid_settings import checked_counts, checked_floats, checked_mask, checked_names, checked_units
from bluesky_gp.html import html_table
from bluesky_gp.settings import check_number
from bluesky_gp.spelling import unfit


@dataclass(frozen=True, eq=False)
class PixelGrid:
    """A lattice of pixels over one to three stage axes.

    Pixel ``p`` lies at ``origin + R (step * p)``, ``R`` the rotation of the lattice in the plane of its two axes.

    Parameters
    ----------
    shape : tuple of int
        Number of pixels along each axis, ``(n_rows, n_cols)``.
    step : tuple of float, optional
        Distance of neighbours along each axis, in `units`; may be negative. Default 1.
    origin : tuple of float, optional
        Stage position of pixel ``(0, 0)``, in `units`. Default 0.
    units : str, optional
        Unit of `step` and `origin`. Default ``"px"``.
    mask : array_like of bool, optional
        Shape `shape`, True where a pixel must never be measured (as in ``numpy.ma``).
    axes : tuple of str, optional
        Names of the pixel axes. Default ``("row", "col")``, and ``("row", "col", "layer")`` for three axes.
    rotation : float, optional
        Angle in degrees from the first stage axis towards the second; two axes only.

    Raises
    ------
    ValueError
        If an argument does not fit the others; the message names it.
    """

    shape: tuple[int, ...]
    step: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    units: str = "px"
    mask: npt.NDArray[np.bool_] | None = None
    axes: tuple[str, ...] = ()
    rotation: float = 0.0
    _matrix: npt.NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shape = checked_counts(self.shape)
        ndim = len(shape)
        check_number("PixelGrid", "rotation", self.rotation)
        step = checked_floats("step", self.step, 1.0, ndim)
        if 0.0 in step:
            raise ValueError(f"PixelGrid: a step of zero puts all pixels in one place, got step={step}")
        checked = {
            "shape": shape,
            "step": step,
            "origin": checked_floats("origin", self.origin, 0.0, ndim),
            "axes": checked_names(self.axes, ndim),
            "mask": checked_mask(self.mask, shape),
            "units": checked_units(self.units),
            "rotation": float(self.rotation),
            "_matrix": _rotation(self.rotation, ndim) * np.asarray(step),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # the dataclass is frozen

    @classmethod
    def from_mapping(cls, value: "PixelGrid | Mapping[str, Any]") -> "PixelGrid":
        """Return the grid that a mapping describes (a YAML file, a start document); a grid is returned unchanged."""
        if isinstance(value, PixelGrid):
            return value
        if not isinstance(value, Mapping):
            raise TypeError(f"a grid is a PixelGrid, or a mapping such as {{'shape': [50, 50]}}, got {value!r}")
        options = dict(value)
        masked = options.pop("masked", None)
        if wrong := unfit(cls, options, also=["masked"]):
            raise ValueError(f"PixelGrid: {wrong}")
        grid = cls(**options)
        if not masked:
            return grid
        mask = np.zeros(grid.size, dtype=bool)
        try:
            mask[masked] = True
        except IndexError as error:
            raise ValueError(f"PixelGrid: masked are flat indices of {grid.size} pixels, got {masked}") from error
        return cls(**{**options, "mask": mask.reshape(grid.shape)})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, Any]:
        """Return how pydantic takes a grid: a service such as blueapi makes a form of a plan that has one."""
        made = {"type": "no-info", "function": cls.from_mapping}
        described = {"type": "function-after", "function": made, "schema": {"type": "dict"}}
        given = {"type": "union", "choices": [{"type": "is-instance", "cls": cls}, described]}
        return {"type": "json-or-python", "json_schema": described, "python_schema": given}

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for a start document; ``from_mapping`` gives an equal grid back."""
        masked = [] if self.mask is None else np.flatnonzero(self.mask).tolist()
        return {
            "shape": list(self.shape),
            "step": list(self.step),
            "origin": list(self.origin),
            "units": self.units,
            "axes": list(self.axes),
            "rotation": self.rotation,
            "masked": masked,
        }

    def __repr__(self) -> str:
        usual = {"step": (1.0,) * self.ndim, "origin": (0.0,) * self.ndim, "units": "px", "rotation": 0.0}
        usual["axes"] = ("row", "col", "layer")[: self.ndim]
        told = [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        masked = [] if self.mask is None else [f"mask of {int(self.mask.sum())} pixels"]
        return f"PixelGrid({', '.join([str(self.shape), *told, *masked])})"

    def _repr_html_(self) -> str:
        ends = self.corners
        spans = zip(self.axes, self.shape, ends.min(axis=0), ends.max(axis=0), strict=True)
        rows: dict[str, object] = {
            name: f"{n} pixels, {low:g} to {high:g} {self.units}" for name, n, low, high in spans
        }
        rows["rotation"] = f"{self.rotation:g} degrees" if self.rotation else None
        rows["masked"] = None if self.mask is None else f"{int(self.mask.sum())} of {self.size} pixels"
        return html_table("PixelGrid", rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PixelGrid) and self.to_mapping() == other.to_mapping()

    def __hash__(self) -> int:
        return hash((self.shape, self.step, self.origin, self.units, self.axes, self.rotation))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of pixels, masked ones included."""
        return prod(self.shape)

    @property
    def allowed(self) -> npt.NDArray[np.bool_]:
        """Shape ``(size,)``: True where a pixel may be measured."""
        return np.ones(self.size, dtype=bool) if self.mask is None else ~self.mask.ravel()

    @property
    def coordinates(self) -> npt.NDArray[np.float64]:
        """Shape ``(size, ndim)``: every pixel in units of pixels, in the order of the flat index."""
        return np.indices(self.shape, dtype=np.float64).reshape(self.ndim, -1).T

    def as_coordinates(self) -> dict[str, tuple[Any, Any, dict[str, str]]]:
        """Return pixels along each axis, and stage positions with their unit, as xarray takes coordinates."""
        found: dict[str, tuple[Any, Any, dict[str, str]]] = {
            name: (name, np.arange(n, dtype=np.int32), {}) for name, n in zip(self.axes, self.shape, strict=True)
        }
        positions = self.position(self.coordinates).reshape(*self.shape, self.ndim)
        for i, name in enumerate(self.axes):
            found[f"{name}_position"] = self.axes, positions[..., i], {"units": self.units}
        return found

    @property
    def outermost(self) -> list[tuple[int, ...]]:
        """Pixels that answer for all that may be measured where a stage has limits: extremes of axes and of diagonals.

        Limits of axes are boxes; those of the real motors of a pseudo positioner are turned ones, which cut corners.
        """
        indices = np.flatnonzero(self.allowed)
        directions = np.array([d for d in product((-1, 0, 1), repeat=self.ndim) if any(d)])
        extremes = np.argmax(self.position(self.unravel(indices)) @ directions.T, axis=0)
        return [tuple(int(p) for p in self.unravel([indices[i]])[0]) for i in sorted(set(extremes.tolist()))]

    def pixel_keys(self, stage: str) -> tuple[str, ...]:
        """Event keys in which a stage of that name says at which pixel it is, in the order of the axes."""
        return tuple(f"{stage}_{axis}" for axis in self.axes)

    def ravel(self, pixels: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Flat indices, shape ``(k,)``, of pixels of shape ``(k, ndim)``."""
        pixels = np.asarray(pixels)
        if not np.issubdtype(pixels.dtype, np.integer):
            raise ValueError(f"PixelGrid: pixels are whole numbers, got {pixels.tolist()}")
        if pixels.shape[-1:] != (self.ndim,):
            raise ValueError(f"PixelGrid: a pixel is ({', '.join(self.axes)}), got {pixels.tolist()}")
        inside = (pixels >= 0) & (pixels < self.shape)
        if not inside.all():
            bad = pixels[~inside.all(axis=-1)] if pixels.ndim > 1 else pixels
            raise ValueError(f"PixelGrid: pixel {bad.tolist()} lies outside the grid of shape {self.shape}")
        return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(pixels, -1, 0)), self.shape))

    def unravel(self, indices: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Pixels, shape ``(k, ndim)``, of flat indices of shape ``(k,)``."""
        return np.stack(np.unravel_index(np.asarray(indices, dtype=np.intp), self.shape), axis=-1)

    def position(self, pixel: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Stage position, in `units`, of a pixel (or of ``(k, ndim)`` pixels; fractions allowed)."""
        return np.asarray(pixel, dtype=np.float64) @ self._matrix.T + self.origin

    def fraction(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the pixel of a stage position, fractions included; the inverse of `position`."""
        offset = np.asarray(position, dtype=np.float64) - self.origin
        return offset @ np.linalg.inv(self._matrix).T

    def pixel(self, position: npt.ArrayLike) -> tuple[int, ...]:
        """Return the pixel nearest to a stage position.

        Raises
        ------
        ValueError
            If the position lies more than half a step outside the grid.
        """
        fraction = self.fraction(position)
        nearest = np.rint(fraction)
        if not np.all((nearest >= 0) & (nearest < self.shape)):
            raise ValueError(
                f"PixelGrid: position {np.asarray(position).tolist()} {self.units} is pixel "
                f"{fraction.round(2).tolist()}, "
                f"outside the grid of shape {self.shape}"
            )
        return tuple(int(p) for p in nearest)

    @property
    def corners(self) -> npt.NDArray[np.float64]:
        """Shape ``(2**ndim, ndim)``: stage positions of the corner pixels."""
        ends = np.stack(np.meshgrid(*[(0, n - 1) for n in self.shape], indexing="ij"), axis=-1)
        return self.position(ends.reshape(-1, self.ndim))


def _rotation(degrees: float, ndim: int) -> npt.NDArray[np.float64]:
    if degrees == 0.0:
        return np.eye(ndim)
    if ndim != 2:
        raise ValueError(f"PixelGrid: a rotation needs two axes, this grid has {ndim}")
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, -s], [s, c]])
