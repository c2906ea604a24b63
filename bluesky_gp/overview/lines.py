"""Thin lines of an image, and whether it is one of them: walls between domains, boundaries of grains.

======  ===========================================  ================
symbol  meaning                                      shape
======  ===========================================  ================
z       an image, standardised                       (n_rows, n_cols)
======  ===========================================  ================

The curvature across a line is large and of one sign, and it is higher, or lower, than both of its sides; across an edge
the curvature has either sign. Of trial images those of walls and boundaries had ratios of 1.5 to 2.1 and 0.8 to 0.95
(`shows_lines`), all others, noise, hills, grains and particles among them, one below 1.3 or one below 0.5.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, grey_closing, grey_opening, morphological_gradient, zoom

from bluesky_gp.typing import Floats

_SCALE = 1.0  # pixels, of the curvature
_WINDOW = 5  # pixels, wider than a line
_STRONG = 0.98  # quantile: lines cover more than 2 % of an image that has some
_ONE_SIGN, _ABOVE_BOTH = 1.4, 0.75  # ratios from which an image is one of lines


def line_strength_between(z: Floats) -> Floats:
    """Return the curvature across dark lines, or across bright ones where those are stronger, at steps of half a pixel.

    Shape ``(2 n_rows - 1, 2 n_cols - 1)``: pixel i is at 2 i, and halfway between pixels i and j is i + j.
    """
    halves = zoom(z, [(2 * n - 1) / n for n in z.shape], mode="nearest")
    return max(_curvatures(halves, 2.0 * _SCALE), key=_strong)


def shows_lines(z: Floats) -> bool:
    """Whether an image has thin lines, and little else."""
    weaker, stronger = sorted(_strong(curvature) for curvature in _curvatures(z, _SCALE))
    height = np.maximum(grey_closing(z, size=(_WINDOW, _WINDOW)) - z, z - grey_opening(z, size=(_WINDOW, _WINDOW)))
    slope = _strong(morphological_gradient(z, size=(3, 3)))
    return bool(slope > 0.0 and stronger >= _ONE_SIGN * weaker and _strong(height) >= _ABOVE_BOTH * slope)


def _curvatures(z: Floats, scale: float) -> tuple[Floats, Floats]:
    """The largest curvature upwards and downwards at each pixel, where there is any."""
    rr, cc, rc = (gaussian_filter(z, scale, order=order) for order in ((2, 0), (0, 2), (1, 1)))
    half, apart = 0.5 * (rr + cc), np.hypot(0.5 * (rr - cc), rc)
    return np.maximum(half + apart, 0.0), np.maximum(apart - half, 0.0)


def _strong(values: Floats) -> float:
    return float(np.quantile(values, _STRONG))
