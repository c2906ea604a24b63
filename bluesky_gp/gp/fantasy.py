"""A pixel taken as measured, before it is."""

from dataclasses import dataclass

from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class Fantasy:
    """A pixel taken as measured: the rank-one change it made."""

    pixel: int
    gain: Floats  # (N,), covariance with all pixels over `std`
    std: float  # of the measurement, noise included
    noise: float  # its noise variance
