"""The overview image as a part of the model: its features, and the kernel with and without them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp import Covariance, FeatureCovariance, Fit, FitProblem, KernelChoice, covariance_of, starts_for
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.contribution import Contribution, Weighing
from bluesky_gp.optimizer.misplaced import shift_due, shift_of
from bluesky_gp.overview import FeatureGroups
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class Image:
    """Features of an overview image, and the kernel to be fitted without them."""

    U: Floats = field(repr=False)  # (N, r), see `FeatureCovariance`
    plain: KernelChoice  # that of seconds included
    shape: tuple[int, ...]  # of the grid

    def covariance(self, kernel: Kernel, grid: PixelGrid, *, quick: bool) -> FeatureCovariance:
        """Return the prior covariance by a kernel of pixels plus one of features."""
        return FeatureCovariance.of(covariance_of(kernel.k1, grid, quick=quick), kernel.k2, self.U)

    def weighed(
        self, problem: FitProblem, fit: Fit, before: Contribution | None, n_fitted: int
    ) -> tuple[Fit, Contribution, Covariance]:
        """Fit without the image what was fitted with it.

        Returns the fit to go on with, what the image contributes, and the prior covariance by that fit.

        Parameters
        ----------
        before : Contribution, optional
            Of the fit before, to `n_fitted` values.
        """
        pixels = problem.covariance.base if isinstance(problem.covariance, FeatureCovariance) else problem.covariance
        without = replace(
            problem,
            covariance=pixels,
            prior=self.plain.prior,
            scale=self.plain.scale,
            by_curvature=self.plain.by_curvature,
        )
        theta = self.plain.kernel.theta if before is None else before.theta_without
        plain_fit = without.solve(*starts_for(self.plain, theta, len(problem.S), n_fitted))
        weighing = Weighing(problem, fit, without, plain_fit)
        contribution = weighing.contribution()
        if contribution.used:
            known = before is not None and before.used and not shift_due(len(problem.S), n_fitted)
            shift = before.shift if known and before is not None else self._shift(problem, weighing)
            contribution = replace(contribution, shift=shift)
            return fit, contribution, weighing.seeing
        off = weighing.switched_off
        return off, contribution, problem.covariance.with_theta(problem.halves(off.theta)[0])

    def _shift(self, problem: FitProblem, weighing: Weighing) -> tuple[int, ...]:
        return shift_of(problem, weighing.seeing, self.shape, problem.halves(weighing.fit.theta)[1])


class Beliefs(NamedTuple):
    """The kernel to be fitted, and what it is made of."""

    choice: KernelChoice  # of all
    plain: KernelChoice  # of pixels, by their lag
    image: Image | None
    time: KernelChoice | None  # of seconds


def beliefs(
    shape: tuple[int, ...],
    kernel: Kernel | None,
    prior: Mapping[str, Any] | None,
    n_restarts: int,
    groups: FeatureGroups | None,
    time: KernelChoice | None,
    *,
    by_curvature: bool,
) -> Beliefs:
    """Return the kernel to be fitted, the overview's features and that of seconds included.

    A prior of a run with an image, or of a target that changes, is one of all hyperparameters; any other, of the rest.
    """
    plain = KernelChoice.default(shape) if kernel is None else KernelChoice.of(kernel)
    more = groups is not None or time is not None
    everything = prior is not None and more and len(prior["theta"]) > len(plain.kernel.theta)
    if prior is not None and not everything:
        plain = plain.believing(prior["theta"], prior.get("std", 0.5))
    if n_restarts:
        plain = plain.searching(shape, n_restarts)
    plain = replace(plain, by_curvature=by_curvature and plain.prior is not None)
    choice = plain if groups is None else plain.sharing(groups.ranks)
    choice = choice if time is None else choice.timed(time)
    if prior is not None and everything:
        choice = choice.believing(prior["theta"], prior.get("std", 0.5))
    image = None if groups is None else Image(groups.U, plain if time is None else plain.timed(time), shape)
    return Beliefs(choice, plain, image, time)
