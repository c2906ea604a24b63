"""A map that was measured to the last pixel: what a rehearsal looks pixels up in, and judges by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.rehearsal.coverage import SpectrumSpace
from bluesky_gp.rehearsal.scoring import top_threshold
from bluesky_gp.typing import Floats, Indices

SPECTRUM = "spectrum"  # the name under which an optimizer is told of spectra
_FEWEST = 10  # pixels with a value


@dataclass(frozen=True, eq=False)
class FullMap:
    """A target at every pixel.

    Parameters
    ----------
    grid : PixelGrid
    values : array_like, shape grid.shape
        NaN where the measurement failed. What the grid's mask leaves out does not count.
    target : str
    units : str
    maximize : bool
        False: smaller is better.
    key : str, optional
        Key of the target in the events of a detector. Default: that of a detector called "spectrometer".
    spectra : ndarray, shape (*grid.shape, n_channels), optional
        Those that the values were made of.

    Raises
    ------
    ValueError
        If fewer than ten pixels have a value, or all have the same; if the spectra are of other pixels.
    """

    grid: PixelGrid
    values: Floats = field(repr=False)
    target: str = "target"
    units: str = ""
    maximize: bool = True
    key: str = ""
    spectra: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.shape != self.grid.shape:
            raise ValueError(f"rehearsal: the map must have the grid's shape {self.grid.shape}, got {values.shape}")
        values[~np.isfinite(values) | ~self.grid.allowed.reshape(self.grid.shape)] = np.nan
        n_valid = int(np.isfinite(values).sum())
        if n_valid < _FEWEST or np.nanmax(values) == np.nanmin(values):
            raise ValueError(f"rehearsal: {n_valid} pixels have a value, ten different ones are the least")
        if self.spectra is not None and self.spectra.shape[:-1] != self.grid.shape:
            raise ValueError(
                f"rehearsal: spectra must have the grid's shape {self.grid.shape} and an axis of channels, "
                f"got {self.spectra.shape}"
            )
        object.__setattr__(self, "values", values)  # the dataclass is frozen
        object.__setattr__(self, "key", self.key or f"spectrometer_{self.target}")

    @cached_property
    def flat(self) -> Floats:
        """Shape ``(N,)``."""
        return np.asarray(self.values.ravel())

    @cached_property
    def std(self) -> float:
        """Standard deviation of the map."""
        return float(np.nanstd(self.values))

    @cached_property
    def space(self) -> SpectrumSpace | None:
        """The space of the spectra, those of masked pixels left out; None where there are none."""
        if self.spectra is None:
            return None
        rows = self.spectra.reshape(self.grid.size, -1)
        return SpectrumSpace.of(np.where(self.grid.allowed[:, None], rows, np.nan))

    @property
    def n_valid(self) -> int:
        """Pixels that have a value."""
        return int(np.isfinite(self.flat).sum())

    @cached_property
    def goodness(self) -> Floats:
        """The map in standard deviations, larger is better, shape ``(N,)``."""
        return np.asarray((1.0 if self.maximize else -1.0) * self.flat / self.std)

    @property
    def maximum(self) -> float:
        """The best of `goodness`."""
        return float(np.nanmax(self.goodness))

    @property
    def best_pixel(self) -> tuple[int, ...]:
        """The pixel of the largest value, or of the smallest where that is better."""
        return tuple(int(i) for i in self.grid.unravel(np.nanargmax(self.goodness)))

    @cached_property
    def top(self) -> float:
        """The least `goodness` among the best 1 % of the pixels."""
        return top_threshold(self.goodness)

    def points(self, pixels: Indices | Sequence[int]) -> list[dict[str, Any]]:
        """Return what a measurement of some pixels (flat indices) gives, as `PixelOptimizer.ingest` takes it."""
        points: list[dict[str, Any]] = [{"_id": int(pixel), self.target: self.flat[pixel]} for pixel in pixels]
        if self.spectra is not None:
            for point in points:
                point[SPECTRUM] = self.spectra.reshape(self.grid.size, -1)[point["_id"]]
        return points

    def error(self, predicted: Floats, without: Indices | None = None) -> float:
        """Return the root-mean-square error of a prediction, shape ``(N,)``, over the standard deviation of the map.

        Pixels that are `without` or have no prediction do not count. Without any prediction the map is its mean, an
        error of 1; where no pixel is left, there is none.
        """
        squares = np.square(predicted - self.flat)
        left = np.isfinite(self.flat)
        if without is not None:
            left[without] = False
        known = squares[left & np.isfinite(squares)]
        if not len(known):
            return 1.0 if left.any() else 0.0
        return float(np.sqrt(known.mean())) / self.std

    def window(self, n_pixels: int) -> "FullMap":
        """Return the middle of the map, of about so many pixels; the map itself if it has no more."""
        side = int(n_pixels ** (1.0 / self.grid.ndim))
        if self.grid.size <= n_pixels:
            return self
        cut = tuple(slice((n - min(n, side)) // 2, (n + min(n, side)) // 2) for n in self.grid.shape)
        mask = None if self.grid.mask is None else self.grid.mask[cut]
        grid = PixelGrid(self.values[cut].shape, step=self.grid.step, mask=mask)
        return FullMap(grid, self.values[cut], self.target, self.units, self.maximize, self.key)  # without spectra
