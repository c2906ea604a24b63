"""Predictions of each pixel from all the others: a fair test where half of the pixels have been measured.

======  =====================================================  ===============
symbol  meaning                                                shape
======  =====================================================  ===============
S       flat indices of the pixels that have a value           (m,)
y       their values in standardised units                     (m,)
K       K_SS + noise                                           (m, m)
H       basis of the trend at S                                (m, q)
W       K^-1 H                                                 (m, q)
alpha   K^-1 (y - trend)                                       (m,)
P       K^-1 - W (H^T W)^-1 W^T, by which alpha = P y          (m, m)
======  =====================================================  ===============

Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eq. 5.12; with an estimated trend, Dubrule 1983.
"""

import numpy as np

from bluesky_gp.gp import GridPosterior, blas_threads
from bluesky_gp.optimizer import OptimizerState
from bluesky_gp.typing import Floats

_NOTHING = 1e-12  # relative: a diagonal of P that is rounding, because no other pixel says anything about this one


def predictions(state: OptimizerState) -> Floats:
    """Predict every pixel from the measured ones, itself left out, the hyperparameters held.

    Returns
    -------
    ndarray, shape (N,)
        In the target's unit. Where a pixel has not been measured, the posterior mean. NaN at measured pixels where
        nothing else was, or where there are too many for a dense factor.
    """
    if state.posterior is None:
        return np.full(state.grid.size, np.nan)
    mean = state.posterior.mean.copy()
    with blas_threads(state.n_measured):
        mean[state.posterior.measured[0]] = _left_out(state.posterior)
    known = np.isfinite(mean)
    predicted = np.full(state.grid.size, np.nan)
    predicted[known] = state.units.outward(mean[known], np.zeros(int(known.sum())))[0]
    return predicted


def _left_out(posterior: GridPosterior) -> Floats:
    """Predictions at S, shape ``(m,)``: ``y - alpha / diag(P)``."""
    S, y = posterior.measured
    precision = posterior.mean_solver.precision()
    if precision is None:
        return np.full(len(S), np.nan)
    estimate = posterior.trend.estimate(S, y, posterior.mean_solver, posterior.dual)
    H, W = posterior.trend.basis[S], estimate.dual[:, :-1]
    diagonal = precision - np.sum(W @ np.linalg.pinv(H.T @ W) * W, axis=1)  # of P
    error = np.divide(estimate.alpha, diagonal, out=np.full(len(S), np.nan), where=diagonal > _NOTHING * precision)
    return np.asarray(y - error)
