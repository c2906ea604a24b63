"""The seams of the project: who implements each, and who calls it when."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
from bluesky.protocols import Location, Reading, Status

from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices

Scalarizer = Callable[[Floats, Floats], float]
"""``f(spectrum, axis) -> float``; NaN, or an exception, says that the measurement failed.

Implemented in `scalarizers` and by users; called by a detector when a spectrum is complete."""


@runtime_checkable
class Acquisition(Protocol):
    """Score of each candidate for the next measurement: larger is better.

    Implemented in `acquisition` and by users (any callable of this form); called by `batch` once a pixel. One that
    needs covariances or joint samples is a `MapAcquisition`.
    """

    def __call__(self, mean: Floats, std: Floats, best: float, *, rng: np.random.Generator) -> Floats:
        """Score candidates.

        Parameters
        ----------
        mean, std : ndarray, shape (k,)
            Posterior of the noise-free target at the k pixels that may be proposed, in the target's unit;
            with ``maximize=False`` the mean comes with its sign changed.
        best : float
            The best posterior mean among the measured pixels.
        rng : Generator
            The only source of randomness that a replay can repeat.

        Returns
        -------
        ndarray, shape (k,)
        """
        ...


@runtime_checkable
class AcquisitionContext(Protocol):
    """Knowledge of the pixels that may be proposed, the batch so far taken as measured.

    Implemented by `context.StateContext`; read by acquisition functions that need more than mean and deviation of
    each pixel. The target is in its unit and larger is better: with ``maximize=False`` its sign is changed.
    """

    @property
    def grid(self) -> PixelGrid:
        """The lattice."""
        ...

    @property
    def pixels(self) -> Indices:
        """Flat indices of the pixels to score, shape ``(k,)``."""
        ...

    @property
    def measured(self) -> Indices:
        """Flat indices of the pixels that have a value, shape ``(m,)``."""
        ...

    @property
    def last(self) -> int | None:
        """Flat index of where the stage will be: the pixel chosen last, or measured last."""
        ...

    @property
    def mean(self) -> Floats:
        """Posterior mean at the pixels to score, shape ``(k,)``."""
        ...

    @property
    def std(self) -> Floats:
        """Its standard deviation, shape ``(k,)``."""
        ...

    @property
    def best(self) -> float:
        """The best posterior mean among the measured pixels."""
        ...

    @property
    def sign(self) -> float:
        """-1 where smaller is better: times this, `mean`, `best` and samples are as the user knows them."""
        ...

    @property
    def posterior(self) -> "Posterior":
        """Of all pixels, in standardised units."""
        ...

    @property
    def rng(self) -> np.random.Generator:
        """The only source of randomness that a replay can repeat."""
        ...

    def in_unit(self, values: Floats) -> Floats:
        """Values in standardised units in the target's unit; any shape."""
        ...

    def samples(self, num: int) -> Floats:
        """Draw joint samples of the whole map, shape ``(num, n_pixels)``."""
        ...

    def other(self, name: str) -> "tuple[Floats, Floats]":
        """Mean and standard deviation of another number of the same spectra, each of shape ``(n_pixels,)``."""
        ...

    def measured_values(self, name: str) -> Floats:
        """Measured values of another number or spectrum, shape ``(m,)`` or ``(m, n_channels)``, as `measured`."""
        ...

    def mean_of(self, values: Floats) -> Floats:
        """Mean of numbers that the measured pixels have, shape ``(m, d)`` as `measured`, at all: ``(n_pixels, d)``."""
        ...

    def against(self, best: float) -> "AcquisitionContext":
        """Return the same with another `best`."""
        ...

    def scored_by(self, acquisition: "Acquisition | MapAcquisition") -> Floats:
        """Score the pixels by an acquisition function of either kind, shape ``(k,)``."""
        ...

    def once(self, name: str, make: "Callable[[], Any]") -> Any:
        """Return what `make` returned when it was first asked under this name in the batch."""
        ...


@runtime_checkable
class MapAcquisition(Protocol):
    """An acquisition function that looks at the whole posterior; called in place of `Acquisition` where it is one."""

    def on(self, context: AcquisitionContext) -> Floats:
        """Score the pixels of an context, shape ``(k,)``; larger is better."""
        ...


