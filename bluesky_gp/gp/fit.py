"""The fit of hyperparameters: the highest posterior density within their bounds.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
theta   log hyperparameters, in scikit-learn's order              (n_theta,)
y, S    values and flat indices of the pixels that have one       (m,)
======  ========================================================  ============
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.blas import blas_threads
from bluesky_gp.gp.course import Course
from bluesky_gp.gp.descent import BROKEN, MOST, Place, descend
from bluesky_gp.gp.feature_covariance import FeatureCovariance
from bluesky_gp.gp.feature_evidence import FeatureEvidence, SharingBlocks
from bluesky_gp.gp.interfaces import Covariance, Pairs
from bluesky_gp.gp.kernel_choice import LinearPrior
from bluesky_gp.gp.likelihood import BlockEvidence, Evidence
from bluesky_gp.gp.theta import AdjustableKernel, log_bounds
from bluesky_gp.gp.timed_pairs import TimedPairs
from bluesky_gp.gp.trend import Trend
from bluesky_gp.gp.weighted_pairs import WeightedPairs
from bluesky_gp.typing import Floats, Indices

_COMPARED = 600  # values beyond which a part of them compares the starts
_FTOL = 1e-6  # of the log posterior density: a thousandth of what tells hyperparameters apart
_FTOL_OF_A_SEARCH = 2e-9  # without priors L-BFGS crosses plateaus, on which it would stop
_FIRST_STEPS = 4  # of L-BFGS from every start, after which the highest goes on alone: it is the one that leads highest
_SEARCHED = 100  # values beyond which a part of them chooses the starts of a search
_FINALISTS = 3  # starts of a search that are followed to the end: the highest after the first steps may not be
SomeEvidence = Evidence | BlockEvidence | FeatureEvidence
"""Of values all together, in blocks, or in blocks that share features."""

_SHORT = 6  # evaluations of the last leg of a way by curvature, at most
_LEGS, _LEGS_BEFORE = (8, 8), (5, MOST)  # of such a way, and evaluations of each, at most; before `numerics` 0.3


class Fit(NamedTuple):
    """Hyperparameters of the highest posterior density, and how they were reached."""

    theta: Floats
    log_marginal_likelihood: float
    evaluations: int
    converged: bool = True
    gap: float = 0.0  # by how much the log density that the first start leads to is lower; of a search only


@dataclass(frozen=True)
class FitProblem:
    """Values whose posterior density of theta is to be maximised."""

    covariance: Covariance
    prior: LinearPrior | None
    trend: Trend
    S: Indices
    y: Floats
    noise: Floats
    scale: Floats | None = None  # of the steps, see `KernelChoice`
    by_curvature: bool = False  # by steps that know how the density curves, see `descent`; else L-BFGS
    share: Floats | None = None  # (m,), noise variance of each value over the kernel's; None: the kernel's
    blocks: tuple[int, ...] = ()  # values in each, one after another, that are taken as independent; (): all are one
    time: Kernel | None = None  # of seconds; None: the target stands still
    course: Course | None = None  # the times of the values

    @cached_property
    def _bounds(self) -> Floats:
        return log_bounds(self.kernel)

    @cached_property
    def kernel(self) -> Kernel:
        """The kernel of pixels, and behind it that of seconds."""
        return self.covariance.kernel if self.time is None else self.covariance.kernel + self.time

    def halves(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return the hyperparameters of pixels, and those of seconds."""
        n = self.covariance.kernel.n_dims
        return theta[:n], theta[n:]

    def time_of(self, theta: Floats) -> Kernel | None:
        """Return the kernel of seconds of theta; None: there is none."""
        return None if self.time is None else self.time.clone_with_theta(self.halves(theta)[1])

    @cached_property
    def pairs(self) -> Pairs:
        """What an evaluation asks of the covariance."""
        pairs = self.covariance.among(self.S)
        pairs = pairs if self.share is None else WeightedPairs(pairs, self.share, self.covariance.ndim)
        return pairs if self.course is None else TimedPairs(pairs, self.course)

    def noisy(self, theta: Floats) -> Floats:
        """Return K of theta, noise included, shape ``(m, m)``; of it only the lower triangle counts."""
        K = self.pairs.matrix(self.kernel.clone_with_theta(theta))
        K[np.diag_indices(len(self.S))] += self.noise
        return K

    @cached_property
    def parts(self) -> tuple["FitProblem", ...]:
        """The blocks, each by itself; all values, where there are none."""
        places = np.split(np.arange(len(self.S)), np.cumsum(self.blocks)[:-1])
        return tuple(self.of_some(each) for each in places) if self.blocks else (self,)

    @cached_property
    def _sharing(self) -> SharingBlocks | None:
        """The blocks of values that share features; None: there are none, of either, or they share a time too."""
        if not self.blocks or self.time is not None or not isinstance(self.covariance, FeatureCovariance):
            return None
        lattice = replace(self, covariance=self.covariance.base)
        pairs = tuple(part.pairs for part in lattice.parts)
        trend = self.trend.of([part.S for part in lattice.parts])
        return SharingBlocks(pairs, self.blocks, self.covariance.U[self.S], trend, self.y, self.noise)

    @cached_property
    def _kernel_of(self) -> AdjustableKernel:
        return AdjustableKernel(self.kernel)

    def objective(self, theta: Floats) -> tuple[float, Floats]:
        """Return the negative log posterior density of theta and its gradient; infinite where K breaks down."""
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                return self._density(theta, self.evidence(theta))
        except np.linalg.LinAlgError:
            return BROKEN, np.zeros_like(theta)

    def evidence(self, theta: Floats) -> SomeEvidence:
        """Return what the values say of theta, until the next is asked for."""
        kernel, trend = self._kernel_of(theta), self.trend
        if self._sharing is not None:
            return self._sharing(kernel)
        quick, parts = self.covariance.quick, self.parts
        found = [Evidence.of(kernel, part.pairs, trend, part.S, part.y, part.noise, quick=quick) for part in parts]
        return BlockEvidence(tuple(found)) if self.blocks else found[0]

    def _density(self, theta: Floats, evidence: SomeEvidence) -> tuple[float, Floats]:
        value, gradient = evidence.log_likelihood, evidence.gradient
        if self.prior is not None:
            log_density, by_theta = self.prior.log_density(theta)
            value, gradient = value + log_density, gradient + by_theta
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return BROKEN, np.zeros_like(theta)
        return -value, -gradient

    def solve(self, starts: list[Floats], candidates: Sequence[Floats] = (), n_restarts: int = 0) -> Fit:
        """Maximise within the kernel's bounds: a few steps from each start, then on from the highest point reached.

        With very many values a part of them decides which start that is. Where there are candidates, the most probable
        `n_restarts` of them are starts too, and more than one start is followed to the end.
        """
        bounds = self._bounds
        if not len(bounds):
            return Fit(np.empty(0), -self.objective(np.empty(0))[0], 1)
        starts = [np.clip(start, bounds[:, 0], bounds[:, 1]) for start in starts]
        with blas_threads(max(self.blocks, default=len(self.S))):
            if len(candidates):
                return self._search(starts, candidates, n_restarts)
            if self.by_curvature and self.prior is not None:
                return self._by_curvature(starts, self.prior)
            evaluations = 0
            if len(starts) > 1:
                starts, evaluations = self._leading(starts, lambda part, start: part.climb(start, _FIRST_STEPS))
            best = self.climb(starts[0])
        return self._fit(best, evaluations + best.nfev)

    def _leading(
        self, starts: list[Floats], way: Callable[["FitProblem", Floats], OptimizeResult]
    ) -> tuple[list[Floats], int]:
        """Return the one end of ways that lies highest, and their evaluations; of very many values a part is asked."""
        looked_at = self if len(self.S) <= _COMPARED else self._some(_COMPARED // 2)
        tried = [way(looked_at, start) for start in starts]
        return [min(tried, key=_depth).x], sum(each.nfev for each in tried)

    def _search(self, starts: list[Floats], candidates: Sequence[Floats], n_restarts: int) -> Fit:
        part = self if len(self.S) <= _SEARCHED else self._some(_SEARCHED)
        order = np.argsort([part.objective(candidate)[0] for candidate in candidates], kind="stable")
        starts = [*starts, *(candidates[i] for i in order[:n_restarts])]
        first, *others = [part.climb(start, _FIRST_STEPS) for start in starts]
        followed = [first, *sorted(others, key=_depth)[: _FINALISTS - 1]]
        ends = [self.climb(each.x, ftol=_FTOL_OF_A_SEARCH) for each in followed]
        best = min(ends, key=_depth)
        evaluations = len(candidates) + sum(each.nfev for each in (first, *others, *ends))
        return self._fit(best, evaluations)._replace(gap=float(ends[0].fun - best.fun))

    def _fit(self, best: OptimizeResult, evaluations: int) -> Fit:
        log_prior = 0.0 if self.prior is None else self.prior.log_density(best.x)[0]
        return Fit(np.asarray(best.x), float(-best.fun - log_prior), evaluations, bool(best.success))

    def climb(self, start: Floats, steps: int = 15000, ftol: float = _FTOL) -> OptimizeResult:
        """Maximise from one start, by at most so many steps of L-BFGS."""
        bounds, options = self._bounds, {"ftol": ftol, "maxiter": steps}
        scale = np.ones(len(bounds)) if self.scale is None else self.scale

        def scaled(z: Floats) -> tuple[float, Floats]:
            value, gradient = self.objective(z * scale)
            return value, gradient * scale

        within = bounds / scale[:, None]
        result = minimize(scaled, start / scale, jac=True, method="L-BFGS-B", bounds=within, options=options)
        result.x = np.clip(result.x * scale, *bounds.T)
        return result

    def _by_curvature(self, starts: list[Floats], prior: LinearPrior) -> Fit:
        evaluations = 0
        if self.covariance.quick and len(starts) > 1 and len(self.S) > _COMPARED:
            starts, evaluations = self._leading(starts, lambda part, start: part.descent(start, prior))
        ends = [self.descent(start, prior) for start in starts]
        return self._fit(min(ends, key=_depth), evaluations + sum(end.nfev for end in ends))

    def descent(self, start: Floats, prior: LinearPrior) -> OptimizeResult:
        """Maximise from one start; after a long way the values are asked anew how the density curves."""
        evaluations, quick = 0, self.covariance.quick
        legs, most = _LEGS if quick else _LEGS_BEFORE
        for leg in range(legs):
            try:
                place = self._place(start, prior)
                end = descend(self.objective, place, self._bounds, most=most, heeding=quick and leg > 0)
            except np.linalg.LinAlgError:
                break
            start, evaluations = end.x, evaluations + 1 + end.nfev
            if end.success and end.nfev <= _SHORT:
                return OptimizeResult(end, nfev=evaluations)
        end = self.climb(start)
        return OptimizeResult(end, nfev=evaluations + end.nfev)

    def _place(self, theta: Floats, prior: LinearPrior) -> Place:
        with np.errstate(over="ignore", invalid="ignore"):
            evidence = self.evidence(theta)
            return Place(theta, *self._density(theta, evidence), evidence.information + prior.precision)

    def _some(self, count: int) -> "FitProblem":
        """Return the problem of a random part of the values, of neighbours where they are in blocks."""
        among = sum(self.blocks[:2]) or len(self.S)
        return self.of_some(np.sort(np.random.default_rng(len(self.S)).choice(among, min(count, among), replace=False)))

    def of_some(self, chosen: Indices, blocks: tuple[int, ...] = ()) -> "FitProblem":
        """Return the problem of some of the values, by their places."""
        share = None if self.share is None else self.share[chosen]
        course = None if self.course is None else self.course.of_some(chosen)
        S, y, noise = self.S[chosen], self.y[chosen], self.noise[chosen]
        return replace(self, S=S, y=y, noise=noise, share=share, blocks=blocks, course=course)


def _depth(end: OptimizeResult) -> float:
    return float(end.fun)
