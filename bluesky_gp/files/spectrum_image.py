"""A spectrum at every pixel of a map, as a file holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats


@dataclass(frozen=True, eq=False)
class SpectrumImage:
    """Spectra on a lattice of pixels, one to three navigation axes.

    Parameters
    ----------
    spectra : ndarray, shape (..., n_channels)
        Float64; NaN where nothing was measured.
    axis : ndarray, shape (n_channels,)
        Values of the channels: an energy, a bias (which may go there and back), or their numbers.
    axis_name, axis_units, spectrum_units : str
        "" where the file does not say.
    step, origin : tuple of float, optional
        Distance of the pixels and the position of the first, one number a navigation axis, in `units`.
    rotation : float
        Of the lattice, in degrees, with two navigation axes.
    units : str
        Of the navigation axes; "px" where the file does not say.
    metadata : mapping
        Further entries of the file, as its reader gives them.
    arrays : mapping
        Further arrays of an ``.npz`` file by key, such as a known map.
    path : path, optional
        The file.
    """

    spectra: Floats
    axis: Floats
    axis_name: str = "channel"
    axis_units: str = ""
    spectrum_units: str = ""
    step: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    rotation: float = 0.0
    units: str = "px"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)
    path: Path = Path()

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of pixels along each navigation axis."""
        return self.spectra.shape[:-1]

    @property
    def grid(self) -> PixelGrid:
        """The pixels, where the file says that they lie."""
        return PixelGrid(self.shape, step=self.step, origin=self.origin, units=self.units, rotation=self.rotation)

    def stored_map(self, key: str = "target") -> Floats | None:
        """Return a map that the file holds beside the spectra, NaN where it marks a pixel as not `valid`.

        None if the file has no such key; ValueError if map or marks do not fit the spectra.
        """
        if key not in self.arrays:
            return None
        target = numbers(self.path, self.arrays, key, str(self.shape)).copy()
        valid = self.arrays.get("valid", np.ones(self.shape, dtype=bool))
        for name, array in ((key, target), ("valid", valid)):
            if array.shape != self.shape:
                raise ValueError(f"file {self.path}: {name!r} must have shape {self.shape}, got {array.shape}")
        if valid.dtype != bool:
            raise ValueError(f"file {self.path}: 'valid' must hold booleans, got {valid.dtype}")
        target[~valid] = np.nan
        return target


def numbers(path: Path, arrays: Mapping[str, Any], key: str, shape: str) -> Floats:
    """Return an array of the file as float64; ValueError unless it is there and holds real numbers."""
    if key not in arrays:
        raise ValueError(f"file {path}: no key {key!r}, expected an array of shape {shape}; it has {[*arrays]}")
    if not np.issubdtype(arrays[key].dtype, np.number) or np.iscomplexobj(arrays[key]):
        raise ValueError(f"file {path}: {key!r} must hold real numbers, got {arrays[key].dtype}")
    return np.asarray(arrays[key], dtype=np.float64)
