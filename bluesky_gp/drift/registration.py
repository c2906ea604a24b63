r"""The displacement between two images of a sample, to a twentieth of a pixel.

============  ======================================================  ==================
r, f          reference and image, band-passed, weighted by w          ``(n_rows, n_cols)``
w             Hann window                                              ``(n_rows, n_cols)``
d             displacement: what lies at x in r lies at x + d in f     ``(2,)``, pixels of the image
C             covariance of d: s^2 a (sum of grad r grad r^T)^-1      ``(2, 2)``
s^2, a        variance of f - r where they agree best; pixels that
              the band makes one
============  ======================================================  ==================

The image is shifted back by a guess, what is left is read from the correlation with the reference, and added to the
guess, until nothing is left. A correlation of windowed images falls with the distance, so of the maxima that a crystal
has, one a unit cell, the one next to the guess is taken. It is not divided by the spectra's magnitudes (a true phase
correlation): of images as smooth as these that leaves the noise, and lost the shift in trials with noise of half the
contrast. The band leaves noise out, and what grows slowly over the field, such as contamination.
"""

from collections.abc import Callable
from math import ceil, floor
from typing import Any, NamedTuple, cast

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from bluesky_gp.drift.errors import DriftError
from bluesky_gp.typing import Floats

_FINE, _COARSE = 1.0, 6.0  # pixels of the image; the band lies between them
_PART = 20  # of a pixel, to which a shift is read
_ROUNDS = 20  # seldom more than four; ten where the image has hardly anything along one axis
_LEAST = 8  # pixels along an axis, that two images must both show
_AREA = 4.0 * np.pi * _FINE**2  # of noise after the filter, pixels


class Shift(NamedTuple):
    """A displacement, and how it was found."""

    displacement: Floats  # (2,), pixels of the image
    agreement: float  # correlation of the two images then, 1 at best
    overlap: float  # part of the field that both show
    covariance: Floats  # (2, 2)


def registered(reference: Floats, image: Floats, guess: Floats) -> Shift:
    """Return how far `image` is displaced from `reference`.

    Parameters
    ----------
    reference, image : Floats
        Of one shape, finite.
    guess : Floats
        Shape ``(2,)``, in pixels of the image.

    Raises
    ------
    DriftError
        If the search does not come to rest, or the two show different places.
    """
    correlate = _phase_cross_correlation()
    fixed, moving, found = _band(reference), _band(image), np.array(guess, dtype=np.float64)
    for _ in range(_ROUNDS):
        one, other, window = _overlapping(fixed, moving, found)
        pair = _weighted(one, window), _weighted(other, window)
        left = np.asarray(correlate(*pair, upsample_factor=_PART, normalization=None)[0])
        found = found - left
        if np.abs(left).max() <= 1.0 / _PART:
            return _judged(*_overlapping(fixed, moving, found), found, fixed.size)
    raise DriftError(f"drift: the search for the shift of the image does not come to rest, {found.round(2).tolist()}")


def _band(image: Floats) -> Floats:
    return np.asarray(gaussian_filter(image, _FINE) - gaussian_filter(image, _COARSE))


def _overlapping(fixed: Floats, moving: Floats, by: Floats) -> tuple[Floats, Floats, Floats]:
    """Return what both images show once `moving` is shifted back, and a window of that size."""
    ends = [(max(0, ceil(-d)), min(n, floor(n - d))) for n, d in zip(fixed.shape, by, strict=True)]
    if min(high - low for low, high in ends) < _LEAST:
        raise DriftError(f"drift: the image shows another place than the one before, {by.round(1).tolist()} away")
    both = tuple(slice(low, high) for low, high in ends)
    window = np.outer(*(np.hanning(high - low + 2)[1:-1] for low, high in ends))
    return fixed[both], shift(moving, -by, order=1, mode="nearest")[both], window


def _weighted(image: Floats, window: Floats) -> Floats:
    return np.asarray((image - np.average(image, weights=window)) * window)


def _judged(fixed: Floats, back: Floats, window: Floats, found: Floats, size: int) -> Shift:
    """Return a shift with the agreement of the images, and the errors that what differs between them may cause.

    They are large where the image hardly changes along an axis: edges of one direction leave a shift along them open.
    Slopes that only one of the two has, noise's among them, say nothing of it; half of those of their difference are
    the reference's own, and half as much again is taken off, lest chance leaves some.
    """
    one, other = _weighted(fixed, window), _weighted(back, window)
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    agreement = float(np.sum(one * other)) / length if length else 0.0
    values, axes = np.linalg.eigh(_slopes(fixed, window) - 0.75 * _slopes(back - fixed, window))
    steep = np.maximum(values, 1e-9 * max(values[-1], 1e-30))
    differs = float(np.sum((other - one) ** 2) / np.sum(window**2))
    return Shift(found, agreement, fixed.size / size, (axes * (differs * _AREA / steep)) @ axes.T)


def _slopes(image: Floats, window: Floats) -> Floats:
    """Return the sum of grad grad^T, shape ``(2, 2)``."""
    slopes = np.stack([(slope * window).ravel() for slope in np.gradient(image)])
    return np.asarray(slopes @ slopes.T)


def _phase_cross_correlation() -> Callable[..., Any]:
    try:
        from skimage.registration import phase_cross_correlation
    except ImportError as error:
        raise ImportError("drift is seen by scikit-image: pip install 'bluesky_gp[drift]'") from error
    return cast(Callable[..., Any], phase_cross_correlation)
