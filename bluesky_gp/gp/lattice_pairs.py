"""The lags among some pixels, for the fit of a stationary kernel."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.kernel_gradients import gradient_of_lags, noise_gradient
from bluesky_gp.gp.kernels import noise_variance, of_lags
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class LatticePairs:
    """The lags among some pixels, each once, and which of them every pair has."""

    kernel: Kernel
    lags: Floats  # (n_lags, ndim), the last is zero
    m: int
    lag_of_pair: Indices  # (m (m + 1) / 2,), indices into lags, of the lower triangle, row by row

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise: its lower triangle, zero elsewhere."""
        K = np.zeros((self.m, self.m))
        K[self._lower] = of_lags(kernel, self.lags)[self.lag_of_pair]
        K[np.diag_indices(self.m)] += noise_variance(kernel, self.lags.shape[1])
        return K

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """W binned by lag, times the derivative of the kernel at those lags."""
        binned = 2.0 * np.bincount(self.lag_of_pair, W[self._lower], minlength=len(self.lags))
        trace = np.trace(W)
        binned[-1] -= trace  # the diagonal counts once
        by_lag = binned @ gradient_of_lags(kernel, self.lags)
        return np.asarray(by_lag + trace * noise_gradient(kernel, self.lags.shape[1]))

    @cached_property
    def _lower(self) -> npt.NDArray[np.bool_]:
        return np.tri(self.m, dtype=bool)
