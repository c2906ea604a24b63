"""The fit of hyperparameters: the highest posterior density within their bounds.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
theta   log hyperparameters, in scikit-learn's order              (n_theta,)
y, S    values and flat indices of the pixels that have one       (m,)
======  ========================================================  ============
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from bluesky_gp.gp.blas import blas_threads
from bluesky_gp.gp.descent import Place, descend
from bluesky_gp.gp.interfaces import Covariance, Pairs
from bluesky_gp.gp.kernel_choice import LinearPrior
from bluesky_gp.gp.likelihood import Evidence
from bluesky_gp.gp.theta import AdjustableKernel
from bluesky_gp.gp.trend import Trend
from bluesky_gp.typing import Floats, Indices

_COMPARED = 600  # values beyond which a part of them compares the starts
_FTOL = 1e-6  # of the log posterior density: a thousandth of what tells hyperparameters apart
_FTOL_OF_A_SEARCH = 2e-9  # without priors L-BFGS crosses plateaus, on which it would stop
_FIRST_STEPS = 4  # of L-BFGS from every start, after which the highest goes on alone: it is the one that leads highest
_SEARCHED = 100  # values beyond which a part of them chooses the starts of a search
_FINALISTS = 3  # starts of a search that are followed to the end: the highest after the first steps may not be
_LEGS, _SHORT = 5, 6  # of a way by curvature; evaluations of the last one, at most
_BROKEN = 1e25  # negative log density where there is none: a number, as L-BFGS goes on from it


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

    @cached_property
    def _bounds(self) -> Floats:
        return np.asarray(self.covariance.kernel.bounds)  # scikit-learn looks for them anew every time

    @cached_property
    def _pairs(self) -> Pairs:
        return self.covariance.among(self.S)

    @cached_property
    def _kernel_of(self) -> AdjustableKernel:
        return AdjustableKernel(self.covariance.kernel)

    def objective(self, theta: Floats) -> tuple[float, Floats]:
        """Return the negative log posterior density of theta and its gradient; infinite where K breaks down."""
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                return self._density(theta, self._evidence(theta))
        except np.linalg.LinAlgError:
            return _BROKEN, np.zeros_like(theta)

    def _evidence(self, theta: Floats) -> Evidence:
        return Evidence.of(self._kernel_of(theta), self._pairs, self.trend, self.S, self.y, self.noise)

    def _density(self, theta: Floats, evidence: Evidence) -> tuple[float, Floats]:
        value, gradient = evidence.log_likelihood, evidence.gradient
        if self.prior is not None:
            log_density, by_theta = self.prior.log_density(theta)
            value, gradient = value + log_density, gradient + by_theta
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return _BROKEN, np.zeros_like(theta)
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
        with blas_threads(len(self.S)):
            if len(candidates):
                return self._search(starts, candidates, n_restarts)
            if self.by_curvature and self.prior is not None:
                ends = [self._descent(start, self.prior) for start in starts]
                return self._fit(min(ends, key=_depth), sum(end.nfev for end in ends))
            evaluations = 0
            if len(starts) > 1:
                looked_at = self if len(self.S) <= _COMPARED else self._some(_COMPARED // 2)
                tried = [looked_at.climb(start, _FIRST_STEPS) for start in starts]
                evaluations = sum(each.nfev for each in tried)
                starts = [min(tried, key=_depth).x]
            best = self.climb(starts[0])
        return self._fit(best, evaluations + best.nfev)

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

    def _descent(self, start: Floats, prior: LinearPrior) -> OptimizeResult:
        """Maximise from one start; after a long way the values are asked anew how the density curves."""
        evaluations = 0
        for _ in range(_LEGS):
            try:
                end = descend(self.objective, self._place(start, prior), self._bounds)
            except np.linalg.LinAlgError:
                break
            start, evaluations = end.x, evaluations + 1 + end.nfev
            if end.success and end.nfev <= _SHORT:
                return OptimizeResult(end, nfev=evaluations)
        end = self.climb(start)
        return OptimizeResult(end, nfev=evaluations + end.nfev)

    def _place(self, theta: Floats, prior: LinearPrior) -> Place:
        with np.errstate(over="ignore", invalid="ignore"):
            evidence = self._evidence(theta)
            return Place(theta, *self._density(theta, evidence), evidence.information + prior.precision)

    def _some(self, count: int) -> "FitProblem":
        """Return the problem of a random part of the values."""
        chosen = np.sort(np.random.default_rng(len(self.S)).choice(len(self.S), count, replace=False))
        return replace(self, S=self.S[chosen], y=self.y[chosen], noise=self.noise[chosen])


def _depth(end: OptimizeResult) -> float:
    return float(end.fun)