class Fantasy(Protocol):
    """A pixel taken as measured: what it took off a covariance is ``gain gain^T``."""

    @property
    def pixel(self) -> int:
        """Flat index."""
        ...

    @property
    def gain(self) -> Floats:
        """Covariance with all pixels over `std`, shape ``(n_pixels,)``."""
        ...

    @property
    def std(self) -> float:
        """Standard deviation of the measurement, noise included."""
        ...

    @property
    def noise(self) -> float:
        """Its noise variance."""
        ...


@runtime_checkable
class Posterior(Protocol):
    """A Gaussian process given the pixels measured so far; immutable, change is a new object.

    Implemented by `GridPosterior`; called by `optimizer`, `batch` and `stopping`.
    """

    @property
    def mean(self) -> Floats:
        """Shape ``(n_pixels,)``, standardised units."""
        ...

    @property
    def variance(self) -> Floats:
        """Of the noise-free target, shape ``(n_pixels,)``."""
        ...

    @property
    def fantasies(self) -> Sequence[Fantasy]:
        """The pixels taken as measured, in the order in which they were."""
        ...

    def measured_std(self, pixels: Indices) -> Floats:
        """Standard deviation of a measurement at some pixels, noise included, shape ``(k,)``."""
        ...

    def difference_variance(self, left: Indices, right: Indices) -> Floats:
        """Variance of what each pixel of `left` has more than that of `right` in its place, shape ``(k,)``."""
        ...

    def product(self, field: Floats) -> Floats:
        """Covariance of all pixels with all, times a field of shape ``(n_pixels,)``."""
        ...

    def covariance_column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(n_pixels,)``."""
        ...

    def covariance(self, rows: Indices, columns: Indices) -> Floats:
        """Covariance of some pixels with others, shape ``(n_rows, n_columns)``."""
        ...

    def covariance_tiles(self, pixels: Indices, num: int) -> Iterator[tuple[Indices, Floats]]:
        """Yield the covariance of some pixels in tiles of rows, each from the diagonal on."""
        ...

    def mean_of(self, values: Floats) -> Floats:
        """Mean of other numbers of the same pixels, shape ``(m, d)`` -> ``(n_pixels, d)``."""
        ...

    def condition(self, pixel: int, value: float) -> Self:
        """Return the posterior had `pixel` been measured as `value`."""
        ...

    def observe(
        self, pixels: Indices, values: Floats, noise: Floats | None = None, *, ahead: Self | None = None
    ) -> Self:
        """Return the posterior after real measurements, shape ``(k,)``; NaN is a pixel that failed."""
        ...

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one joint sample of the whole map, shape ``(n_pixels,)``."""
        ...


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


AnyOptimizer = Optimizer[Any]
"""An optimizer whose states only it knows, as an agent has it."""


@runtime_checkable
class Stage(Protocol):
    """Goes to pixels.

    Implemented by `devices.PixelStage`; set by `plans.stubs.one_pixel`, read into every event.
    """

    name: str
    grid: PixelGrid

    def set(self, pixel: Sequence[float]) -> Status:
        """Start moving to a pixel; the Status ends when the stage is there."""
        ...

    def check_value(self, pixel: Sequence[float]) -> None:
        """Raise before anything moves if `pixel` cannot be reached."""
        ...

    def locate(self) -> Location[Sequence[float]]:
        """Return set-point and read-back, in pixels."""
        ...


@runtime_checkable
class SpectrumDetector(Protocol):
    """A spectrum a trigger, and the numbers that its scalarizers make of it.

    Implemented by `devices.detector.SpectrumDetectorBase` and its instruments; triggered and read by
    `plans.stubs.one_pixel`. Event keys: ``NAME_spectrum`` (1-D, counts or response) and ``NAME_TARGET`` for each
    scalarizer; configuration: ``NAME_axis`` (with units) and ``NAME_exposure`` (s).
    """

    name: str

    def trigger(self) -> Status:
        """Start the exposure; the Status ends when spectrum and targets can be read."""
        ...

    def read(self) -> dict[str, Reading[Any]]:
        """Return spectrum and targets."""
        ...
