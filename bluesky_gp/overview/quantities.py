"""Local quantities of an image: what a pixel of it looks like, on the scale of a few pixels.

======  ===========================================  ===============
symbol  meaning                                      shape
======  ===========================================  ===============
z       an image, standardised                       (n_rows, n_cols)
======  ===========================================  ===============
"""

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

from bluesky_gp.typing import Floats

_FURTHEST = 4.0  # standard deviations from the median: what lies beyond is one hot pixel
_SCALE = 1.0  # pixels, of derivatives
WINDOW = 2  # pixels of a patch on either side of its own


def standardised(image: Floats) -> Floats:
    """Return an image of standard deviation one about its median; zeros where it is constant."""
    centred = image - np.median(image)
    spread = float(centred.std())
    return np.clip(centred / spread, -_FURTHEST, _FURTHEST) if spread > 0.0 else np.zeros_like(image)


def smoothed(z: Floats) -> Floats:
    """Return the mean over about three pixels."""
    return standardised(gaussian_filter(z, _SCALE))


def edges_and_lines(z: Floats) -> list[Floats]:
    """Return the gradient and the larger and the smaller curvature: dark lines have one, bright ones the other."""
    rr, cc, rc = (gaussian_filter(z, _SCALE, order=order) for order in ((2, 0), (0, 2), (1, 1)))
    half, apart = 0.5 * (rr + cc), np.hypot(0.5 * (rr - cc), rc)
    return [standardised(each) for each in (gaussian_gradient_magnitude(z, _SCALE), half + apart, half - apart)]


def patches(z: Floats) -> Floats:
    """Return the 5 x 5 pixels around each pixel, shape ``(N, 25)``; at the rim the image is mirrored."""
    padded = np.pad(z, WINDOW, mode="symmetric")
    side = 2 * WINDOW + 1
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(z.size, side * side)


def principal_components(rows: Floats, num: int) -> Floats:
    """Return the largest principal components of rows, in units of the first one's standard deviation."""
    centred = rows - rows.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    components = centred @ vectors[:, ::-1][:, :num]
    return np.asarray(components / np.sqrt(max(float(values[-1]), 1e-300)))
