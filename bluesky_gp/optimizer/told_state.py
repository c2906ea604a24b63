"""The state of an optimizer of which only the questions and the values are known: immutable, and told again at will."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class Question:
    """A question, and the pixels to which its suggestions went."""

    num: int
    pixels: tuple[int, ...]


@dataclass(frozen=True)
class Answers:
    """Values of pixels by flat index; NaN: failed."""

    values: tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class ToldState:
    """All that an optimizer was asked and told; implements `protocols.State` as far as it can answer."""

    grid: PixelGrid
    target: str
    history: tuple[Question | Answers, ...] = ()

    theta: Floats = field(default_factory=lambda: np.empty(0))
    noise_std: float = np.nan
    log_marginal_likelihood: float = np.nan

    def after(self, step: Question | Answers) -> "ToldState":
        """Return the state one step later."""
        return replace(self, history=(*self.history, step))

    @cached_property
    def values(self) -> dict[int, float]:
        """Values by flat index, NaN where a pixel failed."""
        return {pixel: value for step in self.history if isinstance(step, Answers) for pixel, value in step.values}

    @property
    def measured(self) -> dict[int, float]:
        """Values of the pixels that have one."""
        return {pixel: value for pixel, value in self.values.items() if np.isfinite(value)}

    @property
    def n_measured(self) -> int:
        """Number of pixels that have a value."""
        return len(self.measured)

    @property
    def n_failed(self) -> int:
        """Number of pixels that failed."""
        return len(self.values) - self.n_measured

    def free(self, pending: Sequence[int]) -> Indices:
        """Return the flat indices of pixels that may be proposed."""
        allowed = np.flatnonzero(self.grid.allowed)
        return np.asarray(allowed[~np.isin(allowed, [*self.values, *pending])], dtype=np.intp)

    @property
    def mean(self) -> Floats:
        """The measured values, shape ``grid.shape``; NaN elsewhere, as nothing is predicted."""
        mean = np.full(self.grid.size, np.nan)
        mean[[*self.values]] = [*self.values.values()]
        return mean.reshape(self.grid.shape)

    @property
    def std(self) -> Floats:
        """NaN: nobody knows."""
        return np.full(self.grid.shape, np.nan)

    @property
    def best_pixel(self) -> tuple[int, ...] | None:
        """The pixel of the largest value."""
        if not self.n_measured:
            return None
        best = int(np.nanargmax(self.mean))
        return tuple(int(p) for p in self.grid.unravel([best])[0])

    @property
    def best_value(self) -> float:
        """The largest value; NaN before the first."""
        return float(np.nanmax(self.mean)) if self.n_measured else np.nan
