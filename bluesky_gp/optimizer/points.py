"""Points as people and bluesky-adaptive write them: ``{"_id": 640, "loop_area": 1.7}``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan, nan
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.measurements import Measurements
from bluesky_gp.typing import Floats

Batch = tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
"""Points and failures, as `PixelOptimizer.learn` takes them."""

EXPOSURE = "exposure"
"""Key of a point that says for how many seconds it was measured, of an optimizer that heeds it."""

TIME = "time"
"""Key of a point that says when it was measured, in seconds of any clock, for an optimizer whose target changes."""

_SHARE = "_share"  # of noise, among what is written: an exposure would come back with another last bit
_APART = 0.25  # pixels by which a read-back may be off


@dataclass(frozen=True)
class Points:
    """Reader and writer of points: pixel, value, known standard deviation, auxiliary quantities.

    What reads raises ValueError, which names the key, the value that came and what was expected.
    """

    grid: PixelGrid
    target: str
    exposure: float | None = None  # s, of which the kernel's noise is
    timed: bool = False  # whether each value has a time

    def index(self, point: Mapping[str, Any]) -> int:
        """Return the flat index, from ``_id`` or from the pixel axes."""
        if "_id" in point:
            return self._agreed(self.inside(point["_id"]), point)
        missing = [name for name in self.grid.axes if name not in point]
        if missing:
            raise ValueError(
                f"PixelOptimizer: a point needs '_id' or {list(self.grid.axes)}, {missing} missing in {dict(point)}"
            )
        return int(self.grid.ravel([[_nearest(name, point) for name in self.grid.axes]])[0])

    def _agreed(self, index: int, point: Mapping[str, Any]) -> int:
        """Return a flat index, which the pixel axes must not contradict where the point has them as well."""
        if not any(name in point for name in self.grid.axes):
            return index
        pixel = tuple(self.grid.unravel([index])[0].tolist())
        for name, wanted in zip(self.grid.axes, pixel, strict=True):
            if name in point and abs(_number(name, point[name]) - wanted) > 0.5:
                raise ValueError(
                    f"PixelOptimizer: _id {index} is pixel {pixel}, and {name} is {point[name]} in the point"
                )
        return index

    def inside(self, index: Any) -> int:
        """Return a flat index that is one."""
        number = _number("_id", index)
        if not (0 <= number < self.grid.size and number.is_integer()):
            raise ValueError(f"PixelOptimizer: _id {index} is outside the grid of {self.grid.size} pixels")
        return int(number)

    def all_inside(self, pending: Sequence[int]) -> list[int]:
        """Return flat indices of pixels under way."""
        if not isinstance(pending, Iterable):
            raise TypeError(f"PixelOptimizer: pending is a list of flat indices, got {pending!r}: give [{pending!r}]")
        return [self.inside(index) for index in pending]

    def value(self, point: Mapping[str, Any]) -> float:
        """Return the target; NaN: the pixel failed."""
        if self.target not in point:
            raise ValueError(f"PixelOptimizer: target {self.target!r} is missing in the point {dict(point)}")
        value = _number(self.target, point[self.target], finite=False)
        if np.isinf(value):
            raise ValueError(f"PixelOptimizer: {self.target} is {value}; a pixel that failed has NaN")
        return value

    def std(self, point: Mapping[str, Any]) -> float:
        """Return the known standard deviation of the target's noise, ``TARGET_std``; 0 where none is given."""
        name = f"{self.target}_std"
        std = _number(name, point.get(name, 0.0))
        if std < 0.0:
            raise ValueError(f"PixelOptimizer: {name} is a standard deviation, got {std}")
        return std

    def share(self, point: Mapping[str, Any]) -> float:
        """Return the noise variance over that of the usual exposure; 1 where the point has no `exposure`."""
        if self.exposure is None:
            return 1.0
        if EXPOSURE not in point:
            return _number(_SHARE, point.get(_SHARE, 1.0))
        seconds = _number(EXPOSURE, point[EXPOSURE])
        if seconds <= 0.0:
            raise ValueError(f"PixelOptimizer: {EXPOSURE} must be seconds, above zero, got {seconds} in {dict(point)}")
        return self.exposure / seconds

    def time(self, point: Mapping[str, Any]) -> float:
        """Return when it was measured; NaN where nobody asks."""
        if not self.timed:
            return nan
        if TIME not in point:
            raise ValueError(
                f"PixelOptimizer: with time_kernel= a point says under {TIME!r} when it was measured, in seconds of "
                f"any clock: it is missing in {dict(point)}"
            )
        return _number(TIME, point[TIME])

    def seconds(self, point: Mapping[str, Any], otherwise: float) -> float:
        """Return when it was recorded, in seconds since the run began, ``_seconds``."""
        return _number("_seconds", point.get("_seconds", otherwise))

    def measurements(
        self, points: Sequence[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]], others: Iterable[str]
    ) -> Measurements:
        """Return points with a value and, behind them, such as failed; `others` are keys of auxiliary quantities."""
        points, failures = listed(points), listed(failures)
        failed = np.full(len(failures), np.nan)
        return Measurements.of(
            np.array([self.index(point) for point in (*points, *failures)], dtype=np.intp),
            np.array([*(self.value(point) for point in points), *failed], dtype=np.float64),
            np.array([*(self.std(point) for point in points), *(0.0 for _ in failures)], dtype=np.float64),
            {name: self.others([*points, *({} for _ in failures)], name) for name in others},
            np.array([*(self.share(point) for point in points), *(1.0 for _ in failures)], dtype=np.float64),
            np.array([*(self.time(point) for point in points), *failed], dtype=np.float64),
        )

    def others(self, points: Sequence[Mapping[str, Any]], name: str) -> Floats:
        """Return an auxiliary quantity or spectrum of every point, shape ``(k,)`` or ``(k, n_channels)``; NaN: none."""
        values = [_array(name, point.get(name, np.nan)) for point in points]
        shape = next((value.shape for value in values if value.ndim), ())
        wrong = next((value for value in values if value.shape not in ((), shape)), None)
        if wrong is not None:
            raise ValueError(f"PixelOptimizer: {name} of shape {wrong.shape} came together with one of shape {shape}")
        stacked = np.stack([np.broadcast_to(value, shape) for value in values]) if values else np.empty(0)
        return np.where(np.isfinite(stacked), stacked, np.nan)

    def written(self, measurements: Measurements) -> list[dict[str, Any]]:
        """Return measurements as points that read the same; a failed pixel has a target of NaN."""
        columns = {name: column.tolist() for name, column in measurements.others.items()}
        known = (getattr(measurements, name).tolist() for name in ("pixels", "values", "std", "share", "times"))
        return [
            {"_id": pixel, self.target: value}
            | ({f"{self.target}_std": std} if std else {})
            | ({_SHARE: share} if share != 1.0 else {})
            | ({} if isnan(time) else {TIME: time})
            | {name: column[row] for name, column in columns.items()}
            for row, (pixel, value, std, share, time) in enumerate(zip(*known, strict=True))
        ]


