"""The context of an acquisition function: the state, the batch so far, the candidates."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import Any, cast

import numpy as np

from bluesky_gp.gp import GridPosterior
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.protocols import Acquisition, MapAcquisition
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True, eq=False)
class StateContext:
    """Context that a state gives an acquisition function; see `protocols.AcquisitionContext`."""

    state: OptimizerState
    posterior: GridPosterior  # that of the state, with the batch so far as fantasies
    pixels: Indices
    rng: np.random.Generator
    memory: dict[str, Any] = field(default_factory=dict)  # shared by the outlooks of one batch
    incumbent: float | None = None  # what `best` is, if not the best of all measured pixels

    @cached_property
    def _scored(self) -> tuple[Floats, Floats, float]:
        return self.state.on(self.posterior, self.pixels)

    @property
    def grid(self) -> PixelGrid:
        """The lattice."""
        return self.state.grid

    @property
    def measured(self) -> Indices:
        """Flat indices of the pixels that have a value, shape ``(m,)``."""
        return self.posterior.measured[0]

    @property
    def last(self) -> int | None:
        """Flat index of where the stage will be: the pixel chosen last, or measured last."""
        for visited in (self.posterior.fantasised, self.state.pixels):
            if len(visited):
                return int(visited[-1])
        return None

    @property
    def mean(self) -> Floats:
        """Posterior mean at the pixels to score, shape ``(k,)``."""
        return self._scored[0]

    @property
    def std(self) -> Floats:
        """Its standard deviation, shape ``(k,)``."""
        return self._scored[1]

    @property
    def best(self) -> float:
        """The best posterior mean among the measured pixels."""
        return self._scored[2] if self.incumbent is None else self.incumbent

    def against(self, best: float) -> "StateContext":
        """Return the same with another incumbent."""
        return replace(self, incumbent=best)

    @property
    def sign(self) -> float:
        """-1 where smaller is better."""
        return self.state.units.sign

    def in_unit(self, values: Floats) -> Floats:
        """Values in standardised units in the target's unit; any shape."""
        flat = np.ravel(values)
        mean, _ = self.state.units.outward(flat, np.zeros_like(flat))
        return np.asarray(self.sign * mean.reshape(np.shape(values)))

    def samples(self, num: int) -> Floats:
        """Draw joint samples of the whole map, shape ``(num, n_pixels)``."""
        return self.in_unit(np.stack([self.posterior.sample(self.rng) for _ in range(num)]))

    def other(self, name: str) -> tuple[Floats, Floats]:
        """Mean and standard deviation of another number of the same spectra, each of shape ``(n_pixels,)``."""
        found = self.once(f"other {name}", lambda: self.state.other_posterior(name))
        if found is None:
            return np.full(self.grid.size, np.nan), np.full(self.grid.size, np.nan)
        posterior, units = found
        for place, fantasy in enumerate(self.posterior.fantasies):
            as_predicted = partial(posterior.condition, fantasy.pixel, float(posterior.mean[fantasy.pixel]))
            posterior = self.once(f"other {name}, place {place}", as_predicted)
        mean, std = units.outward(posterior.mean, posterior.variance)
        return mean, std

    def measured_values(self, name: str) -> Floats:
        """Measured values of another number or spectrum, shape ``(m,)`` or ``(m, n_channels)``, as `measured`."""
        return self.state.others_of(name)[np.isfinite(self.state.values)]

    def mean_of(self, values: Floats) -> Floats:
        """Mean of numbers that the measured pixels have, shape ``(m, d)`` as `measured`, at all: ``(n_pixels, d)``."""
        rows = np.full((self.state.n_attempted, values.shape[1]), np.nan)
        rows[np.isfinite(self.state.values)] = values
        return self.posterior.mean_of(rows)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` returned when it was first asked under this name in the batch."""
        if name not in self.memory:
            self.memory[name] = make()
        return self.memory[name]

    def scored_by(self, acquisition: Acquisition | MapAcquisition) -> Floats:
        """Score the pixels by an acquisition function of either kind, shape ``(k,)``.

        Raises
        ------
        ValueError
            If it does not return one number for each pixel.
        """
        if _looks_at_the_map(type(acquisition)):
            scores = cast(MapAcquisition, acquisition).on(self)
        else:
            scores = cast(Acquisition, acquisition)(self.mean, self.std, self.best, rng=self.rng)
        checked = np.asarray(scores, dtype=np.float64)
        if checked.shape != self.pixels.shape:
            raise ValueError(
                f"acquisition {acquisition!r} must return one number for each of {len(self.pixels)} pixels, "
                f"got an array of shape {checked.shape}"
            )
        return checked


@cache
def _looks_at_the_map(kind: type) -> bool:
    """Whether acquisition functions of a class look at the whole posterior: Python takes long to say so."""
    return issubclass(kind, MapAcquisition)
