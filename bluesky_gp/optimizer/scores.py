"""The acquisition function on the pixels of a large lattice, computed again only where the posterior has changed."""

import numpy as np

from bluesky_gp.gp import GridPosterior
from bluesky_gp.optimizer.batch import Score
from bluesky_gp.typing import Floats, Indices


class ScoresByPixel:
    """Remembers the score of every pixel while the posterior is conditioned on the pixels of a batch.

    Parameters
    ----------
    compute : callable
        The acquisition function; the score of a pixel follows from its own mean and deviation alone.
    n_pixels : int
    """

    def __init__(self, compute: Score, n_pixels: int) -> None:
        self._compute = compute
        self._scores = np.empty(n_pixels)
        self._known = np.zeros(n_pixels, dtype=bool)
        self._posterior: GridPosterior | None = None

    def __call__(self, posterior: GridPosterior, pixels: Indices) -> Floats:
        """Return the scores of some pixels, shape ``(k,)``."""
        before, self._posterior = self._posterior, posterior
        if before is not None:
            same = before.variance == posterior.variance
            self._known &= same if before.mean is posterior.mean else same & (before.mean == posterior.mean)
        new = pixels[~self._known.take(pixels)]
        if len(new):
            self._scores[new] = self._compute(posterior, new)
            self._known[new] = True
        return self._scores.take(pixels)
