"""The seams of the project: who implements each, and who calls it when."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
from bluesky.protocols import Location, Reading, Status

from bluesky_gp.grid import PixelGrid

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

Scalarizer = Callable[[Floats, Floats], float]
"""``f(spectrum, axis) -> float``; NaN, or an exception, says that the measurement failed.

Implemented in `scalarizers` and by users; called by a detector when a spectrum is complete."""


@runtime_checkable
class Acquisition(Protocol):
    """Where to measure next: larger is better.

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
class Outlook(Protocol):
    """What is known of the pixels that may be proposed, the batch so far taken as measured.

    Implemented by `outlook.StateOutlook`; read by acquisition functions that need more than mean and deviation of
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

    def against(self, best: float) -> "Outlook":
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

    def on(self, outlook: Outlook) -> Floats:
        """Score the pixels of an outlook, shape ``(k,)``; larger is better."""
        ...


class Fantasy(Protocol):
    """A pixel taken as measured: what it took off a covariance is ``gain gain^T``."""

    @property
    def pixel(self) -> int:
        """Flat index."""
        ...

    @property
    def gain(self) -> Floats:
        """Covariance with all pixels over `spread`, shape ``(n_pixels,)``."""
        ...

    @property
    def spread(self) -> float:
        """Standard deviation of the measurement, noise included."""
        ...

    @property
    def noise(self) -> float:
        """Its noise variance."""
        ...


@runtime_checkable
class Posterior(Protocol):
    """A Gaussian process given the pixels measured so far; immutable, change is a new object.

    Implemented by `LatticePosterior` and `DensePosterior`; called by `optimizer`, `batch` and `stopping`.
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


class Proposal(Protocol):
    """What `Optimizer.propose` answers; immutable. Read by `GPAgent`, which records it."""

    @property
    def pixels(self) -> Indices:
        """Shape ``(k, n_axes)``, in the order in which to visit them; k = 0: stop."""
        ...

    @property
    def scores(self) -> Floats:
        """The acquisition function when each was chosen, shape ``(k,)``."""
        ...

    @property
    def mean(self) -> Floats:
        """Posterior mean at the pixels before the batch, shape ``(k,)``, target's unit."""
        ...

    @property
    def std(self) -> Floats:
        """Its standard deviation, shape ``(k,)``, target's unit."""
        ...

    @property
    def acquisition(self) -> Floats:
        """The acquisition function on every candidate, shape ``grid.shape``, NaN elsewhere."""
        ...

    @property
    def stop_reason(self) -> str:
        """Why to stop; empty unless a stopping rule fired."""
        ...

    @property
    def state(self) -> Any:
        """The state to go on from."""
        ...


@runtime_checkable
class Optimizer(Protocol):
    """Learns from pixels and proposes more; knows no bluesky.

    Implemented by `PixelOptimizer`; driven by `GPAgent` (the pure half: `learn`, `propose`) and by bluesky-adaptive
    or a person (`suggest`, `ingest`, `register_failures`).
    """

    grid: PixelGrid
    target: str
    batch_size: int

    @property
    def theta_names(self) -> list[str]:
        """Name of each hyperparameter in ``state.theta``."""
        ...

    @property
    def state(self) -> Any:
        """All that was learnt, immutable."""
        ...

    @property
    def beginning(self) -> Any:
        """The state before the first pixel."""
        ...

    def known(self, state: Any) -> list[dict[str, Any]]:
        """Return what a state was told, as points for `learn`; a failed pixel has a target of NaN."""
        ...

    def restore(self, state: Any) -> None:
        """Go on from `state`."""
        ...

    def learn(
        self,
        state: Any,
        points: Sequence[Mapping[str, Any]],
        failures: Sequence[Mapping[str, Any]] = (),
        *,
        final: bool = False,
    ) -> Any:
        """Return the state after `points` were measured and `failures` failed; changes nothing."""
        ...

    def propose(self, state: Any, num_points: int, *, pending: Sequence[int] = ()) -> Proposal:
        """Choose pixels, those that are `pending` (flat indices) counted as measured; changes nothing."""
        ...

    def expected_seconds(self, state: Any) -> float:
        """Return about how long the decision after `state` will take, when a batch has been measured."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return plain data for the start document: grid, kernel, acquisition, batch, seed."""
        ...


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
