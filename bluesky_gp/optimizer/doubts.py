"""Doubts about the state of an optimizer, in words for the record."""

import numpy as np

from bluesky_gp.gp import Fit
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.optimizer.units import AffineUnits
from bluesky_gp.typing import Floats

_FAR = 1e4  # times the distance from the median within which nine tenths of the values lie
_WIDE = 1e6  # ratio of the largest to the smallest value, all of one sign
_NONE_OF = 10  # pixels without a value are no accident
_FEW = 8  # values below which they say little of each other
_FAR_BELOW = 5.0  # of a log likelihood: odds of 150 to one
_UNRELATED = 0.02  # correlation of neighbours, noise included


def diagnose(state: OptimizerState) -> str:
    """Return what a person should look at; empty if nothing."""
    if state.posterior is None:
        return _nothing(state)
    values = state.values[np.isfinite(state.values)]
    found = [state.fit.trouble, _conditioning(state), _bounds(state), _structure(state), _constant(state, values)]
    if len(values) >= _FEW:
        found += [_far(state, values), _wide(state, values)]
    return "; ".join(text for text in found if text)


def fit_doubts(fit: Fit, *, refitted: bool) -> list[str]:
    """Return what is doubtful about a fit, and about the one before it."""
    doubts = [] if fit.converged else ["the fit of the hyperparameters did not converge"]
    if refitted and fit.gap > _FAR_BELOW:
        doubts.append(
            f"the hyperparameters of the fit before lead to a log likelihood {min(fit.gap, 1e6):.0f} lower than those "
            f"found now: what was decided by them may be worth less"
        )
    return doubts


def with_unscored(warning: str, scores: Floats) -> str:
    """Add to a warning that an acquisition function gave no number for some candidates, shape ``(k,)``."""
    count = int(np.isnan(scores).sum())
    text = f"the acquisition function gave no number for {count} of {len(scores)} pixels" if count else ""
    return "; ".join(part for part in (warning, text) if part)


def _nothing(state: OptimizerState) -> str:
    enough = state.n_attempted >= _NONE_OF
    return f"not one of {state.n_attempted} pixels has a value: see why in the stream of failures" if enough else ""


def _conditioning(state: OptimizerState) -> str:
    jitter = state.posterior.mean_solver.jitter if state.posterior is not None else 0.0
    return f"the covariance is ill-conditioned: {jitter:.0e} of it was added to its diagonal" if jitter else ""


def _bounds(state: OptimizerState) -> str:
    found = state.fit.at_bounds if state.fitted else []
    return f"at the bounds of the fit: {', '.join(found)}" if found else ""


def _structure(state: OptimizerState) -> str:
    """Say where neighbouring pixels are taken as unrelated: length scales below a pixel, or noise and nothing else."""
    shape = np.array(state.grid.shape)
    steps = np.eye(len(shape), dtype=np.intp)[shape > 1]
    if not state.fitted or not len(steps):
        return ""
    prior, centre = state.covariance, state.grid.ravel(shape[None, :] // 2)
    related = prior.block(centre, state.grid.ravel(shape // 2 - steps))[0]
    if np.abs(related).max() >= _UNRELATED * (prior.variance[centre[0]] + prior.noise):
        return ""
    return "the fit takes neighbouring pixels as unrelated: of pixels that are not measured it knows only the mean"


def _constant(state: OptimizerState, values: Floats) -> str:
    return f"all {len(values)} values are equal" if state.units.constant and len(values) > 3 else ""


def _far(state: OptimizerState, values: Floats) -> str:
    size = float(np.abs(values).max()) or 1.0  # differences of the largest numbers would overflow
    distance = np.abs(state.values / size - np.median(values / size))
    within = np.quantile(distance[np.isfinite(distance)], 0.9, method="lower")
    if not within > 0.0 or not np.nanmax(distance) > _FAR * within:
        return ""
    pixel = tuple(state.grid.unravel(state.pixels[[np.nanargmax(distance)]])[0].tolist())
    value = state.values[np.nanargmax(distance)]
    return f"pixel {pixel} has {value:.3g}, far from all others: if it is wrong, agent.mark_failed({pixel}, ...)"


def _wide(state: OptimizerState, values: Floats) -> str:
    size = np.abs(values)
    one_sign = values.min() > 0.0 or values.max() < 0.0
    if not one_sign or not size.max() / _WIDE > size.min() or not isinstance(state.units, AffineUnits):
        return ""
    orders = np.log10(size.max()) - np.log10(size.min())
    return f"the values span {orders:.0f} orders of magnitude: a transform may suit them, as their logarithm"