def listed(points: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return points, which must be several mappings.

    Raises
    ------
    TypeError
    """
    points = list(points) if isinstance(points, Iterable) and not isinstance(points, Mapping | str) else points
    if not isinstance(points, list) or not all(isinstance(point, Mapping) for point in points):
        raise TypeError(f"PixelOptimizer: points are a list such as [{{'_id': 3, 'height': 1.7}}], got {points!r}")
    return points


def _array(name: str, value: Any) -> Floats:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"PixelOptimizer: {name} must be a number or a spectrum, got {value!r}") from error
    if array.ndim > 1:
        raise ValueError(f"PixelOptimizer: {name} must be a number or a spectrum, got an array of shape {array.shape}")
    return array


def _nearest(name: str, point: Mapping[str, Any]) -> int:
    """Return the row, column or layer nearest to that of a point; half way between two there is none."""
    number = _number(name, point[name])
    nearest = round(number)
    if abs(number - nearest) > _APART:
        raise ValueError(
            f"PixelOptimizer: {name} must be a whole number of pixels, got {point[name]!r}: grid.pixel(position) gives "
            f"the pixel of a stage position"
        )
    return nearest


def _number(name: str, value: Any, *, finite: bool = True) -> float:
    try:
        plain = type(value) in (int, float)  # nearly always, and to ask numpy takes five times as long
        number = float(value) if plain or (np.ndim(value) == 0 and not isinstance(value, str | bytes)) else None
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or (finite and not isfinite(number)):
        raise ValueError(f"PixelOptimizer: {name} must be a number, got {value!r}")
    return number
