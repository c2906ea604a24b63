"""Coverage of spectrum space: how much of what the spectra of a map can look like some of its pixels have shown.

======  ==========================================================  ======
symbol  meaning                                                     shape
======  ==========================================================  ======
Z       principal components of all spectra, over their spread      (N, d)
======  ==========================================================  ======
"""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from scipy.spatial import KDTree

from bluesky_gp.typing import Floats, Indices

COMPONENTS = 5  # that a spectrum is denoised to, as `Novelty` has it
NEAR = 0.25  # spreads of the spectra: within this distance of a measured one a spectrum is covered

RAREST = 0.01  # of the spectra: those furthest from all measured ones


class Coverage(NamedTuple):
    """Nearness of all spectra to the nearest measured one, in spreads of the spectra."""

    share: float  # that is covered
    distance: float  # mean
    rarest: float  # distance that only the rarest exceed


@dataclass(frozen=True, eq=False)
class SpectrumSpace:
    """Denoised spectra of a whole map, in units of their root-mean-square distance from their mean."""

    Z: Floats = field(repr=False)  # NaN where there is no spectrum

    @classmethod
    def of(cls, spectra: Floats) -> Self | None:
        """Return the space of spectra, shape ``(N, n_channels)``; None where no two of them differ."""
        known = np.isfinite(spectra).all(axis=1)
        if not known.any() or not np.ptp(spectra[known], axis=0).any():
            return None
        from sklearn.decomposition import PCA  # not needed by maps of numbers

        number = min(COMPONENTS, int(known.sum()), spectra.shape[1])
        scores = PCA(number, svd_solver="randomized", random_state=0).fit_transform(spectra[known])
        spread = float(np.sqrt(np.mean(np.sum(np.square(scores), axis=1))))
        Z = np.full((len(spectra), number), np.nan)
        Z[known] = scores / spread
        return cls(Z)

    def coverage(self, pixels: Indices) -> Coverage:
        """Return how near the spectra of some pixels come to all; without any, how near their mean does."""
        known = np.asarray(np.isfinite(self.Z).all(axis=1))
        measured = self.Z[pixels][known[pixels]]
        some = measured if len(measured) else np.zeros((1, self.Z.shape[1]))
        distance = KDTree(some).query(self.Z[known])[0]
        share = np.mean(distance <= NEAR)
        return Coverage(float(share), float(np.mean(distance)), float(np.quantile(distance, 1.0 - RAREST)))
