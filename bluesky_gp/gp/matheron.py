"""Errors that a posterior would make, drawn at random: a sample of it is its mean with one of them.

Matheron's rule: Wilson et al. 2020, arXiv:2002.09309, eq. 9.
"""

import numpy as np

from bluesky_gp.gp.posterior_covariance import PosteriorCovariance
from bluesky_gp.typing import Floats


def error_of_a_draw(given: PosteriorCovariance, rng: np.random.Generator, noise: Floats, common: Floats) -> Floats:
    """Return what a draw of the prior has at all pixels beside its prediction from its own noisy values.

    Parameters
    ----------
    noise : ndarray, shape (m,)
        Variances beside the kernel's.
    common : ndarray, shape (m, r)
        Root of what the values have in common beside the map.
    """
    S, draw = given.pixels, given.prior.sample(rng)
    noisy = draw[S] + np.sqrt(given.prior.noise + noise) * rng.standard_normal(len(S))
    noisy = noisy + common @ rng.standard_normal(common.shape[1])
    error = draw - given.prior.dot(S, given.solver.solve(noisy))
    for fantasy in given.fantasies:
        measured = error[fantasy.pixel] + np.sqrt(fantasy.noise) * rng.standard_normal()
        error = error - fantasy.gain * (measured / fantasy.std)
    return np.asarray(error)
