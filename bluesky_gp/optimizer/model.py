"""The model behind an optimizer: prior beliefs, and learning as a function of the state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp import (
    NO_VARIANCE,
    Course,
    FitProblem,
    KernelChoice,
    Trend,
    contradicts,
    covariance_of,
    looked_at,
    outlier_noise,
    refit_due,
    starts_for,
)
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.doubts import diagnose, fit_doubts
from bluesky_gp.optimizer.image import Beliefs, beliefs
from bluesky_gp.optimizer.in_time import foretold
from bluesky_gp.optimizer.measurements import Measurements
from bluesky_gp.optimizer.model_fit import ModelFit
from bluesky_gp.optimizer.prior_mean import Mean, trend_of
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.optimizer.units import AffineUnits, TransformedUnits, Units
from bluesky_gp.overview import FeatureGroups
from bluesky_gp.typing import Floats, Indices

BEFORE_0_3 = ("0.1", "0.2")
NUMERICS = (*BEFORE_0_3, "0.3")
"""Versions of the arithmetic of decisions. 0.1: fits by L-BFGS, and on large lattices all of every column. 0.2: for a
variance the nearest pixels and not the most correlated ones, a sweep over the lattice for each pixel of a batch, other
roundings; images of thin lines are taken as all others."""

_FEWEST = 4  # values below which hyperparameters are not fitted: the priors know more


@dataclass(frozen=True)
class Model:
    """Kernel, mean, transformation and the treatment of outliers; learning is a function of the state."""

    grid: PixelGrid
    beliefs: Beliefs
    mean: Mean = None
    transform: Any = None  # scikit-learn transformer with an inverse
    outliers: float | None = None
    sign: float = 1.0
    near: bool = True  # see `LatticeCovariance`
    quick: bool = True

    @classmethod
    def of(
        cls,
        grid: PixelGrid,
        *,
        kernel: Kernel | None,
        prior: Mapping[str, Any] | None,
        n_restarts: int = 0,
        numerics: str = NUMERICS[-1],
        mean: Mean,
        transform: Any,
        outliers: float | None,
        maximize: bool,
        groups: FeatureGroups | None = None,
        time: KernelChoice | None = None,
    ) -> Self:
        """Check what a user asks for; see `PixelOptimizer`."""
        believed = beliefs(grid.shape, kernel, prior, n_restarts, groups, time, by_curvature=numerics != "0.1")
        if outliers is not None and not outliers > 0.0:
            raise ValueError(f"PixelOptimizer: outliers is a number of standard deviations, or None, got {outliers}")
        trend_of(mean, grid, AffineUnits(1.0))
        near, quick = numerics != "0.1", numerics not in BEFORE_0_3
        return cls(grid, believed, mean, transform, outliers, 1.0 if maximize else -1.0, near, quick)

    @property
    def choice(self) -> KernelChoice:
        """The kernel to be fitted."""
        return self.beliefs.choice

    def beginning(self, target: str) -> OptimizerState:
        """Return the state before the first pixel."""
        grid, image, time = self.grid, self.beliefs.image, self.beliefs.time
        kernel = self.choice.kernel if time is None else self.choice.kernel.k1
        if image is None:
            prior = covariance_of(kernel, grid, near=self.near, quick=self.quick)
        else:
            prior = image.covariance(kernel, grid, quick=self.quick)
        seconds = None if time is None else self.choice.kernel.k2
        return OptimizerState(grid, target, ModelFit(AffineUnits(self.sign), prior, time=seconds))

    def learn(self, state: OptimizerState, new: Measurements, *, final: bool) -> OptimizerState:
        """Return the state that knows more pixels; fit the hyperparameters if that is due.

        Where the hyperparameters give no posterior that is a number everywhere, those before the first fit are taken.
        """
        gone = state.measurements.taken_back_by(new)
        grown = replace(state, measurements=state.measurements.without(gone).plus(new))
        try:
            learnt = self._taught(grown, state, new, gone, final=final)
            sound = _is_sound(learnt)
        except np.linalg.LinAlgError:
            sound = False
        learnt = learnt if sound else self._simple(grown)
        warning = diagnose(learnt)
        return learnt if learnt.warning == warning else replace(learnt, warning=warning)

    def _taught(
        self,
        grown: OptimizerState,
        state: OptimizerState,
        new: Measurements,
        gone: npt.NDArray[np.bool_],
        *,
        final: bool,
    ) -> OptimizerState:
        """Fit, build anew or extend the posterior of `state`, as it takes."""
        n, known = grown.n_measured, new.has_value
        if state.measurements.has_value[gone].any():
            return self._forgetting(grown)
        if n == 0:
            return grown
        if state.posterior is None or refit_due(n, state.n_fitted) or (final and n > state.n_fitted):
            return self._fit(grown)
        values, noise = state.units.inward(new.values), state.noise_beside(new)
        mean, variance = foretold(state.posterior, state.fit.time, state.measurements, new)
        std = np.sqrt(np.maximum(variance + state.covariance.noise + noise, NO_VARIANCE))
        if not np.isfinite(values[known]).all() or contradicts(((values - mean) / std)[known]):
            return self._fit(grown)
        if gone.any() or state.fit.time is not None:  # what is common to values may be known better: all weights change
            return self._rebuilt(grown)
        posterior = state.posterior.observe(new.pixels, values, noise, ahead=state.ahead)
        return replace(grown, posterior=posterior, ahead=None)

    def _forgetting(self, state: OptimizerState) -> OptimizerState:
        """Learn what a state knows from the beginning: a value that was taken back has taught units and kernel too."""
        undoubted = replace(state.measurements, extra_noise=np.zeros(state.n_attempted))
        began = self.beginning(state.target)
        afresh = replace(began, measurements=undoubted, diary=state.diary, barred=state.barred)
        return self._fit(afresh) if afresh.n_measured else afresh

    def _fit(self, state: OptimizerState) -> OptimizerState:
        known = state.measurements.has_value
        values = state.values[known]
        units, trouble = self._units_of(values)
        state = replace(state, fit=replace(state.fit, units=units, trouble=trouble))
        if len(values) < _FEWEST or units.constant:
            return self._rebuilt(state)
        return self._fitted(state, known)

    def _units_of(self, values: Floats) -> tuple[Units, str]:
        """Return the units that standardise values, and what is wrong with the transform; empty: nothing."""
        units = AffineUnits.of(values, self.sign)
        if self.transform is None or units.constant or len(values) < _FEWEST:
            return units, ""
        try:
            return TransformedUnits.of(values, self.sign, self.transform), ""
        except ValueError as error:
            return units, f"the values are taken as they are, without the transform: {error}"

    def recalled(self, state: OptimizerState, theta: Floats, fitted: Measurements) -> OptimizerState:
        """Return a state with the posterior that given hyperparameters lead to; nothing is fitted.

        Parameters
        ----------
        state : OptimizerState
            Only its measurements count.
        theta : ndarray, shape (n_theta,)
            As a record has them.
        fitted : Measurements
            Those that `theta` was fitted to: they make the units.
        """
        if not state.n_measured:
            return state
        units, _ = self._units_of(fitted.values[fitted.has_value])
        covariance, time = state.fit.parted(theta)
        fit = ModelFit(units, covariance, n_fitted=int(fitted.has_value.sum()), time=time)
        return self._rebuilt(replace(state, fit=fit))

    def _fitted(self, state: OptimizerState, known: npt.NDArray[np.bool_]) -> OptimizerState:
        S, y = state.pixels[known], state.units.inward(state.values[known])
        noise = state.inward_noise(state.values, state.measurements.std)[known]
        image, time = self.beliefs.image, state.fit.time
        in_blocks = self.quick and self.outliers is None  # those take values together to be told
        in_blocks = in_blocks and (image is None or time is None)  # blocks that share two things are not built
        places, blocks = looked_at(S, self.grid.unravel(S).astype(np.float64), in_blocks=in_blocks)
        trend = trend_of(self.mean, self.grid, state.units)
        share = None if state.measurements.are_alike else state.measurements.share[known]
        problem = replace(self._problem(state, trend, S, y, noise, known), share=share).of_some(places, blocks)
        contribution = state.fit.contribution
        theta = state.theta if contribution is None else contribution.theta
        fit = problem.solve(*starts_for(self.choice, theta, len(S), state.n_fitted))
        doubts = np.zeros(state.n_attempted)
        if self.outliers is not None:
            extra = outlier_noise(problem, fit.theta, self.outliers)
            doubts[np.flatnonzero(known)[places]] = extra
            if extra.any():
                problem = replace(problem, noise=problem.noise + extra)
                fit = problem.solve([fit.theta])._replace(gap=fit.gap)
        if image is not None:
            fit, contribution, covariance = image.weighed(problem, fit, contribution, state.n_fitted)
        else:
            covariance = state.covariance.with_theta(problem.halves(fit.theta)[0])
        fitted = ModelFit(
            units=state.units,
            n_fitted=len(S),
            n_likelihood=len(places),
            n_blocks=len(blocks),
            log_marginal_likelihood=fit.log_marginal_likelihood,
            covariance=covariance,
            trouble="; ".join(filter(None, (state.fit.trouble, *fit_doubts(fit, refitted=state.fitted)))),
            other_theta=self._fitted_others(state),
            contribution=contribution,
            time=problem.time_of(fit.theta),
        )
        measurements = replace(state.measurements, extra_noise=doubts)
        return self._rebuilt(replace(state, fit=fitted, measurements=measurements))

    def _problem(
        self,
        state: OptimizerState,
        trend: Trend,
        S: Indices,
        y: Floats,
        noise: Floats,
        known: npt.NDArray[np.bool_],
    ) -> FitProblem:
        choice, time = self.choice, state.fit.time
        course = None if time is None else Course.of(state.measurements.times[known])
        by_curvature = choice.by_curvature
        return FitProblem(
            state.covariance, choice.prior, trend, S, y, noise, choice.scale, by_curvature, time=time, course=course
        )

    def _fitted_others(self, state: OptimizerState) -> Mapping[str, Floats]:
        """Fit auxiliary quantities, each by itself: what is noise in one may not be in another, nor as smooth."""
        found = {}
        for name, values in state.others.items():
            known = np.isfinite(values) if values.ndim == 1 else np.zeros(0, dtype=bool)
            units = AffineUnits.of(values[known], 1.0) if known.sum() >= _FEWEST else AffineUnits(1.0)
            if units.constant:
                continue
            S, y = state.pixels[known], units.inward(values[known])
            places, blocks = looked_at(S, self.grid.unravel(S).astype(np.float64), in_blocks=self.quick)
            problem = self._problem(state, Trend.constant(self.grid.size), S, y, np.zeros(len(S)), known)
            problem = problem.of_some(places, blocks)
            before = state.n_fitted if name in state.fit.other_theta else 0
            theta = state.fit.other_theta.get(name, self.choice.kernel.theta)
            found[name] = problem.solve(*starts_for(self.choice, theta, len(S), before)).theta
        return found

    def _simple(self, state: OptimizerState) -> OptimizerState:
        """Take the hyperparameters that there were before the first fit, and as much noise as it needs.

        Raises
        ------
        LinAlgError
            If the kernel gives no posterior even so.
        """
        values = state.values[np.isfinite(state.values)]
        began = self.beginning(state.target)
        fit = replace(
            state.fit,
            units=AffineUnits.of(values, self.sign),
            covariance=began.covariance,
            time=began.fit.time,
            other_theta={},
            trouble="the fitted hyperparameters gave no posterior: those from before the first fit are used",
        )
        for share in (0.0, 1e-3, 1e-1, 1.0):
            noise = np.full(state.n_attempted, share * float(began.covariance.variance.max()))
            try:
                measurements = replace(state.measurements, extra_noise=noise)
                rebuilt = self._rebuilt(replace(state, fit=fit, measurements=measurements))
            except np.linalg.LinAlgError:
                continue
            if _is_sound(rebuilt):
                return rebuilt
        raise np.linalg.LinAlgError(
            f"kernel {self.choice.kernel} gives no posterior that is a number everywhere, noise added or not: choose "
            f"another, with an amplitude near 1"
        )

    def _rebuilt(self, state: OptimizerState) -> OptimizerState:
        return state.rebuilt(trend_of(self.mean, self.grid, state.units))


def _is_sound(state: OptimizerState) -> bool:
    """Whether mean and standard deviation are numbers at every pixel."""
    return state.posterior is None or bool(np.isfinite(state.mean).all() and np.isfinite(state.std).all())
