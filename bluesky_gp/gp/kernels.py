"""A scikit-learn kernel as a table over the lags of a lattice.

======  =============================================  ==========================
symbol  meaning                                        shape
======  =============================================  ==========================
n       pixels along each axis                         (ndim,)
lag     difference of two pixels, -(n - 1) .. n - 1    (2 n - 1) a side, flattened
kappa   k(x, x') = kappa(x - x'), without white noise  (n_lags,)
theta   log hyperparameters, in scikit-learn's order   (n_theta,)
======  =============================================  ==========================
"""

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    Exponentiation,
    Hyperparameter,
    Kernel,
    Matern,
    NormalizedKernelMixin,
    Product,
    RationalQuadratic,
    StationaryKernelMixin,
    Sum,
    WhiteKernel,
)

from bluesky_gp.typing import Floats

_ROOT_5 = float(np.sqrt(5.0))
_CHUNK = 64  # lags in one call of an unknown kernel, which evaluates all pairs among them


class RotatedMatern(StationaryKernelMixin, NormalizedKernelMixin, Kernel):  # type: ignore[misc]
    r"""Matern 5/2 kernel of two axes whose metric may be rotated, and whose samples may be rough.

    .. math:: q = \frac{d_r^2}{l_r^2} + \frac{d_c^2}{l_c^2} + 2 \rho \frac{d_r d_c}{l_r l_c}, \qquad
              k = (1 - w) \left(1 + \sqrt{5 q} + \tfrac{5}{3} q\right) e^{-\sqrt{5 q}} + w \, e^{-\sqrt{q}}, \qquad
              \rho = \tanh \log s, \quad w = \frac{u}{1 + u}

    Stripes that run across the axes have one long and one short length scale, which no kernel with a length scale
    per axis can say. Walls and spikes are no noise, though a smooth kernel takes them for some: the share w of the
    variance that has an exponential covariance knows them as part of the map. Matern 5/2 and the exponential: Rasmussen
    & Williams, Gaussian Processes for Machine Learning (2006), eqs. 4.17 and 4.18.

    Parameters
    ----------
    length_scale : pair of float
        ``(l_r, l_c)`` in pixels.
    skew : float
        ``s``; 1 is no rotation, ``1 / s`` the mirror image of ``s``.
    roughness : float
        ``u``; 0 is Matern 5/2.
    length_scale_bounds, skew_bounds, roughness_bounds : pair of float or "fixed"
    """

    def __init__(
        self,
        length_scale: Any = (6.0, 6.0),
        skew: float = 1.0,
        length_scale_bounds: Any = (0.7, 1e3),
        skew_bounds: Any = (0.05, 20.0),
        roughness: float = 0.0,
        roughness_bounds: Any = "fixed",
    ) -> None:
        self.length_scale = length_scale
        self.skew = skew
        self.length_scale_bounds = length_scale_bounds
        self.skew_bounds = skew_bounds
        self.roughness = roughness
        self.roughness_bounds = roughness_bounds

    @property
    def hyperparameter_length_scale(self) -> Hyperparameter:
        """The two length scales."""
        return Hyperparameter("length_scale", "numeric", self.length_scale_bounds, 2)

    @property
    def hyperparameter_roughness(self) -> Hyperparameter:
        """The share of the variance that is rough."""
        return Hyperparameter("roughness", "numeric", self.roughness_bounds)

    @property
    def hyperparameter_skew(self) -> Hyperparameter:
        """The rotation."""
        return Hyperparameter("skew", "numeric", self.skew_bounds)

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """Return ``k(X, Y)``, shape ``(n_X, n_Y)``, and on demand its gradient by theta, ``(n_X, n_X, n_theta)``."""
        X = np.atleast_2d(X)
        lags = X[:, None, :] - np.atleast_2d(X if Y is None else Y)[None, :, :]
        K = self.of_lags(lags)
        return (K, self.gradient_of_lags(lags)) if eval_gradient else K

    def of_lags(self, lags: Floats) -> Floats:
        """Return kappa of lags of shape ``(..., 2)``."""
        a, b, rho = self._scaled(lags)
        r = np.sqrt(np.maximum(a * a + b * b + 2.0 * rho * a * b, 0.0))
        smooth = _matern_52(_ROOT_5 * r)
        return smooth + self._share * (np.exp(-r) - smooth) if self.roughness else smooth

    def gradient_of_lags(self, lags: Floats) -> Floats:
        """Return the derivative of kappa by theta, shape ``(..., n_theta)``."""
        a, b, rho = self._scaled(lags)
        aa, bb, ab = a * a, b * b, a * b
        r = np.sqrt(np.maximum(aa + bb + 2.0 * rho * ab, 0.0))
        s, share = _ROOT_5 * r, self._share
        rough = np.exp(-r)
        by_q = (share - 1.0) * (5.0 / 6.0) * (1.0 + s) * np.exp(-s)
        by_q -= 0.5 * share * rough / np.where(r > 0.0, r, 1.0)  # what it is multiplied by is zero where r is
        parts = []
        if not self.hyperparameter_length_scale.fixed:
            parts += [-2.0 * (aa + rho * ab) * by_q, -2.0 * (bb + rho * ab) * by_q]
        if not self.hyperparameter_roughness.fixed:
            parts += [share * (1.0 - share) * (rough - _matern_52(s))]
        if not self.hyperparameter_skew.fixed:
            parts += [2.0 * (1.0 - rho * rho) * ab * by_q]
        return np.stack(parts, axis=-1) if parts else np.empty((*by_q.shape, 0))

    @property
    def _share(self) -> float:
        return self.roughness / (1.0 + self.roughness)

    def _scaled(self, lags: Floats) -> tuple[Floats, Floats, float]:
        if lags.shape[-1] != 2:
            raise ValueError(f"RotatedMatern is a kernel of two axes, the grid has {lags.shape[-1]}")
        l_r, l_c = self.length_scale
        return lags[..., 0] / l_r, lags[..., 1] / l_c, float(np.tanh(np.log(self.skew)))

    def __repr__(self) -> str:
        lengths = ", ".join(f"{length:.3g}" for length in self.length_scale)
        rough = f", roughness={self.roughness:.3g}" if self.roughness else ""
        return f"RotatedMatern(length_scale=[{lengths}], skew={self.skew:.3g}{rough})"


