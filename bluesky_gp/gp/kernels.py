"""A scikit-learn kernel as a table over the lags of a lattice.

======  =============================================  ==========================
symbol  meaning                                        shape
======  =============================================  ==========================
n       pixels along each axis                         (ndim,)
lag     difference of two pixels, -(n - 1) .. n - 1    (2 n - 1) a side, flattened
kappa   k(x, x') = kappa(x - x'), without white noise  (n_lags,)
======  =============================================  ==========================
"""

from functools import singledispatch

import numpy as np
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Product, Sum, WhiteKernel

from bluesky_gp.gp.feature_kernel import FeatureKernel
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.typing import Floats

_LAGS = 2**12  # at which a kernel is evaluated together: its temporaries stay in the cache, in a fifth of the time


def check_kernel(kernel: Kernel, ndim: int) -> None:
    """Try a kernel on a grid's coordinates.

    Raises
    ------
    ValueError
        If it does not take `ndim` coordinates (a wrong number of length scales).
    """
    try:
        kernel(np.zeros((1, ndim)))
    except Exception as error:
        raise ValueError(f"kernel {kernel} does not fit a grid of {ndim} axes: {error}") from error


@singledispatch
def of_lags(kernel: Kernel, lags: Floats) -> Floats:
    """Kappa of lags, shape ``(n_lags, ndim)`` -> ``(n_lags,)``; white noise, which has no lag, is left out."""
    return np.asarray(kernel(lags, np.zeros((1, lags.shape[1])))[:, 0])


@of_lags.register
def _(kernel: RotatedMatern, lags: Floats) -> Floats:
    return kernel.of_lags(lags)


@of_lags.register
def _(kernel: WhiteKernel, lags: Floats) -> Floats:
    return np.zeros(len(lags))


@of_lags.register
def _(kernel: ConstantKernel, lags: Floats) -> Floats:
    return np.full(len(lags), kernel.constant_value)


@of_lags.register
def _(kernel: Sum, lags: Floats) -> Floats:
    return of_lags(kernel.k1, lags) + of_lags(kernel.k2, lags)


@of_lags.register
def _(kernel: Product, lags: Floats) -> Floats:
    return of_lags(kernel.k1, lags) * of_lags(kernel.k2, lags)


@singledispatch
def noise_variance(kernel: Kernel, ndim: int) -> float:
    """Variance of the white noise in a kernel: what the diagonal has and lag zero has not."""
    origin = np.zeros((1, ndim))
    # Where a kernel rounds at lag zero (Matern of any nu) the difference may fall below zero.
    return max(0.0, float(kernel.diag(origin)[0] - kernel(origin, origin)[0, 0]))


@noise_variance.register
def _(kernel: ConstantKernel | RBF | RotatedMatern | FeatureKernel, ndim: int) -> float:
    return 0.0


@noise_variance.register
def _(kernel: WhiteKernel, ndim: int) -> float:
    return float(kernel.noise_level)


@noise_variance.register
def _(kernel: Sum, ndim: int) -> float:
    return noise_variance(kernel.k1, ndim) + noise_variance(kernel.k2, ndim)


@noise_variance.register
def _(kernel: Product, ndim: int) -> float:
    if noise_variance(kernel.k1, ndim) or noise_variance(kernel.k2, ndim):
        return float(noise_variance.dispatch(object)(kernel, ndim))
    return 0.0


@singledispatch
def support(kernel: Kernel, ndim: int) -> Floats:
    """Lag along each axis beyond which kappa is nothing, 1e-17 of its largest; infinite where that is unknown."""
    return np.full(ndim, np.inf)


@support.register
def _(kernel: RotatedMatern, ndim: int) -> Floats:
    return kernel.support


@support.register
def _(kernel: WhiteKernel, ndim: int) -> Floats:
    return np.zeros(ndim)


@support.register
def _(kernel: Sum, ndim: int) -> Floats:
    return np.maximum(support(kernel.k1, ndim), support(kernel.k2, ndim))


@support.register
def _(kernel: Product, ndim: int) -> Floats:
    return np.minimum(support(kernel.k1, ndim), support(kernel.k2, ndim))


def lag_table(kernel: Kernel, lags: Floats, shape: tuple[int, ...] | None) -> Floats:
    """Evaluate a kernel at all lags; with a `shape`, at those alone at which it is not nothing."""
    if shape is None:
        return _evaluated(kernel, lags)
    sides, longest = [2 * n - 1 for n in shape], np.array(shape) - 1
    far = np.fmin(support(kernel, len(shape)), longest).astype(np.intp)  # of hyperparameters that are NaN: everywhere
    if np.array_equal(far, longest):
        return _evaluated(kernel, lags)
    inside = tuple(slice(n - lag, n + lag + 1) for n, lag in zip(longest, far, strict=True))
    table, near = np.zeros(sides), lags.reshape(*sides, -1)[inside]
    table[inside] = _evaluated(kernel, near.reshape(-1, len(shape))).reshape(near.shape[:-1])
    return table.ravel()


def _evaluated(kernel: Kernel, lags: Floats) -> Floats:
    table = np.empty(len(lags))
    half = len(lags) // 2 + 1  # the table is symmetric: lag i and lag -1 - i are opposite
    for start in range(0, half, _LAGS):
        part = slice(start, min(start + _LAGS, half))
        table[part] = of_lags(kernel, lags[part])
    table[half:] = table[: half - 1][::-1]
    return table
