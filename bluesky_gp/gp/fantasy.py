"""Pixels taken as measured, before they are."""

from dataclasses import dataclass

from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class Fantasy:
    """A pixel taken as measured: the rank-one change it made."""

    pixel: int
    gain: Floats  # (N,), covariance with all pixels over `std`
    std: float  # of the measurement, noise included
    noise: float  # its noise variance


@dataclass(frozen=True)
class Foreseen:
    """The variance of all pixels, had some been measured: it needs no values."""

    pixels: Indices  # (k,), flat
    variance: Floats  # (N,)
