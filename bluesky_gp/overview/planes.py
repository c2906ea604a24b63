"""Overview images resampled to a grid: what a record keeps of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from bluesky_gp.packed import as_text, from_text
from bluesky_gp.plain_data import describe, make_setting
from bluesky_gp.typing import Floats


@dataclass(frozen=True, eq=False)
class Planes:
    """Overview images, one number a pixel of a grid, in single precision: a record keeps them in four bytes.

    Parameters
    ----------
    images : mapping of str to ndarray, shape grid.shape
        Mean of each image over each pixel.
    spreads : mapping of str to ndarray, shape grid.shape
        Standard deviation of an image within each pixel, of those that are finer than the grid.
    features : scikit-learn transformer, optional
        See `Overview`.
    """

    images: Mapping[str, Floats]
    spreads: Mapping[str, Floats] = field(default_factory=dict)
    features: Any = None

    @classmethod
    def of(cls, images: Mapping[str, Floats], spreads: Mapping[str, Floats], features: Any) -> Self:
        """Round to what a record keeps, so that a run that is replayed sees the same image."""
        return cls(_rounded(images), _rounded(spreads), features)

    def on(self, grid: Any) -> Self:
        """Return this; ValueError if it is of another grid."""
        shapes = {image.shape for image in (*self.images.values(), *self.spreads.values())}
        if shapes != {grid.shape}:
            raise ValueError(f"overview: its images have shapes {sorted(shapes)}, the grid has {grid.shape}")
        return self

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for a record."""
        return {
            "shape": list(next(iter(self.images.values())).shape),
            "images": {name: as_text(image.ravel()) for name, image in self.images.items()},
            "spreads": {name: as_text(spread.ravel()) for name, spread in self.spreads.items()},
            "features": describe(self.features),
        }

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_mapping` wrote.

        Raises
        ------
        ValueError
            If it is damaged.
        """
        try:
            shape = tuple(int(n) for n in value["shape"])
            images = {str(name): from_text(text).reshape(shape) for name, text in value["images"].items()}
            spreads = {str(name): from_text(text).reshape(shape) for name, text in value["spreads"].items()}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"the run's overview image is damaged in its record: {error}") from error
        return cls(images, spreads, make_setting("overview features", value.get("features")))


def _rounded(images: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: np.asarray(image, dtype=np.float32).astype(np.float64) for name, image in images.items()}