def _matern_52(s: Floats) -> Floats:
    return np.asarray((1.0 + s + s * s / 3.0) * np.exp(-s))


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


class Dial:
    """A copy of a kernel whose hyperparameters are set many times: scikit-learn looks for them anew every time."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = clone(kernel)
        self._places, start = [], 0
        for leaf in _leaves(self.kernel):
            for h in leaf.hyperparameters:
                if not h.fixed:
                    place = start if h.n_elements == 1 else slice(start, start + h.n_elements)
                    self._places.append((leaf, h.name, place))
                    start += h.n_elements

    def __call__(self, theta: Floats) -> Kernel:
        """Return the kernel, with these hyperparameters until the next call."""
        values = np.exp(theta)
        for leaf, name, place in self._places:
            setattr(leaf, name, values[place])
        return self.kernel


def _leaves(kernel: Kernel) -> Iterator[Kernel]:
    """Yield the kernels that an expression is made of, in the order of its theta."""
    if isinstance(kernel, Sum | Product):
        yield from _leaves(kernel.k1)
        yield from _leaves(kernel.k2)
    elif isinstance(kernel, Exponentiation):
        yield from _leaves(kernel.kernel)
    else:
        yield kernel


def theta_names(kernel: Kernel) -> list[str]:
    """Name of each entry of ``kernel.theta``, as in ``["k1__k2__length_scale[0]", ...]``."""
    names = []
    for h in kernel.hyperparameters:
        if not h.fixed:
            names += [h.name] if h.n_elements == 1 else [f"{h.name}[{i}]" for i in range(h.n_elements)]
    return names


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
def _(kernel: ConstantKernel | RBF | RotatedMatern, ndim: int) -> float:
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


def noise_gradient(kernel: Kernel, ndim: int) -> Floats:
    """Derivative of `noise_variance` by theta, shape ``(n_theta,)``."""
    if isinstance(kernel, Sum):
        return np.concatenate([noise_gradient(kernel.k1, ndim), noise_gradient(kernel.k2, ndim)])
    if isinstance(kernel, WhiteKernel):
        return np.full(kernel.n_dims, kernel.noise_level)
    if noise_variance(kernel, ndim) == 0.0:
        return np.zeros(kernel.n_dims)
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
    return np.zeros((len(lags), len(kernel.theta)))


@gradient_of_lags.register
def _(kernel: ConstantKernel, lags: Floats) -> Floats:
    return np.full((len(lags), len(kernel.theta)), kernel.constant_value)


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


def _by_length_scale(kernel: Kernel, squares: Floats, factor: Floats) -> Floats:
    """Derivative by the logarithm of each length scale, or of the one of an isotropic kernel."""
    if kernel.hyperparameter_length_scale.fixed:
        return np.empty((len(squares), 0))
    if not kernel.anisotropic:
        squares = squares.sum(axis=1, keepdims=True)
    return np.asarray(squares * factor[:, None])
