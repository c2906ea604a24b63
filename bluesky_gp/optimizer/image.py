"""The overview image as a part of the model: its features, and the kernel with and without them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp import FeatureCovariance, Fit, FitProblem, KernelChoice, covariance_of, starts_for
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.contribution import Contribution, Weighing
from bluesky_gp.optimizer.misplaced import shift_of
from bluesky_gp.overview import FeatureGroups
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class Image:
    """Features of an overview image, and the kernel to be fitted without them."""

    U: Floats = field(repr=False)  # (N, r), see `FeatureCovariance`
    plain: KernelChoice
    shape: tuple[int, ...]  # of the grid

    def covariance(self, kernel: Kernel, grid: PixelGrid) -> FeatureCovariance:
        """Return the prior covariance by a kernel of pixels plus one of features."""
        return FeatureCovariance.of(covariance_of(kernel.k1, grid), kernel.k2, self.U)

    def weighed(
        self, problem: FitProblem, fit: Fit, before: Contribution | None, n_fitted: int
    ) -> tuple[Fit, Contribution]:
        """Fit without the image what was fitted with it; return the fit to go on with, and what the image contributes.

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
            contribution = replace(contribution, shift=shift_of(problem, fit.theta, self.shape))
        return weighing.chosen(contribution), contribution


def beliefs(
    shape: tuple[int, ...],
    kernel: Kernel | None,
    prior: Mapping[str, Any] | None,
    n_restarts: int,
    groups: FeatureGroups | None,
    *,
    by_curvature: bool,
) -> tuple[KernelChoice, Image | None]:
    """Return the kernel to be fitted, the overview's features included, and the image.

    A prior of a run with an image is one of all hyperparameters; a prior of a run without one, of the others.
    """
    plain = KernelChoice.default(shape) if kernel is None else KernelChoice.of(kernel)
    everything = prior is not None and groups is not None and len(prior["theta"]) > len(plain.kernel.theta)
    if prior is not None and not everything:
        plain = plain.believing(prior["theta"], prior.get("std", 0.5))
    if n_restarts:
        plain = plain.searching(shape, n_restarts)
    plain = replace(plain, by_curvature=by_curvature and plain.prior is not None)
    if groups is None:
        return plain, None
    choice = plain.sharing(groups.ranks)
    if prior is not None and everything:
        choice = choice.believing(prior["theta"], prior.get("std", 0.5))
    return choice, Image(groups.U, plain, shape)
