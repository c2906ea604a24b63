"""The kernel of seconds by which a target changes, with what is believed of it before the first value."""

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern

from bluesky_gp.gp.kernel_choice import KernelChoice, LinearPrior
from bluesky_gp.gp.kernels import noise_variance
from bluesky_gp.settings import check_number

_VARIANCE, _SCALE_OF_VARIANCE = 0.02, 2.0  # typical, of the values' own, and how wrong it may be, as a logarithm
_MOVED = 0.3  # where a fit starts beside that: a target that changes by half its spread
_SCALE_OF_TIME = 0.7  # how wrong the seconds that a user gives may be
_FURTHEST = 30.0  # times as long, or as short, at most


def time_choice(given: Any) -> KernelChoice:
    """Return the kernel of seconds that a user gave, or by the seconds within which a target changes: a Matern 3/2.

    Log variance ~ N(log 0.02, 2), which leaves it where nothing changes; log seconds ~ N(log given, 0.7). Of a kernel
    of the user's own each hyperparameter is believed to a factor of e^2.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or a kernel that is no function of one number, or has white noise.
    """
    if isinstance(given, Kernel):
        return _own(given)
    check_number("PixelOptimizer", "time_kernel", given, above=0.0)
    seconds = float(given)
    bounds = seconds / _FURTHEST, seconds * _FURTHEST
    kernel = ConstantKernel(_VARIANCE, (1e-6, 1e2)) * Matern(seconds, bounds, nu=1.5)
    prior = LinearPrior(np.eye(2), kernel.theta, np.array([_SCALE_OF_VARIANCE, _SCALE_OF_TIME]))
    start = np.array([np.log(_MOVED), np.log(seconds)])
    return KernelChoice(kernel, prior, (start,), np.array([_SCALE_OF_VARIANCE, _SCALE_OF_TIME]) / 2.0)


def _own(kernel: Kernel) -> KernelChoice:
    try:
        kernel(np.zeros((1, 1)))
    except Exception as error:
        raise ValueError(
            f"PixelOptimizer: time_kernel {kernel} is no kernel of one number, the seconds that passed: {error}"
        ) from error
    if noise_variance(kernel, 1):
        raise ValueError(f"PixelOptimizer: time_kernel {kernel} has white noise: it belongs into kernel=")
    n = len(kernel.theta)
    return KernelChoice(kernel, LinearPrior(np.eye(n), kernel.theta, np.full(n, _SCALE_OF_VARIANCE)), (kernel.theta,))
