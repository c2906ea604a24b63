"""The contribution of an overview image: whether it is used, and how much it adds to what pixels alone say."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bluesky_gp.gp import Covariance, Fit, FitProblem
from bluesky_gp.optimizer.units import Units
from bluesky_gp.typing import Floats

_WORTH = 3.0  # nats by which the image must make the values more probable: less is had from an image that says nothing
_OFF = 1e-6  # relevance of a group that is switched off


@dataclass(frozen=True, eq=False)
class Contribution:
    """Hyperparameters with and without the image, and how well each predicts.

    Parameters
    ----------
    gain : float
        By how many nats the values are more probable with the image, priors included.
    error, error_without : float
        Root mean square of the leave-one-out errors, standardised units.
    share : float
        Of the prior's variance, explained by the image; 0: it is not used.
    theta, theta_without : ndarray
        Logarithms of the hyperparameters, of each.
    shift : tuple of int
        By how many pixels the image seems to lie beside its place, see `shift_of`.
    """

    gain: float
    error: float
    error_without: float
    share: float
    theta: Floats
    theta_without: Floats
    shift: tuple[int, ...] = (0, 0)

    @property
    def used(self) -> bool:
        """Whether the map is predicted with the image."""
        return self.share > 0.0

    @property
    def words(self) -> str:
        """That the image is not used, and why, or that it lies beside its place; empty where neither is so."""
        if not self.used:
            return "the overview image is not used: it does not make the values more predictable"
        if not any(self.shift):
            return ""
        return (
            f"the overview image seems to be shifted: what is at a pixel it shows {self.shift} pixels further, so that "
            f"its position would have to be moved by {tuple(-n for n in self.shift)}"
        )

    def in_units(self, units: Units) -> "Contribution":
        """Return the same with errors in the target's unit."""
        squares = np.square([self.error, self.error_without])
        _, (error, error_without) = units.outward(np.zeros(2), squares)
        return replace(self, error=float(error), error_without=float(error_without))


@dataclass(frozen=True)
class Weighing:
    """Fits to the same values with an image and without it."""

    problem: FitProblem
    fit: Fit
    without: FitProblem
    fit_without: Fit

    @cached_property
    def seeing(self) -> Covariance:
        """The prior covariance with the image: on a large lattice it takes as long as a step of a fit."""
        return self.problem.covariance.with_theta(self.problem.halves(self.fit.theta)[0])

    def contribution(self) -> Contribution:
        """Compare the two: the image is used where it makes the values more probable *and* their prediction better.

        Both, because many pixels that are predicted a little better outweigh, as probabilities, a few at walls that
        are predicted much worse.
        """
        gain = _log_posterior(self.problem, self.fit) - _log_posterior(self.without, self.fit_without)
        error, error_without = _error(self.problem, self.fit.theta), _error(self.without, self.fit_without.theta)
        used = gain > _WORTH and error < error_without
        share = _share(self.seeing) if used else 0.0
        return Contribution(gain, error, error_without, share, self.fit.theta, self.fit_without.theta)

    @property
    def switched_off(self) -> Fit:
        """The fit of all hyperparameters by which a map is predicted without the image."""
        off = np.full(len(self.fit.theta) - len(self.fit_without.theta), np.log(_OFF))
        pixels, seconds = self.without.halves(self.fit_without.theta)
        return self.fit_without._replace(
            theta=np.concatenate([pixels, off, seconds]),
            evaluations=self.fit.evaluations + self.fit_without.evaluations,
        )


def _log_posterior(problem: FitProblem, fit: Fit) -> float:
    return fit.log_marginal_likelihood + (0.0 if problem.prior is None else problem.prior.log_density(fit.theta)[0])


def _error(problem: FitProblem, theta: Floats) -> float:
    """Root mean square of the leave-one-out errors."""
    return float(np.sqrt(np.mean(np.square(problem.evidence(theta).left_out))))


def _share(seeing: Covariance) -> float:
    """Share of the prior's variance, noise apart, that features explain."""
    return float(np.sum(seeing.kernel.k2.relevance)) / float(np.mean(seeing.variance))
