"""The drift of a sample as landmarks tell it: what their values so far say, as one immutable value."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from bluesky_gp.drift.course import STEP, Course, DriftLimits, largest_std
from bluesky_gp.drift.landmarks import CROSS, LIKE, MapModel, Match, matched
from bluesky_gp.drift.motion import Motion
from bluesky_gp.typing import Floats, Indices

_TURN = 0.1  # of the largest velocity, by which it changes between two looks
_SURE = 0.01  # pixels, to which the first values have their places
_FAR = 3.0  # intervals between looks, for which the velocity counts
_LEAST = 1e-6  # s between looks
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class Revisit:
    """Pixels measured at nearly one time, and the map by then."""

    pixels: Floats  # (k, 2)
    values: Floats = field(repr=False)  # (k,), target's unit; NaN: failed
    time: float  # s, the middle
    before: float  # s, from the middle of what was measured before to this
    shift: Floats  # (2,), correction that they had
    model: MapModel = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class LandmarkTrack(Course):
    """The displacement of a sample, look after look at its landmarks."""

    pixels: Floats = field(repr=False)  # (m, 2), measured at first: each landmark, and those around it
    values: Floats = field(repr=False)  # (m,), NaN: failed
    before: float  # s, from the middle of what was measured before to them
    covariance: Floats = field(default_factory=lambda: np.zeros((4, 4)), repr=False)  # of displacement and velocity
    pace: float = 0.0  # pixels a second, that are possible
    held: Floats = field(default_factory=lambda: np.zeros(2))  # correction that stays where a shift is refused
    refused: str = ""  # why nothing is moved

    @classmethod
    def begin(cls, revisit: Revisit, limits: DriftLimits) -> Self:
        """Return a track whose reference is its first look: what is corrected by then is taken to be right."""
        return cls(
            origin=np.zeros(2), displacement=revisit.shift, time=revisit.time, limits=limits, pixels=revisit.pixels,
            values=revisit.values, before=revisit.before, held=revisit.shift,
        )  # fmt: skip

    @property
    def landmarks(self) -> Indices:
        """Pixels to be measured again, shape ``(k, 2)``."""
        return self.pixels[:: len(CROSS)].astype(np.intp)

    def then(self, revisit: Revisit) -> "LandmarkTrack":
        """Return the track with a further look; a shift that the values do not tell is `refused`, and nothing is moved.

        Raises
        ------
        DriftError
            If the limit leaves more than half a pixel uncorrected.
        """
        looked = replace(self, number=self.number + 1, renewed=False, held=revisit.shift)
        good = np.isfinite(revisit.values)
        if good.sum() < _FEWEST:
            return replace(looked, refused=_TOO_FEW.format(good.sum()))
        if revisit.model.likeness < LIKE:
            return replace(looked, refused=TOO_ROUGH.format(revisit.model.likeness))
        seconds = max(revisit.time - self.time, _LEAST)
        pace = self.pace or 0.5 * self.limits.window / seconds
        coming = self._coming(seconds, pace)
        match = self._matched(revisit, good, coming)
        looked = replace(looked, agreement=match.agreement)
        if match.agreement < self.limits.agreement:
            return replace(looked, refused=_NO_SHIFT.format(good.sum(), self.limits.window, match.agreement))
        track = looked.with_motion(
            coming.seen(revisit.shift + match.displacement, match.covariance), revisit, seconds, pace
        )
        track.check_reach()
        return track

    def _coming(self, seconds: float, pace: float) -> Motion:
        """Return what is to be expected; the velocity does not count for all of a pause, the uncertainty does."""
        state, first = np.concatenate([self.displacement, self.velocity]), not self.interval
        known = np.diag(np.repeat([_SURE**2, pace**2], 2)) if first else self.covariance
        moving = seconds if first else min(seconds, _FAR * self.interval)
        return Motion(state, known).after(moving, seconds, 0.0 if first else _TURN * pace)

    def _matched(self, revisit: Revisit, good: npt.NDArray[np.bool_], coming: Motion) -> Match:
        first = np.isfinite(self.values)
        return matched(
            (self.pixels - self.origin)[first], self.values[first], revisit.pixels[good], revisit.values[good],
            revisit.model, coming.state[:2] - revisit.shift, coming.covariance[:2, :2], self.limits.window,
        )  # fmt: skip

    def with_motion(self, motion: Motion, revisit: Revisit, seconds: float, pace: float) -> "LandmarkTrack":
        """Return the track with what is known now.

        The first velocity says how far the sample had moved already when the landmarks were measured first: the map
        begins with the pixels before them.
        """
        velocity, first = motion.state[2:], not self.interval
        moved = velocity * self.before if first else np.zeros(2)
        track = replace(
            self, displacement=motion.state[:2] + moved, velocity=velocity, time=revisit.time, interval=seconds,
            ahead=0.5 * min(seconds, self.interval or seconds), uncertainty=largest_std(motion.covariance[:2, :2]),
            covariance=motion.covariance, pace=pace, origin=self.origin + moved, refused="",
        )  # fmt: skip
        shift = track.correction - self.held
        error, size = motion.error_of(shift, track.ahead), float(np.linalg.norm(shift))
        if error < size <= self.limits.window:
            return track
        return replace(track, refused=(_TOO_LITTLE if max(error, size) > STEP else _NO_FURTHER).format(size, error))

    @property
    def correction(self) -> Floats:
        """Correction to be made now, shape ``(2,)``."""
        return self.held if self.refused else super().correction

    @property
    def left(self) -> Floats:
        """Displacement that is not corrected because of the limit, shape ``(2,)``."""
        return np.zeros(2) if self.refused else super().left


_TOO_FEW = "of {} landmarks there is a value, three at least tell a shift; nothing is moved"
TOO_ROUGH = (
    "values of neighbouring pixels agree by {:.2f} only: the map is too noisy, or too rough, for a shift to be told; "
    "nothing is moved"
)
_NO_SHIFT = (
    "what {} pixels give now fits no shift within {:g} pixels, agreement {:.2g}: the sample has changed or jumped; "
    "nothing is moved"
)
_TOO_LITTLE = (
    "the shift, {:.2f} pixels, is sure to {:.2g} pixels only: the map is too smooth or too noisy for its pixels "
    "to tell; nothing is moved"
)
_NO_FURTHER = "a shift of {:.2f} pixels is within its error, {:.2g}; nothing is moved"
