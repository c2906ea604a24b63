"""All that an optimizer has learnt, as one immutable value."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from bluesky_gp.covariance import DenseCovariance, LatticeCovariance
from bluesky_gp.grid import PixelGrid
from bluesky_gp.posterior import DensePosterior, GridPosterior, LatticePosterior
from bluesky_gp.protocols import Floats, Indices


@dataclass(frozen=True)
class OptimizerState:
    """Pixels, values and the posterior that they give.

    Inside, values are standardised and larger is better; what is handed out is in the target's unit.
    """

    grid: PixelGrid
    target: str
    sign: float  # -1: smaller is better
    covariance: LatticeCovariance | DenseCovariance = field(repr=False)
    pixels: Indices = field(default_factory=lambda: np.empty(0, dtype=np.intp))  # (m,), in order of arrival
    values: Floats = field(default_factory=lambda: np.empty(0))  # (m,), target's unit; NaN: failed
    center: float = 0.0
    scale: float = 1.0
    posterior: GridPosterior | None = field(default=None, repr=False)  # None until a pixel has a value
    ahead: GridPosterior | None = field(default=None, repr=False)  # the posterior as if the last batch were measured
    n_fitted: int = 0  # pixels with a value at the last fit
    log_marginal_likelihood: float = np.nan

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
        return np.asarray(self.covariance.kernel.theta)

    @property
    def noise_std(self) -> float:
        """Standard deviation of the kernel's white noise, in the target's unit."""
        return float(self.scale * np.sqrt(self.covariance.noise))

    @cached_property
    def mean(self) -> Floats:
        """Posterior mean, shape ``grid.shape``, target's unit; NaN before the first value."""
        if self.posterior is None:
            return np.full(self.grid.shape, np.nan)
        return (self.center + self.sign * self.scale * self.posterior.mean).reshape(self.grid.shape)

    @cached_property
    def std(self) -> Floats:
        """Posterior standard deviation of the noise-free target, shape ``grid.shape``; NaN before the first value."""
        if self.posterior is None:
            return np.full(self.grid.shape, np.nan)
        return (self.scale * self.posterior.std).reshape(self.grid.shape)

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

    def candidates(self, pending: Sequence[int] = ()) -> Indices:
        """Flat indices of the pixels that may be proposed: not masked, measured, failed or pending."""
        free = self.grid.allowed.copy()
        free[self.pixels] = False
        free[list(pending)] = False
        return np.flatnonzero(free)

    def on(self, posterior: GridPosterior, pixels: Indices) -> tuple[Floats, Floats, float]:
        """Return mean and std of a posterior at some pixels, and the incumbent, as an acquisition function takes them.

        In the target's unit, the sign changed where smaller is better.
        """
        shift = self.sign * self.center
        mean = shift + self.scale * posterior.mean[pixels]
        return mean, self.scale * np.sqrt(posterior.variance[pixels]), self.sign * self.best_value

    def standardised(self, values: Floats) -> Floats:
        """Values in the units of the posterior."""
        return self.sign * (values - self.center) / self.scale

    def rebuilt(self, theta: Floats | None = None) -> Self:
        """Return the state with its posterior computed from scratch, for other hyperparameters if given."""
        covariance = self.covariance if theta is None else self.covariance.with_theta(theta)
        of_kind = LatticePosterior if isinstance(covariance, LatticeCovariance) else DensePosterior
        posterior = of_kind.fit(covariance, self.pixels, self.standardised(self.values))
        return replace(self, covariance=covariance, posterior=posterior, ahead=None)
