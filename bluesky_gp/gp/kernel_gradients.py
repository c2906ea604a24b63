"""The derivative of a scikit-learn kernel by its hyperparameters, as a table over the lags of a lattice.

======  =============================================  ==========================
symbol  meaning                                        shape
======  =============================================  ==========================
lag     difference of two pixels                       (ndim,)
kappa   k(x, x') = kappa(x - x'), without white noise  (n_lags,)
theta   log hyperparameters, in scikit-learn's order   (n_theta,)
======  =============================================  ==========================
"""

from functools import singledispatch

import numpy as np
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    Exponentiation,
    Kernel,
    Matern,
    Product,
    RationalQuadratic,
    Sum,
    WhiteKernel,
)

from bluesky_gp.gp.kernels import noise_variance, of_lags
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.typing import Floats

_CHUNK = 64  # lags in one call of an unknown kernel, which evaluates all pairs among them


@singledispatch
def n_free(kernel: Kernel) -> int:
    """Length of theta: scikit-learn's own answer looks for the hyperparameters of an object anew every time."""
    return int(kernel.n_dims)


@n_free.register
def _(kernel: Sum | Product) -> int:
    return n_free(kernel.k1) + n_free(kernel.k2)


@n_free.register
def _(kernel: WhiteKernel) -> int:
    return int(not isinstance(kernel.noise_level_bounds, str))


@n_free.register
def _(kernel: ConstantKernel) -> int:
    return int(not isinstance(kernel.constant_value_bounds, str))


@n_free.register
def _(kernel: RotatedMatern) -> int:
    return kernel.n_free


def noise_gradient(kernel: Kernel, ndim: int) -> Floats:
    """Derivative of `noise_variance` by theta, shape ``(n_theta,)``."""
    if isinstance(kernel, Sum):
        return np.concatenate([noise_gradient(kernel.k1, ndim), noise_gradient(kernel.k2, ndim)])
    if isinstance(kernel, WhiteKernel):
        return np.full(n_free(kernel), kernel.noise_level)
    if noise_variance(kernel, ndim) == 0.0:
        return np.zeros(n_free(kernel))
    origin = np.zeros((1, ndim))
    return np.asarray(kernel(origin, eval_gradient=True)[1][0, 0] - gradient_of_lags(kernel, origin)[0])


@singledispatch
def gradient_of_lags(kernel: Kernel, lags: Floats) -> Floats:
    """Derivative of kappa by theta, shape ``(n_lags, n_theta)``; scikit-learn's own for kernels not known here."""
    origin = np.zeros((1, lags.shape[1]))
    parts = [np.empty((0, len(kernel.theta)))]
    for start in range(0, len(lags), _CHUNK):
        chunk = np.concatenate([origin, lags[start : start + _CHUNK]])
        parts.append(kernel(chunk, eval_gradient=True)[1][0, 1:])
    return np.concatenate(parts)


@gradient_of_lags.register
def _(kernel: RotatedMatern, lags: Floats) -> Floats:
    return kernel.gradient_of_lags(lags)


@gradient_of_lags.register
def _(kernel: WhiteKernel, lags: Floats) -> Floats:
    return np.zeros((len(lags), n_free(kernel)))


@gradient_of_lags.register
def _(kernel: ConstantKernel, lags: Floats) -> Floats:
    return np.full((len(lags), n_free(kernel)), kernel.constant_value)


@gradient_of_lags.register
def _(kernel: Sum, lags: Floats) -> Floats:
    return np.hstack([gradient_of_lags(kernel.k1, lags), gradient_of_lags(kernel.k2, lags)])


@gradient_of_lags.register
def _(kernel: Product, lags: Floats) -> Floats:
    kappa_1, kappa_2 = of_lags(kernel.k1, lags)[:, None], of_lags(kernel.k2, lags)[:, None]
    return np.hstack([gradient_of_lags(kernel.k1, lags) * kappa_2, gradient_of_lags(kernel.k2, lags) * kappa_1])


@gradient_of_lags.register
def _(kernel: Exponentiation, lags: Floats) -> Floats:
    kappa = of_lags(kernel.kernel, lags)[:, None]
    return np.asarray(kernel.exponent * kappa ** (kernel.exponent - 1) * gradient_of_lags(kernel.kernel, lags))


