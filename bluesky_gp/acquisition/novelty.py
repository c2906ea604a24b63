r"""Novelty: spectra unlike those seen so far.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
Z       features of the spectra seen                                       (m, d)
P       their posterior mean at all pixels                                 (N, d)
s       standard deviation of each feature among those seen                (d,)
======  =================================================================  =====
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import KDTree
from sklearn.base import clone

from bluesky_gp.protocols import AcquisitionContext
from bluesky_gp.typing import Floats

_FEATURES = 5
_FEWEST = 3  # spectra below which nothing is said of what is new


@dataclass(frozen=True)
class Novelty:
    r"""Root mean square of the distance between the spectrum of a pixel and the nearest one seen, in feature space.

    .. math:: \sqrt{ \min_j |P - Z_j|^2 + \sigma^2 |s|^2 }

    The features are what a scikit-learn transformer, fitted to the spectra seen so far, makes of them. Each is a number
    of its own with the target's kernel: predicted with mean P and, :math:`\sigma` being the target's standard deviation
    in units of its spread, standard deviation :math:`\sigma s`. The pixels of the batch chosen before count as seen, as
    predicted. Distance to what is known, as in novelty search (Lehman & Stanley 2011, Evol. Comput. 19, 189, eq. 1,
    with one neighbour); the uncertainty is ours, without it nothing new is looked for where nothing was measured.

    Parameters
    ----------
    key : str
        Of the spectra, one of ``PixelOptimizer(others=...)``.
    transformer : scikit-learn transformer, optional
        One that always makes the same of the same spectra (``random_state=0``). Default: the first five principal
        components, fewer where there are fewer spectra.
    """

    key: str = "spectrum"
    transformer: Any = None

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``, in the unit of the features; the target's deviation before there are any."""
        seen: _Features | None = context.once(f"{self!r} features", lambda: self._features(context))
        if seen is None:
            return context.std
        chosen = [fantasy.pixel for fantasy in context.posterior.fantasies]
        nearest = KDTree(np.vstack([seen.Z, seen.P[chosen]])).query(seen.P[context.pixels])[0]
        variance = context.posterior.variance[context.pixels]
        return np.asarray(np.sqrt(np.square(nearest) + variance * np.square(seen.s).sum()))

    def _features(self, context: AcquisitionContext) -> "_Features | None":
        spectra = context.measured_values(self.key)
        known = np.isfinite(spectra).all(axis=1) if spectra.ndim == 2 else np.zeros(0, dtype=bool)
        if known.sum() < _FEWEST:
            return None
        features = self._transformed(spectra[known])
        centre, s = features.mean(axis=0), features.std(axis=0)
        scale = np.where(s > 0.0, s, 1.0)
        rows = np.full((len(spectra), features.shape[1]), np.nan)
        rows[known] = (features - centre) / scale
        return _Features(features, context.mean_of(rows) * scale + centre, s)

    def _transformed(self, spectra: Floats) -> Floats:
        transformer = self.transformer
        if transformer is None:
            from sklearn.decomposition import PCA  # not needed by those who look for no spectra

            transformer = PCA(min(_FEATURES, *spectra.shape), svd_solver="randomized", random_state=0)
        features = np.asarray(clone(transformer).fit_transform(spectra), dtype=np.float64)
        return features.reshape(len(spectra), -1)


class _Features(NamedTuple):
    Z: Floats  # (m, d), of the spectra seen
    P: Floats  # (N, d), predicted
    s: Floats  # (d,)
