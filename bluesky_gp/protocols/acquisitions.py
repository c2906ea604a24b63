"""The seams of acquisition functions: two kinds of them, and the context that the second kind is given."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols.posterior import Posterior
from bluesky_gp.typing import Floats, Indices


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
    def posterior(self) -> Posterior:
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
