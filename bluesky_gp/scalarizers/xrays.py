"""Numbers of an X-ray spectrum (EDS)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bluesky_gp.scalarizers.windows import Window, channels, checked_windows
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class LineCounts:
    r"""Counts of an X-ray line above the bremsstrahlung.

    .. math:: N = \sum_{\mathrm{line}} y - n\, b(E_0)

    with the background b a straight line through the mean counts of two windows beside the line, taken at its middle,
    and n the channels of the line (three-window method: D. B. Williams, C. B. Carter, Transmission Electron Microscopy,
    2nd ed., section 35.2). A window of the line's full width at half maximum to either side of it has 98 % of its
    counts; other lines must stay out of all three.

    Parameters
    ----------
    line, below, above : tuple of float
        Start and end of each window, the end left out, in the unit of the axis. Default: Cu K-alpha (8.05) in keV.
    """

    line: Window = (7.85, 8.25)
    below: Window = (7.3, 7.7)
    above: Window = (8.4, 8.6)

    name: ClassVar[str] = "line_counts"

    def __post_init__(self) -> None:
        checked_windows(self, "line", "below", "above")

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the counts of the line in `spectrum`, both arguments of shape ``(n_channels,)``."""
        line = channels(self, axis, self.line)
        sides = [channels(self, axis, window) for window in (self.below, self.above)]
        middles = [float(axis[side].mean()) for side in sides]
        levels = [float(spectrum[side].mean()) for side in sides]
        slope = (levels[1] - levels[0]) / (middles[1] - middles[0])
        background = levels[0] + slope * (axis[line] - middles[0])
        return float(np.sum(spectrum[line] - background))

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the spectrum."""
        return spectrum_units
