"""Pixels taken as measured, before they are."""

from dataclasses import dataclass
from typing import NamedTuple

from bluesky_gp.gp.features_left import FeaturesLeft
from bluesky_gp.gp.window import Window
from bluesky_gp.typing import Floats, Indices


class Sources(NamedTuple):
    """A column of the posterior covariance as a sum: of the prior's columns and of the trend's."""

    weights: Floats  # (m + k,), of the pixels measured and of those taken as measured, its own the last
    trend: Floats  # (q,), of the root of the trend's covariance


@dataclass(frozen=True)
class Fantasy:
    """A pixel taken as measured: the rank-one change it made."""

    pixel: int
    near: Floats  # covariance with all pixels over `std`, shape (N,); with those in `window`, of its shape
    std: float  # of the measurement, noise included
    noise: float  # its noise variance
    window: Window | None = None  # outside of which the covariance is nothing; None: it is known everywhere
    sources: Sources | None = None  # of `near`; None: they are not known

    @property
    def gain(self) -> Floats:
        """Covariance with all pixels over `std`, shape ``(N,)``."""
        return self.near if self.window is None else self.window.spread(self.near)

    def take_from(self, column: Floats, pixel: int, window: Window) -> None:
        """Take what is known of the pixel off a column of the covariance, shape ``window.sides``, in place."""
        if self.window is None:
            column -= self.near[pixel] * window.of(self.near)
        elif self.window.holds(pixel):
            mine, theirs = self.window.common(window)
            column[theirs] -= self.window.at(self.near, pixel) * self.near[mine]


@dataclass(frozen=True)
class Foreseen:
    """The variance of all pixels, had some been measured: it needs no values."""

    pixels: Indices  # (k,), flat
    variance: Floats  # (N,)
    left: FeaturesLeft | None = None
