"""The drift of a sample as it is followed: what the images so far say, as one immutable value.

===========  ==================================================================  ============
d            displacement of the sample from where the grid has it                ``(2,)``, pixels of the map
carried      correction that the image had already: it shows d - carried          ``(2,)``
origin       d - carried of the reference image                                   ``(2,)``
correction   what stage or beam are told: d half an interval ahead, clipped       ``(2,)``
===========  ==================================================================  ============
"""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from bluesky_gp.drift.course import STEP, Course, DriftLimits, largest_std, shown
from bluesky_gp.drift.errors import DriftError
from bluesky_gp.drift.registration import registered
from bluesky_gp.typing import Floats

REFERENCE = "drift_reference"
"""Stream of the images that others are compared with."""

_OVERLAP = 0.5  # part of the reference that an image must show, or it is the next reference
_FAR = 3.0  # intervals between images, for which the velocity counts


@dataclass(frozen=True, eq=False)
class Sight:
    """An image of the sample, when it was taken, and the corrections that it had and that the map has."""

    image: Floats = field(repr=False)
    time: float  # s
    carried: Floats  # (2,), pixels of the map: the image itself is taken so much farther on
    shift: Floats  # (2,), as stage or beam have it
    scale: Floats  # (2, 2), pixels of the map in one of the image


@dataclass(frozen=True, eq=False, kw_only=True)
class Track(Course):
    """The displacement of a sample, image after image."""

    reference: Floats = field(repr=False)

    @classmethod
    def begin(cls, sight: Sight, limits: DriftLimits) -> Self:
        """Return a track whose reference is its first image: what is corrected by then is taken to be right."""
        return cls(
            reference=_checked(sight.image),
            origin=sight.shift - sight.carried,
            displacement=sight.shift,
            time=sight.time,
            limits=limits,
        )

    def then(self, sight: Sight) -> "Track":
        """Return the track with a further image.

        Raises
        ------
        DriftError
            If its shift is not known, or cannot be corrected; the message says why.
        """
        image = self._comparable(sight.image)
        guess = self._guess(sight.time)
        to_image = np.linalg.inv(sight.scale)
        shift = registered(self.reference, image, to_image @ (guess - self.origin - sight.carried))
        found = self.origin + sight.carried + sight.scale @ shift.displacement
        uncertainty = largest_std(sight.scale @ shift.covariance @ sight.scale.T)
        self._check(found, guess, shift.agreement, uncertainty)
        track = replace(
            self._later(found, sight.time),
            agreement=shift.agreement,
            uncertainty=uncertainty,
            number=self.number + 1,
            renewed=shift.agreement < 2.0 * self.limits.agreement or shift.overlap < _OVERLAP,
        )
        track.check_reach()
        return track.from_now(image, found - sight.carried) if track.renewed else track

    def from_now(self, image: Floats, origin: Floats) -> "Track":
        """Return the track with the latest image as the reference of those to come."""
        return replace(self, reference=image, origin=origin, compared=self.number)

    def _guess(self, now: float) -> Floats:
        """Return where the velocity puts the sample; not for all of a pause, in which it may have come to rest."""
        return self.displacement + self.velocity * min(now - self.time, _FAR * self.interval)

    def _later(self, found: Floats, now: float) -> "Track":
        """Return the track with a displacement at a time; the velocity is that between the two latest images."""
        interval = now - self.time
        if not interval > 0.0:
            return replace(self, displacement=found)
        ahead = 0.5 * (min(interval, self.interval) if self.interval else interval)  # a pause is not to come again
        velocity = (found - self.displacement) / interval
        return replace(self, displacement=found, time=now, velocity=velocity, interval=interval, ahead=ahead)

    def _comparable(self, image: Floats) -> Floats:
        if np.shape(image) != self.reference.shape:
            raise DriftError(
                f"drift: the image has shape {np.shape(image)}, the first one had {self.reference.shape}: a shift "
                f"between the two cannot be seen"
            )
        return _checked(image)

    def _check(self, found: Floats, guess: Floats, agreement: float, uncertainty: float) -> None:
        """Refuse what is no shift of the sample, lest a wrong one is corrected."""
        if agreement < self.limits.agreement:
            raise DriftError(
                f"drift: image {self.number + 1} agrees with image {self.compared} by {agreement:.2f}, less than "
                f"agreement={self.limits.agreement:g}: it may show another place, or nothing. The best shift was "
                f"{shown(found)} pixels"
            )
        if 2.0 * uncertainty > STEP:
            raise DriftError(
                f"drift: the shift of image {self.number + 1} is sure to {min(2.0 * uncertainty, 99.0):.2g} "
                f"pixels only, where half a pixel puts values into wrong ones: it shows too little, is too noisy, or "
                f"has edges of one direction"
            )
        if np.abs(found - guess).max() > self.limits.window:
            raise DriftError(
                f"drift: image {self.number + 1} is displaced by {shown(found)} pixels where {shown(guess)} was "
                f"expected, farther off than window={self.limits.window:g}: the sample has jumped, or the image "
                f"repeats itself. Look at the sample; a larger window accepts it"
            )


def _checked(image: Floats) -> Floats:
    """Return an image in double precision; DriftError if it cannot be compared."""
    image = np.asarray(image, dtype=np.float64)
    if image.ndim != 2 or min(image.shape) < 8 or not np.isfinite(image).all():
        raise DriftError(f"drift: expected an image of 8 x 8 pixels or more, all finite, got shape {image.shape}")
    if not np.ptp(image):
        raise DriftError("drift: the image is the same everywhere, so no shift can be seen in it")
    return image
