"""The state of an optimizer out of a record: its pixels, and the hyperparameters that were written down with them."""

from collections.abc import Iterable
from dataclasses import replace

from bluesky_gp.gp import blas_threads
from bluesky_gp.optimizer.points import Batch
from bluesky_gp.optimizer.recipe import Recipe
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.typing import Floats


def recall(recipe: Recipe, batches: Iterable[Batch], theta: Floats, n_fitted: int) -> OptimizerState:
    """Return the state that learning batch after batch led to, without fitting anything: a look into the past.

    It equals what was learnt then but for rounding, and for noise that was added to outliers.

    Parameters
    ----------
    recipe : Recipe
    batches : iterable of (points, failures)
    theta : ndarray, shape (n_theta,)
        Logarithms of the hyperparameters, as they were recorded.
    n_fitted : int
        Number of the batches that they were fitted to.
    """
    points, model = recipe.points(), recipe.model()
    beginning = model.beginning(recipe.target)
    known = fitted = beginning.measurements
    for number, (good, failed) in enumerate(batches):
        known = known.then(points.measurements(good, failed, recipe.others))
        fitted = known if number < n_fitted else fitted
    with blas_threads(len(known)):
        return model.recalled(replace(beginning, measurements=known), theta, fitted)


def recall_next(recipe: Recipe, state: OptimizerState, batch: Batch) -> OptimizerState:
    """Return the state that learning one more batch led to, by the same hyperparameters: quicker than `recall`."""
    new = recipe.points().measurements(*batch, recipe.others)
    known = state.measurements.then(new)
    grown = replace(state, measurements=known)
    with blas_threads(len(known)):
        forgotten = len(known) < len(state.measurements) + len(new)
        if state.posterior is None or forgotten or state.fit.time is not None:
            return grown.rebuilt()
        values, noise = state.units.inward(new.values), state.noise_beside(new)
        return replace(grown, posterior=state.posterior.observe(new.pixels, values, noise))
