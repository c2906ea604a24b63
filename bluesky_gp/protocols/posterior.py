"""The seam of the Gaussian process: a posterior, and the pixels that it takes as measured."""

from collections.abc import Iterator, Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np

from bluesky_gp.typing import Floats, Indices


class Fantasy(Protocol):
    """A pixel taken as measured: what it took off a covariance is ``gain gain^T``."""

    @property
    def pixel(self) -> int:
        """Flat index."""
        ...

    @property
    def gain(self) -> Floats:
        """Covariance with all pixels over `std`, shape ``(n_pixels,)``."""
        ...

    @property
    def std(self) -> float:
        """Standard deviation of the measurement, noise included."""
        ...

    @property
    def noise(self) -> float:
        """Its noise variance."""
        ...


@runtime_checkable
class Posterior(Protocol):
    """A Gaussian process given the pixels measured so far; immutable, change is a new object.

    Implemented by `GridPosterior`; called by `optimizer`, `batch` and `stopping`.
    """

    @property
    def mean(self) -> Floats:
        """Shape ``(n_pixels,)``, standardised units."""
        ...

    @property
    def variance(self) -> Floats:
        """Of the noise-free target, shape ``(n_pixels,)``."""
        ...

    @property
    def fantasies(self) -> Sequence[Fantasy]:
        """The pixels taken as measured, in the order in which they were."""
        ...

    def measured_std(self, pixels: Indices) -> Floats:
        """Standard deviation of a measurement at some pixels, noise included, shape ``(k,)``."""
        ...

    def difference_variance(self, left: Indices, right: Indices) -> Floats:
        """Variance of what each pixel of `left` has more than that of `right` in its place, shape ``(k,)``."""
        ...

    def product(self, field: Floats) -> Floats:
        """Covariance of all pixels with all, times a field of shape ``(n_pixels,)``."""
        ...

    def covariance_column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(n_pixels,)``."""
        ...

    def covariance(self, rows: Indices, columns: Indices) -> Floats:
        """Covariance of some pixels with others, shape ``(n_rows, n_columns)``."""
        ...

    def covariance_tiles(self, pixels: Indices, num: int) -> Iterator[tuple[Indices, Floats]]:
        """Yield the covariance of some pixels in tiles of rows, each from the diagonal on."""
        ...

    def mean_of(self, values: Floats) -> Floats:
        """Mean of other numbers of the same pixels, shape ``(m, d)`` -> ``(n_pixels, d)``."""
        ...

    def condition(self, pixel: int, value: float) -> Self:
        """Return the posterior had `pixel` been measured as `value`."""
        ...

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one joint sample of the whole map, shape ``(n_pixels,)``."""
        ...
