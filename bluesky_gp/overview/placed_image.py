"""An overview image and where it lies under the stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.masks import image_lattice, sample_image
from bluesky_gp.overview.planes import Planes
from bluesky_gp.typing import Floats


@dataclass(frozen=True, eq=False)
class Overview:
    """One image of the sample or several of the same field, and where they lie.

    Parameters
    ----------
    image : array_like of two axes, or mapping of names to such
        Of any resolution, in the order of the grid's axes (rows before columns). What it shows needs no unit.
    position : pair of float, optional
        Stage position of the centre of its first pixel, in the grid's units. Default: it covers the grid's own field.
    step : pair of float, optional
        Distance of its pixels along each stage axis, in the grid's units; with `position`.
    rotation : float, optional
        Of the image, in degrees, as `PixelGrid` has it; with `position`. Default: that of the grid.
    features : scikit-learn transformer, optional
        Takes the 5 x 5 pixels around each pixel, shape ``(n_pixels, 25)``, and gives features of each: PCA, NMF or one
        of your own. They are used beside the usual ones.

    Examples
    --------
    >>> from bluesky_gp import PixelGrid
    >>> overview = Overview(np.arange(16.0).reshape(4, 4))
    >>> overview.on(PixelGrid((2, 2))).images["image"]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """

    image: npt.ArrayLike | Mapping[str, npt.ArrayLike]
    position: Sequence[float] | None = None
    step: Sequence[float] | None = None
    rotation: float | None = None
    features: Any = None

    def __post_init__(self) -> None:
        if (self.position is None) != (self.step is None) or (self.rotation is not None and self.step is None):
            raise ValueError(
                f"Overview: position and step say together where the image lies, and rotation with them, got "
                f"position={self.position}, step={self.step}, rotation={self.rotation}"
            )
        whole = callable(getattr(self.features, "fit_transform", None)) and not isinstance(self.features, type)
        if self.features is not None and not whole:
            raise TypeError(
                f"Overview: features must be a transformer of scikit-learn, such as PCA(6), got {self.features!r}"
            )
        if not self.images:
            raise ValueError("Overview: there is no image")

    @classmethod
    def of(cls, given: Any) -> "Overview | Planes | None":
        """Return what somebody gave as an overview: one, an image, images by name, what a record says, or nothing."""
        if given is None or isinstance(given, Overview | Planes):
            return given
        if isinstance(given, Mapping) and "shape" in given and "images" in given:
            return Planes.from_mapping(given)
        return cls(given)

    @property
    def images(self) -> dict[str, Floats]:
        """Each image by its name."""
        given = self.image if isinstance(self.image, Mapping) else {"image": self.image}
        return {str(name): _image(str(name), image) for name, image in given.items()}

    def on(self, grid: PixelGrid) -> Planes:
        """Return the mean of each image over each pixel of a grid, and its spread within it.

        Raises
        ------
        ValueError
            If the grid has not two axes, or an image shows nothing where the grid has pixels to be measured.
        """
        if grid.ndim != 2:
            raise ValueError(f"Overview: an image needs a grid of two axes, this one has {grid.ndim}")
        images, spreads = {}, {}
        for name, image in self.images.items():
            lattice = image_lattice(image.shape, grid, self._placed(image.shape, grid))
            mean = sample_image(image, grid, lattice)
            images[name] = _checked(name, mean, grid)
            if np.prod(np.abs(lattice.step)) < np.prod(np.abs(grid.step)):
                offset = float(np.nanmean(image))
                square = sample_image(np.square(image - offset), grid, lattice) - np.square(mean - offset)
                spreads[name] = np.sqrt(np.maximum(np.nan_to_num(square), 0.0))
        return Planes.of(images, spreads, self.features)

    def _placed(self, shape: tuple[int, ...], grid: PixelGrid) -> PixelGrid | None:
        if self.position is None or self.step is None:
            return None
        rotation = grid.rotation if self.rotation is None else self.rotation
        return PixelGrid(shape, tuple(self.step), tuple(self.position), grid.units, rotation=rotation)


def _image(name: str, image: npt.ArrayLike) -> Floats:
    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"Overview: {name!r} must hold real numbers, got {array.dtype}")
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        raise ValueError(
            f"Overview: {name!r} is in colour, shape {array.shape}: give one of its channels, or each by a name, "
            f"{{'red': image[..., 0], ...}}"
        )
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"Overview: {name!r} must have two axes, got shape {array.shape}")
    return array.astype(np.float64)


def _checked(name: str, mean: Floats, grid: PixelGrid) -> Floats:
    """Return an image without gaps; raise unless it shows something different at pixels that may be measured."""
    allowed, flat = grid.allowed, mean.ravel()
    blind = int(np.sum(allowed & ~np.isfinite(flat)))
    if blind:
        raise ValueError(
            f"Overview: {name!r} shows nothing at {blind} of the {int(allowed.sum())} pixels that may be measured: it "
            f"does not cover the grid, or holds NaN there"
        )
    if not np.ptp(flat[allowed]) > 0.0:
        raise ValueError(f"Overview: {name!r} has one value at all pixels of the grid: it tells none from another")
    return np.where(np.isfinite(mean), mean, float(flat[allowed].mean()))
