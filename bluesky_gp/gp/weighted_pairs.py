"""Covariance among values whose noise is a known share of the kernel's, such as those of unequal exposures.

======  ==================================================  ========
symbol  meaning                                             shape
======  ==================================================  ========
r       noise variance of each value, over the kernel's     (m,)
theta   log hyperparameters, in scikit-learn's order        (n_theta,)
======  ==================================================  ========
"""

from dataclasses import dataclass

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.interfaces import Pairs
from bluesky_gp.gp.kernel_gradients import noise_gradient
from bluesky_gp.gp.kernels import noise_variance
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class WeightedPairs:
    """Pairs whose diagonal has r times the kernel's white noise in place of once."""

    pairs: Pairs
    r: Floats
    ndim: int

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the noise of each value."""
        K = self.pairs.matrix(kernel)
        K[np.diag_indices(len(self.r))] += (self.r - 1.0) * noise_variance(kernel, self.ndim)
        return K

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS)_ij / d theta``."""
        noise = float((self.r - 1.0) @ np.diagonal(W)) * noise_gradient(kernel, self.ndim)
        return self.pairs.contract(kernel, W) + noise

    def times(self, kernel: Kernel, v: Floats) -> Floats:
        """``d(K_SS) / d theta @ v``, shape ``(m, n_theta)``."""
        return self.pairs.times(kernel, v) + np.outer((self.r - 1.0) * v, noise_gradient(kernel, self.ndim))
