"""The kernel of the default: Matern 5/2 of two axes, rotated and as rough as it takes."""

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel, NormalizedKernelMixin, StationaryKernelMixin

from bluesky_gp.typing import Floats

_ROOT_5 = float(np.sqrt(5.0))
_NOTHING, _NOTHING_ROUGH = 21.0, 40.0  # root of q at which Matern 5/2, and the exponential, is below 1e-17


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
        if not isinstance(self.length_scale_bounds, str):
            parts += [-2.0 * (aa + rho * ab) * by_q, -2.0 * (bb + rho * ab) * by_q]
        if not isinstance(self.roughness_bounds, str):
            parts += [share * (1.0 - share) * (rough - _matern_52(s))]
        if not isinstance(self.skew_bounds, str):
            parts += [2.0 * (1.0 - rho * rho) * ab * by_q]
        return np.stack(parts, axis=-1) if parts else np.empty((*by_q.shape, 0))

    def contracted(self, lags: Floats, weights: Floats) -> tuple[float, Floats]:
        """Return ``weights @ kappa``, and ``weights @ gradient_of_lags(lags)``, lags of shape ``(n, 2)``."""
        a, b, rho = self._scaled(lags)
        r = np.sqrt(np.maximum(a * a + b * b + 2.0 * rho * a * b, 0.0))
        s, share = _ROOT_5 * r, self._share
        rough, smooth = np.exp(-r), np.exp(-s)
        by_q = (share - 1.0) * (5.0 / 6.0) * (1.0 + s) * smooth
        by_q -= 0.5 * share * rough / np.where(r > 0.0, r, 1.0)
        by_q *= weights
        by_a = by_q * a
        aa, ab, bb = float(by_a @ a), float(by_a @ b), float((by_q * b) @ b)
        on_rough, on_smooth = float(weights @ rough), float(weights @ ((1.0 + s + s * s / 3.0) * smooth))
        parts: list[float] = []
        if not isinstance(self.length_scale_bounds, str):
            parts += [-2.0 * (aa + rho * ab), -2.0 * (bb + rho * ab)]
        if not isinstance(self.roughness_bounds, str):
            parts += [share * (1.0 - share) * (on_rough - on_smooth)]
        if not isinstance(self.skew_bounds, str):
            parts += [2.0 * (1.0 - rho * rho) * ab]
        return on_smooth + share * (on_rough - on_smooth), np.array(parts)

    @property
    def n_free(self) -> int:
        """Length of theta."""
        free = [not isinstance(bounds, str) for bounds in (self.roughness_bounds, self.skew_bounds)]
        return 2 * (not isinstance(self.length_scale_bounds, str)) + sum(free)

    @property
    def support(self) -> Floats:
        """Lag along each axis beyond which it is below 1e-17, shape ``(2,)``."""
        rho = float(np.tanh(np.log(self.skew)))
        far = (_NOTHING_ROUGH if self.roughness else _NOTHING) / float(np.sqrt(1.0 - rho * rho))
        return np.asarray(far * np.array(self.length_scale))

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
