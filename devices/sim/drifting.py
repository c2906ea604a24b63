"""A sample that drifts under the stage: what a correction of drift is tried on."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from bluesky_gp.devices.sim.sample import Sample, ShownSample
from bluesky_gp.devices.sim.samples import make_sample
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.settings import check_number, check_whole
from bluesky_gp.typing import Floats

_FINER = 4  # pixels of an overview image in one of the map, on each axis


class DriftingSample(ShownSample):
    """The middle of a larger sample, which moves: a thing at pixel p at first lies at ``p + displacement(t)`` later.

    Parameters
    ----------
    sample : Sample, str or mapping
        The larger one, as for `make_sample`, of two axes; a spectrum is that of its nearest pixel.
    shape : tuple of int
        Pixels of the map.
    speed : float, optional
        Pixels of the map a second.
    direction : float, optional
        Into which it sets off, degrees from the rows' axis to that of the columns.
    turn : float, optional
        Degrees a second by which the direction changes.
    finer : int, optional
        Pixels of the larger sample in one of the map, on each axis: drift shows in steps of their size.
    grain : float, optional
        Fine relief of the sample that the overview image shows, as a part of the image's spread.
    image_noise : float, optional
        Noise of the overview image, as such a part.
    clock : callable, optional
        Seconds. One of your own, as ``itertools.count(0.0, 1.0).__next__``, in which each exposure and each image takes
        a second, makes a run that drifts without waiting, the same each time.

    Examples
    --------
    >>> from itertools import count
    >>> sample = DriftingSample({"kind": "ferroelectric", "shape": [60, 60]}, shape=(8, 8), clock=count().__next__)
    >>> sample.shape, sample.displacement(60.0).round(1).tolist()
    ((8, 8), [2.1, 2.1])
    """

    def __init__(
        self,
        sample: str | Mapping[str, Any] | Sample,
        *,
        shape: Sequence[int],
        speed: float = 0.05,
        direction: float = 30.0,
        turn: float = 0.5,
        finer: int = 4,
        grain: float = 0.5,
        image_noise: float = 0.1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        numbers = {"speed": speed, "direction": direction, "turn": turn, "grain": grain, "image_noise": image_noise}
        for name, value in numbers.items():
            check_number("DriftingSample", name, value)
        check_whole("DriftingSample", "finer", finer, 1)
        self._whole: Any = make_sample(sample)
        self.shape, self.finer = tuple(int(n) for n in shape), finer
        self._margin = (np.array(self._whole.shape) - finer * np.array(self.shape)) // 2
        if len(self.shape) != 2 or self._margin.min() < 0:
            raise ValueError(
                f"DriftingSample: a map of {self.shape} with {finer} pixels in each of its own needs a larger sample "
                f"than {self._whole.shape}"
            )
        self.axis, self.axis_name = self._whole.axis, self._whole.axis_name
        self.axis_units, self.spectrum_units = self._whole.axis_units, self._whole.spectrum_units
        self.default_target = self._whole.default_target
        self._speed, self._direction, self._turn = speed, np.radians(direction), np.radians(turn)
        self._image: Floats | None = None
        self._grain, self._image_noise, self._images = grain, image_noise, 0
        self._clock = clock
        self.now = 0.0
        """Time of the latest exposure or image, by the clock of the sample."""
        self.begin()

    def begin(self) -> None:
        """Have the sample lie now as it lay at first, and drift from there."""
        self._began = self.now = self._clock()

    def displacement(self, seconds: float) -> Floats:
        """Return how far the sample has moved after some seconds, shape ``(2,)``, in pixels of the map."""
        middle, half = self._direction + 0.5 * self._turn * seconds, 0.5 * self._turn * seconds
        chord = self._speed * seconds * np.sinc(half / np.pi)  # of the arc along which it moves
        return np.asarray(chord * np.array([np.cos(middle), np.sin(middle)]))

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return what an exposure gives now at a place of the map, fractions allowed, shape ``(n_channels,)``."""
        there = self._margin + self.finer * (np.asarray(pixel) - self._moved())
        return np.asarray(self._whole.spectrum(tuple(there), visit))

    def overview(self) -> Floats:
        """Return an image of the field of the map as the sample lies now, of four times as many pixels on each axis."""
        if self._image is None:
            self._image = self._grained(np.asarray(self._whole.overview(), dtype=np.float64))
        pixels = (np.indices([_FINER * n for n in self.shape]) + 0.5) / _FINER - 0.5
        places = self._margin[:, None, None] + self.finer * (pixels - self._moved()[:, None, None])
        scale = np.divide(self._image.shape, self._whole.shape)[:, None, None]
        seen = map_coordinates(self._image, (places + 0.5) * scale - 0.5, order=1, mode="nearest")
        self._images += 1
        noise = np.random.default_rng([self._images]).standard_normal(seen.shape)
        return np.asarray(seen + self._image_noise * self._image.std() * noise)

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the noise-free map of a target as the sample lay at first, shape `shape`."""
        every = np.asarray(self._whole.truth(scalarizer))
        rows, cols = (low + self.finer * np.arange(n) for low, n in zip(self._margin, self.shape, strict=True))
        return np.asarray(every[np.ix_(rows, cols)])

    def _grained(self, image: Floats) -> Floats:
        """Add hills a third of a pixel of the map wide."""
        width = self.finer * image.shape[0] / self._whole.shape[0] / 3.0
        hills = gaussian_filter(np.random.default_rng(0).standard_normal(image.shape), width)
        return np.asarray(image + self._grain * image.std() * hills / hills.std())

    def _moved(self) -> Floats:
        self.now = self._clock()
        return self.displacement(self.now - self._began)
