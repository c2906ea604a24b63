"""All that an optimizer has learnt, as one immutable value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bluesky_gp.gp import Covariance, Foreseen, GridPosterior, Trend
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.contribution import Contribution
from bluesky_gp.optimizer.diary import Diary, squared_errors
from bluesky_gp.optimizer.forecast import Forecast, forecast, rms
from bluesky_gp.optimizer.in_time import TargetCourse, common_root, course_of, foretold
from bluesky_gp.optimizer.measurements import Measurements
from bluesky_gp.optimizer.model_fit import ModelFit
from bluesky_gp.optimizer.units import AffineUnits, Units
from bluesky_gp.typing import Floats, Indices
from bluesky_gp.units import rounded


@dataclass(frozen=True)
class OptimizerState:
    """Pixels, values and the posterior that they give.

    Inside, values are standardised and larger is better; what is handed out is in the target's unit.
    """

    grid: PixelGrid
    target: str
    fit: ModelFit
    measurements: Measurements = field(default_factory=Measurements.none)
    diary: Diary = field(default_factory=Diary, repr=False)
    posterior: GridPosterior | None = field(default=None, repr=False)  # None until a pixel has a value
    ahead: Foreseen | None = field(default=None, repr=False)  # as if the last batch were measured
    warning: str = ""  # all that is doubtful, in words for the record
    barred: npt.NDArray[np.bool_] | None = field(default=None, repr=False)  # (n_pixels,), True: not to be proposed

    def __repr__(self) -> str:
        return f"OptimizerState({self.grid!r}, {self.target!r}): {self.summary}"

    @property
    def summary(self) -> str:
        """Numbers of pixels and the best of them, in a line."""
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        best = f", best {rounded(self.best_value)} at {self.best_pixel}" if self.best_pixel is not None else ""
        return f"{self.n_measured} of {int(self.grid.allowed.sum())} pixels measured{failed}{best}"

    @property
    def units(self) -> Units:
        """Standardisation of the target."""
        return self.fit.units

    @property
    def covariance(self) -> Covariance:
        """Prior covariance of the pixels, with the hyperparameters of the latest fit."""
        return self.fit.covariance

    @property
    def pixels(self) -> Indices:
        """Flat indices of the pixels attempted, shape ``(m,)``, in order of arrival."""
        return self.measurements.pixels

    @property
    def values(self) -> Floats:
        """Their values, shape ``(m,)``, target's unit; NaN: failed."""
        return self.measurements.values

    @property
    def others(self) -> Mapping[str, Floats]:
        """Their auxiliary quantities, by name, shape ``(m,)`` or ``(m, n_channels)``."""
        return self.measurements.others

    @property
    def n_fitted(self) -> int:
        """Number of pixels that had a value at the latest fit."""
        return self.fit.n_fitted

    @property
    def log_marginal_likelihood(self) -> float:
        """Log marginal likelihood at the latest fit."""
        return self.fit.log_marginal_likelihood

    @property
    def n_attempted(self) -> int:
        """Number of pixels measured or failed."""
        return len(self.pixels)

    @property
    def n_measured(self) -> int:
        """Number of pixels that have a value."""
        return int(np.isfinite(self.values).sum())

    @property
    def n_failed(self) -> int:
        """Number of pixels that failed."""
        return self.n_attempted - self.n_measured

    @property
    def fitted(self) -> bool:
        """Whether the hyperparameters have been fitted to values."""
        return self.n_fitted > 0

    @property
    def theta(self) -> Floats:
        """Logarithms of the kernel's hyperparameters, shape ``(n_theta,)``."""
        return self.fit.theta

    @property
    def noise_std(self) -> float:
        """Standard deviation of the kernel's white noise, in the target's unit (at the median, if transformed)."""
        return float(self.units.outward(np.zeros(1), np.array([self.covariance.noise]))[1][0])

    @property
    def mean(self) -> Floats:
        """Posterior mean, shape ``grid.shape``, target's unit; NaN before the first value."""
        return self._maps[0]

    @property
    def std(self) -> Floats:
        """Posterior standard deviation of the noise-free target, shape ``grid.shape``; NaN before the first value."""
        return self._maps[1]

    @cached_property
    def _maps(self) -> tuple[Floats, Floats]:
        if self.posterior is None:
            return np.full(self.grid.shape, np.nan), np.full(self.grid.shape, np.nan)
        mean, std = self.units.outward(self.posterior.mean, self.posterior.variance)
        return mean.reshape(self.grid.shape), std.reshape(self.grid.shape)

    @cached_property
    def change(self) -> float:
        """By how much the latest pixels changed the mean: RMS, relative to the map's spread; infinite at first."""
        if self.diary.before is None or self.posterior is None:
            return float("inf")
        mean, before = (each.ravel()[self.grid.allowed] for each in (self.mean, self.diary.before))
        size = float(max(np.abs(mean).max(), np.abs(before).max())) or 1.0  # of the largest, differences would overflow
        mean, before = mean / size, before / size
        moved, spread = rms(mean - before), rms(mean - mean.mean())
        return moved / spread if spread > 0.0 else float("inf") if moved > 0.0 else 0.0

    @cached_property
    def forecast(self) -> Forecast:
        """Gains expected of more pixels; NaN before the hyperparameters have been fitted."""
        if self.posterior is None or not self.fitted:
            return Forecast()
        wrong = float(np.sqrt(np.mean(self.diary.errors))) if self.diary.errors else 1.0
        return forecast(self.posterior, self.units, self.std.ravel(), self.grid.allowed, self.candidates(), wrong)

    @cached_property
    def best_pixel(self) -> tuple[int, ...] | None:
        """The measured pixel of the best posterior mean; None before the first value."""
        if self.posterior is None:
            return None
        measured, _ = self.posterior.measured
        best = measured[np.argmax(self.posterior.mean[measured])]
        return tuple(int(i) for i in self.grid.unravel([best])[0])

    @property
    def best_value(self) -> float:
        """Posterior mean at `best_pixel`, target's unit; NaN before the first value."""
        return float("nan") if self.best_pixel is None else float(self.mean[self.best_pixel])

    @property
    def best(self) -> dict[str, Any] | None:
        """The best measured pixel by the posterior mean, as in ``{"row": 7, "col": 23, "loop_area": 0.0062}``."""
        if self.best_pixel is None:
            return None
        return {**dict(zip(self.grid.axes, self.best_pixel, strict=True)), self.target: self.best_value}

    @cached_property
    def contribution(self) -> Contribution | None:
        """What the overview image contributes, errors in the target's unit (at the median, if transformed)."""
        found = self.fit.contribution
        return None if found is None else found.in_units(self.units)

    @cached_property
    def course(self) -> TargetCourse | None:
        """By how much the target differed from its average while it was measured; None: it is taken to stand still."""
        if self.posterior is None or self.fit.time is None:
            return None
        return course_of(self.posterior, self.fit.time, self.measurements, self.units)

    @property
    def method(self) -> str:
        """Approximations and doubted values, in words for the record; empty: none."""
        if self.posterior is None:
            return ""
        doubted = self.grid.unravel(self.pixels[self.measurements.extra_noise > 0.0]).tolist()
        parts = (
            self.posterior.approximations,
            self.fit.approximation,
            f"noise added to {doubted}" if doubted else "",
            "" if self.course is None else self.course.words,
            "" if self.fit.contribution is None else self.fit.contribution.words,
        )
        return "; ".join(part for part in parts if part)

    def candidates(self, pending: Sequence[int] = ()) -> Indices:
        """Flat indices of the pixels that may be proposed: not masked, barred, measured, failed or pending."""
        free = self.grid.allowed.copy()
        if self.barred is not None:
            free &= ~self.barred
        free[self.pixels] = False
        free[list(pending)] = False
        return np.flatnonzero(free)

    def others_of(self, name: str) -> Floats:
        """Measured values of another number or spectrum, shape ``(m,)`` or ``(m, n_channels)``, NaN where none came.

        Raises
        ------
        KeyError
            If the optimizer was not told to keep it.
        """
        if name not in self.others:
            raise KeyError(f"PixelOptimizer: nothing is known of {name!r}; give PixelOptimizer(..., others=[{name!r}])")
        return self.others[name]

    def other(self, name: str) -> tuple[Floats, Floats]:
        """Mean and standard deviation of another number, in its unit, shape ``grid.shape`` each; NaN before its first.

        Raises
        ------
        KeyError
            If the optimizer was not told to keep it.
        """
        found = self.other_posterior(name)
        if found is None:
            return np.full(self.grid.shape, np.nan), np.full(self.grid.shape, np.nan)
        posterior, units = found
        mean, std = units.outward(posterior.mean, posterior.variance)
        return mean.reshape(self.grid.shape), std.reshape(self.grid.shape)

    def other_posterior(self, name: str) -> tuple[GridPosterior, AffineUnits] | None:
        """Posterior of another number, by hyperparameters of its own, computed from scratch; None before its first."""
        values = self.others_of(name)
        if values.ndim != 1:
            raise ValueError(f"PixelOptimizer: {name!r} is a spectrum; a number is needed here")
        known = np.isfinite(values)
        if self.posterior is None or not known.any():
            return None
        units = AffineUnits.of(values[known], 1.0)
        tried = known | np.isnan(self.values)  # a good pixel that lacks this number says nothing of it
        S, y = self.pixels[tried], units.inward(values[tried])
        times = self.measurements.times[tried]
        try:
            own, time = self.fit.parted(self.fit.other_theta.get(name, self.theta))
            return GridPosterior.fit(own, S, y, common=common_root(time, times)), units
        except np.linalg.LinAlgError:
            return GridPosterior.fit(self.covariance, S, y, common=common_root(self.fit.time, times)), units

    def on(self, posterior: GridPosterior, pixels: Indices) -> tuple[Floats, Floats, float]:
        """Return mean and std of a posterior at some pixels, and the incumbent, as an acquisition function takes them.

        In the target's unit, the sign changed where smaller is better.
        """
        mean, std = self.units.outward(posterior.mean[pixels], posterior.variance[pixels])
        return self.units.sign * mean, std, self.units.sign * self.best_value

    def inward_noise(self, values: Floats, std: Floats) -> Floats:
        """Known noise variance of values, in the units of the posterior, shape ``(k,)``; 0 where none is known."""
        noise = np.zeros(len(values))
        known = (std > 0.0) & np.isfinite(values)
        noise[known] = self.units.inward_variance(values[known], std[known])
        return noise

    def noise_beside(self, measurements: Measurements) -> Floats:
        """Noise variance of values beside the kernel's, what is known of each and what its exposure makes of that."""
        noise = self.inward_noise(measurements.values, measurements.std)
        return noise if measurements.are_alike else noise + (measurements.share - 1.0) * self.covariance.noise

    def noting(self, new: Measurements, seconds: float) -> Self:
        """Return the state that is about to learn `new` pixels: its diary has its map, and how it predicted them."""
        if self.posterior is None:
            return replace(self, diary=replace(self.diary, seconds=seconds))
        errors = self._squared_errors(self.posterior, new)
        return replace(self, diary=self.diary.after(seconds, self.mean, self.change, errors))

    def _squared_errors(self, posterior: GridPosterior, new: Measurements) -> tuple[float, ...]:
        mean, variance = foretold(posterior, self.fit.time, self.measurements, new)
        variance = variance + posterior.prior.noise + self.noise_beside(new)
        return squared_errors(self.units.inward(new.values) - mean, variance, posterior.variance[new.pixels])

    def rebuilt(self, trend: Trend | None = None) -> Self:
        """Return the state with its posterior computed from scratch; with the trend it has unless another is given."""
        if trend is None:
            trend = Trend.constant(self.grid.size) if self.posterior is None else self.posterior.trend
        S, y, before = self.pixels, self.units.inward(self.values), self.posterior
        noise = self.noise_beside(self.measurements) + self.measurements.extra_noise
        common = common_root(self.fit.time, self.measurements.times)
        posterior = GridPosterior.fit(self.covariance, S, y, noise=noise, trend=trend, common=common, earlier=before)
        return replace(self, posterior=posterior, ahead=None)
