"""Pixels taken as measured, before they are."""

from dataclasses import dataclass

from bluesky_gp.gp.window import Window
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class Fantasy:
    """A pixel taken as measured: the rank-one change it made."""

    pixel: int
    near: Floats  # covariance with all pixels over `std`, shape (N,); with those in `window`, of its shape
    std: float  # of the measurement, noise included
    noise: float  # its noise variance
    window: Window | None = None  # outside of which the covariance is nothing; None: it is known everywhere

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