@gradient_of_lags.register
def _(kernel: RBF, lags: Floats) -> Floats:
    squares = (lags / kernel.length_scale) ** 2
    return _by_length_scale(kernel, squares, np.exp(-0.5 * squares.sum(axis=1)))


# `Matern` derives from `RBF`: singledispatch takes the nearer class.
@gradient_of_lags.register
def _(kernel: Matern, lags: Floats) -> Floats:
    squares = (lags / kernel.length_scale) ** 2
    s = np.sqrt(squares.sum(axis=1))
    if kernel.nu == 0.5:
        factor = np.exp(-s) / np.where(s > 0.0, s, 1.0)  # the squares are zero where s is
    elif kernel.nu == 1.5:
        factor = 3.0 * np.exp(-np.sqrt(3.0) * s)
    elif kernel.nu == 2.5:
        factor = 5.0 / 3.0 * (1.0 + np.sqrt(5.0) * s) * np.exp(-np.sqrt(5.0) * s)
    elif kernel.nu == np.inf:
        factor = np.exp(-0.5 * s * s)
    else:
        return np.asarray(gradient_of_lags.dispatch(object)(kernel, lags))
    return _by_length_scale(kernel, squares, factor)


@gradient_of_lags.register
def _(kernel: RationalQuadratic, lags: Floats) -> Floats:
    d2 = (lags**2).sum(axis=1) / kernel.length_scale**2
    base = 1.0 + d2 / (2.0 * kernel.alpha)
    kappa = base**-kernel.alpha
    parts = []
    if not kernel.hyperparameter_alpha.fixed:
        parts.append(kappa * (-kernel.alpha * np.log(base) + d2 / (2.0 * base)))
    if not kernel.hyperparameter_length_scale.fixed:
        parts.append(d2 * kappa / base)
    return np.stack(parts, axis=1) if parts else np.empty((len(lags), 0))


@singledispatch
def contracted(kernel: Kernel, lags: Floats, weights: Floats) -> tuple[float, Floats]:
    """Return ``weights @ kappa`` and ``weights @ gradient_of_lags``, shape ``(n_theta,)``, which need not be formed."""
    return float(weights @ of_lags(kernel, lags)), np.asarray(weights @ gradient_of_lags(kernel, lags))


@contracted.register
def _(kernel: RotatedMatern, lags: Floats, weights: Floats) -> tuple[float, Floats]:
    return kernel.contracted(lags, weights)


@contracted.register
def _(kernel: WhiteKernel, lags: Floats, weights: Floats) -> tuple[float, Floats]:
    return 0.0, np.zeros(n_free(kernel))


@contracted.register
def _(kernel: ConstantKernel, lags: Floats, weights: Floats) -> tuple[float, Floats]:
    value = kernel.constant_value * float(weights.sum())
    return value, np.full(n_free(kernel), value)


@contracted.register
def _(kernel: Sum, lags: Floats, weights: Floats) -> tuple[float, Floats]:
    (value_1, by_1), (value_2, by_2) = (contracted(part, lags, weights) for part in (kernel.k1, kernel.k2))
    return value_1 + value_2, np.concatenate([by_1, by_2])


@contracted.register
def _(kernel: Product, lags: Floats, weights: Floats) -> tuple[float, Floats]:
    k1, k2 = kernel.k1, kernel.k2
    if isinstance(k1, ConstantKernel):  # the usual case, for one evaluation
        value, by_theta = contracted(k2, lags, weights)
        value *= k1.constant_value
        return value, np.concatenate([np.full(n_free(k1), value), k1.constant_value * by_theta])
    _, by_1 = contracted(k1, lags, weights * of_lags(k2, lags))
    value, by_2 = contracted(k2, lags, weights * of_lags(k1, lags))
    return value, np.concatenate([by_1, by_2])


def _by_length_scale(kernel: Kernel, squares: Floats, factor: Floats) -> Floats:
    """Derivative by the logarithm of each length scale, or of the one of an isotropic kernel."""
    if kernel.hyperparameter_length_scale.fixed:
        return np.empty((len(squares), 0))
    if not kernel.anisotropic:
        squares = squares.sum(axis=1, keepdims=True)
    return np.asarray(squares * factor[:, None])
