"""The place of an overview image, as the values tell it: by how many pixels it lies beside where it is said to.

======  ==================================================  ============
symbol  meaning                                             shape
======  ==================================================  ============
S       flat indices of some pixels with a value            (m,)
K       their covariance without the image, noise included  (m, m)
V       features times the root of their relevance          (N, r)
======  ==================================================  ============
"""

from dataclasses import replace
from itertools import product
from math import floor, log

import numpy as np

from bluesky_gp.gp import CholeskySolver, Covariance, FeatureCovariance, FitProblem
from bluesky_gp.typing import Floats

FURTHEST = 3  # pixels along each axis
_SURE = 5.0  # nats: of images that say nothing the best of all shifts had 2.3 at most
_PIXELS = 150  # that are looked at: 0.05 s


def shift_due(n: int, n_before: int) -> bool:
    """Whether there are half as many values again as when it was looked for: 40, 60, 90, ..., a step of the ladder."""
    return floor(log(n / 40, 1.5)) > floor(log(max(n_before, 1) / 40, 1.5))


def shift_of(problem: FitProblem, seeing: Covariance, shape: tuple[int, ...], seconds: Floats) -> tuple[int, ...]:
    """Return where, in pixels from a pixel, an image shows what is there; zeros unless the values clearly say so.

    The values' probability with the features of pixels beside them, hyperparameters held, `seconds` those of the kernel
    of time: Rasmussen & Williams (2006), eq. 5.8. At the rim the last pixels of the image go on.
    """
    nowhere = (0,) * len(shape)
    if not isinstance(seeing, FeatureCovariance):
        return nowhere
    some = np.arange(0, len(problem.S), -(-len(problem.S) // _PIXELS))
    S, y = problem.S[some], problem.y[some]
    K = replace(problem.of_some(some), covariance=seeing.base).noisy(np.append(seeing.kernel.k1.theta, seconds))
    places = np.stack(np.unravel_index(S, shape), axis=-1)

    def probability(shift: tuple[int, ...]) -> float:
        beside = np.clip(places + shift, 0, np.subtract(shape, 1))
        V = seeing.V[np.ravel_multi_index(tuple(beside.T), shape)]
        solver = CholeskySolver.factorise(K + V @ V.T)
        alpha = problem.trend.estimate(S, y, solver).alpha
        return -0.5 * float(y @ alpha + solver.log_determinant)

    shifts = product(range(-FURTHEST, FURTHEST + 1), repeat=len(shape))
    try:
        found = {shift: probability(shift) for shift in shifts}
    except np.linalg.LinAlgError:  # a word less in the record, and no worse a map
        return nowhere
    best = max(found, key=lambda shift: found[shift])
    return best if found[best] > found[nowhere] + _SURE else nowhere
