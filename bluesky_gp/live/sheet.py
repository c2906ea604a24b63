"""A lattice of two or three axes on a sheet of paper: layers side by side."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats, Indices

MOST = 12  # layers that are shown


@dataclass(frozen=True)
class Sheet:
    """The places of pixels on a sheet; of many layers some are shown, the first and the last among them.

    Parameters
    ----------
    lattice : tuple of int
        Shape of the lattice, two axes or three; the last of three counts layers.
    wanted : int
        A layer that is shown in any case, as that of the best pixel.

    Examples
    --------
    >>> Sheet((2, 3, 4)).shape  # two rows of two layers, a line of nothing between them
    (5, 7)
    """

    lattice: tuple[int, ...]
    wanted: int = 0

    @property
    def layers(self) -> list[int]:
        """The layers that are shown; [0] where there are two axes."""
        n = self.lattice[2] if len(self.lattice) == 3 else 1
        spread = np.linspace(0, n - 1, min(n, MOST - 1)).round()
        return np.union1d(spread, self.wanted).astype(int).tolist() if n > MOST else list(range(n))

    @property
    def across(self) -> int:
        """Number of layers side by side."""
        return ceil(sqrt(len(self.layers)))

    @property
    def shape(self) -> tuple[int, int]:
        """Size of the sheet, in pixels."""
        down = ceil(len(self.layers) / self.across)
        return down * (self.lattice[0] + 1) - 1, self.across * (self.lattice[1] + 1) - 1

    @property
    def corners(self) -> dict[int, tuple[int, int]]:
        """Place of pixel (0, 0) of every layer that is shown."""
        down, right = self.lattice[0] + 1, self.lattice[1] + 1
        return {layer: (i // self.across * down, i % self.across * right) for i, layer in enumerate(self.layers)}

    def image(self, values: Floats) -> Floats:
        """Lay a map on the sheet, NaN between the layers."""
        if values.ndim == 2:
            return values
        sheet = np.full(self.shape, np.nan)
        for layer, (row, col) in self.corners.items():
            sheet[row : row + self.lattice[0], col : col + self.lattice[1]] = values[:, :, layer]
        return sheet

    def places(self, pixels: Indices) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return the places of those pixels that are shown, shape ``(k, 2)``, and which of the pixels they are."""
        if len(self.lattice) == 2:
            return pixels.astype(np.float64), np.ones(len(pixels), dtype=bool)
        corners = self.corners
        shown = np.array([int(pixel[2]) in corners for pixel in pixels], dtype=bool)
        places = [np.add(pixel[:2], corners[int(pixel[2])]) for pixel in pixels[shown]]
        return np.array(places, dtype=np.float64).reshape(-1, 2), shown
