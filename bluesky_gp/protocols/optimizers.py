"""The seams of optimizers: state, proposal, and the optimizer that an agent drives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices


class State(Protocol):
    """All that an optimizer has learnt; immutable.

    Implemented by `OptimizerState` and by the optimizers of users; recorded by `GPAgent`, decision by decision.
    """

    @property
    def n_measured(self) -> int:
        """Number of pixels that have a value."""
        ...

    @property
    def n_failed(self) -> int:
        """Number of pixels that failed."""
        ...

    @property
    def theta(self) -> Floats:
        """Hyperparameters, shape ``(n_theta,)``; each is named by `Optimizer.theta_names`."""
        ...

    @property
    def noise_std(self) -> float:
        """Standard deviation of the noise, target's unit."""
        ...

    @property
    def log_marginal_likelihood(self) -> float:
        """Of the latest fit."""
        ...

    @property
    def mean(self) -> Floats:
        """Posterior mean, shape ``grid.shape``, target's unit; NaN before the first value."""
        ...

    @property
    def std(self) -> Floats:
        """Its standard deviation, shape ``grid.shape``."""
        ...

    @property
    def best_pixel(self) -> tuple[int, ...] | None:
        """The measured pixel of the best posterior mean; None before the first value."""
        ...

    @property
    def best_value(self) -> float:
        """Posterior mean there, target's unit; NaN before the first value."""
        ...


class Gains(Protocol):
    """Gains expected of more pixels; `Forecast` is one."""

    num: int
    map_error: float
    map_gain: float
    best_gain: float
    best_gain_most: float


@runtime_checkable
class Forecasts(Protocol):
    """A state that looks ahead, and says what it doubts. Optional: what a `State` lacks is recorded as NaN or ""."""

    @property
    def change(self) -> float:
        """By how much the latest pixels changed the mean, relative to the map's spread."""
        ...

    @property
    def forecast(self) -> Gains:
        """Gains expected of `num` more pixels."""
        ...

    @property
    def method(self) -> str:
        """Approximations made, in words; empty: none."""
        ...

    @property
    def warning(self) -> str:
        """Doubts, in words; empty: none."""
        ...


class Seen(Protocol):
    """What an overview image contributes to a map."""

    @property
    def share(self) -> float:
        """Of the prior's variance, explained by the image; 0: it is not used."""
        ...

    @property
    def error(self) -> float:
        """Root mean square of the leave-one-out errors with the image."""
        ...

    @property
    def error_without(self) -> float:
        """The same without it."""
        ...


@runtime_checkable
class Looks(Protocol):
    """An optimizer that may be given an overview image, by a plan that takes one. Optional."""

    def look(self, overview: Any) -> None:
        """Take an image in place of the one that there was, and learn again what is known."""
        ...


@runtime_checkable
class Sees(Protocol):
    """A state that may know an overview image. Optional: what a `State` lacks is recorded as NaN."""

    @property
    def contribution(self) -> Seen | None:
        """What the image contributes, errors in the target's unit; None: there is none, or nothing was fitted yet."""
        ...


S = TypeVar("S", bound=State)
S_co = TypeVar("S_co", bound=State, covariant=True)


@dataclass(frozen=True, eq=False)
class Proposal(Generic[S_co]):
    """Pixels to measure next, in the order in which to visit them: the answer of `Optimizer.propose`."""

    pixels: Indices  # (k, n_axes); k = 0: stop
    scores: Floats  # (k,), acquisition function when each was chosen; NaN for first pixels
    mean: Floats  # (k,), posterior before the batch, target's unit; NaN before the first value
    std: Floats  # (k,)
    acquisition: Floats  # grid.shape: acquisition function on every candidate, NaN elsewhere
    stop_reason: str  # "" unless there is nothing more to measure
    state: S_co  # to go on from

    @classmethod
    def nothing(cls, grid: PixelGrid, state: S_co, reason: str) -> Self:  # type: ignore[misc]  # a constructor may take it
        """Return that there is nothing more to measure, and why."""
        none, unranked = np.empty(0), np.full(grid.shape, np.nan)
        return cls(np.empty((0, grid.ndim), dtype=np.intp), none, none, none, unranked, reason, state)


@runtime_checkable
class Optimizer(Protocol[S]):
    """Learns from pixels and proposes more; knows no bluesky.

    Implemented by `PixelOptimizer`; driven by `GPAgent` (the pure half: `learn`, `propose`) and by bluesky-adaptive
    or a person (`suggest`, `ingest`, `register_failures`).
    """

    grid: PixelGrid
    target: str
    batch_size: int

    @property
    def others(self) -> Sequence[str]:
        """Names of the auxiliary quantities that it learns."""
        ...

    @property
    def theta_names(self) -> list[str]:
        """Name of each hyperparameter in ``state.theta``."""
        ...

    @property
    def state(self) -> S:
        """All that was learnt."""
        ...

    @property
    def beginning(self) -> S:
        """The state before the first pixel."""
        ...

    def points(self, state: S) -> list[dict[str, Any]]:
        """Return the pixels that a state has learnt, as points for `learn`; a failed pixel has a target of NaN."""
        ...

    def restore(self, state: S) -> None:
        """Go on from `state`."""
        ...

    def learn(
        self,
        state: S,
        points: Sequence[Mapping[str, Any]],
        failures: Sequence[Mapping[str, Any]] = (),
        *,
        final: bool = False,
    ) -> S:
        """Return the state after `points` were measured and `failures` failed; changes nothing."""
        ...

    def propose(self, state: S, num_points: int, *, pending: Sequence[int] = (), stopping: bool = True) -> Proposal[S]:
        """Choose pixels, those that are `pending` (flat indices) counted as measured; changes nothing.

        With ``stopping=False`` no stopping rule is asked, as when a recorded decision is made again.
        """
        ...

    def expected_seconds(self, state: S) -> float:
        """Return about how long the decision after `state` will take, when a batch has been measured."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return plain data for the start document: grid, kernel, acquisition, batch, seed."""
        ...


@runtime_checkable
class Steerable(Optimizer[S], Protocol[S]):
    """An optimizer that people may steer while a run goes on. Optional: of one that is not, orders are refused.

    Implemented by `PixelOptimizer`; called with every decision that follows an order.
    """

    def configured(self, settings: Mapping[str, Any]) -> Self:
        """Return the same with some other settings, plain data or objects, which leave its states valid.

        Raises
        ------
        TypeError, ValueError
            If it has no such setting, or the value does not fit.
        """
        ...

    def barring(self, state: S, barred: npt.NDArray[np.bool_] | None) -> S:
        """Return the state from which nothing is proposed where `barred`, shape ``(n_pixels,)``, is True."""
        ...


AnyOptimizer = Optimizer[Any]
"""An optimizer whose states only it knows, as an agent has it."""
