r"""Acquisition functions that ask joint samples of the whole map.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
g       gains of the pixels chosen since the samples were drawn            (r, N)
z       (maximum of a sample - mean) / std                                 (s, k)
======  =================================================================  =====
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import erfcx

from bluesky_gp.acquisition.improvement import LOG_SQRT_2PI, deviations
from bluesky_gp.gp import tiled
from bluesky_gp.protocols import AcquisitionContext, Fantasy
from bluesky_gp.settings import check_whole
from bluesky_gp.typing import Floats

_LEAST_PROBABILITY = 1e-300  # of which a logarithm is taken


@dataclass(frozen=True)
class ThompsonSampling:
    """One joint sample of the map for each place of the batch: its maximum is chosen.

    Thompson 1933; as a batch: Kandasamy et al. 2018, arXiv:1705.09236, algorithm 2. Each sample knows that the pixels
    chosen before will be measured.
    """

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``: the sample there, in the target's unit."""
        key = f"{self!r} {len(context.posterior.fantasies)}"
        sample: Floats = context.once(key, lambda: context.samples(1)[0])
        return sample[context.pixels]


@dataclass(frozen=True)
class MaxValueEntropy:
    r"""Logarithm of what a measurement tells of the maximum's value, in nats.

    .. math:: \log \frac{1}{s} \sum_i \left( \frac{z_i \varphi(z_i)}{2 \Phi(z_i)} - \log \Phi(z_i) \right)

    Wang & Jegelka 2017, arXiv:1703.01968, eq. 6. The maxima are those of joint samples of the map; what a measurement
    tells does not depend on the target's unit, nor on a transformation.

    Parameters
    ----------
    num_samples : int
    """

    num_samples: int = 32

    logarithmic: ClassVar[bool] = True  # for `combined`: the score is a logarithm

    def __post_init__(self) -> None:
        check_whole("MaxValueEntropy", "num_samples", self.num_samples, 1)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        posterior, pixels = context.posterior, context.pixels
        maxima = joint_samples(context, self.num_samples)[:, context.grid.allowed].max(axis=1)
        mean, std, told = posterior.mean[pixels], np.sqrt(posterior.variance[pixels]), np.empty(len(pixels))
        for tile in tiled(len(pixels), len(maxima)):
            z = -deviations(mean[tile], std[tile], maxima[:, None])
            each = log_information(z)
            most = each.max(axis=0)
            told[tile] = most + np.log(np.exp(each - most).sum(axis=0))
        return np.asarray(told - np.log(self.num_samples))


def joint_samples(context: AcquisitionContext, num: int) -> Floats:
    """Joint samples of the map, shape ``(num, N)``, standardised; the same all through a batch.

    As each pixel of the batch is chosen, they are corrected for its measurement, which is exact and costs no solution
    (Matheron's rule: Wilson et al. 2020, arXiv:2002.09309, eq. 9).
    """
    posterior, name = context.posterior, f"{num} joint samples"
    n_before, errors = context.once(
        name,
        lambda: (
            len(posterior.fantasies),
            np.stack([posterior.sample(context.rng) for _ in range(num)]) - posterior.mean,
        ),
    )
    since = posterior.fantasies[n_before:]
    weights = np.empty((num, 0))
    for number, fantasy in enumerate(since):
        noise = context.once(f"{name}, noise {number}", lambda: context.rng.standard_normal(num))
        error = errors[:, fantasy.pixel] - weights @ gains(since[:number], len(posterior.mean))[:, fantasy.pixel]
        weight = (error + np.sqrt(fantasy.noise) * noise) / fantasy.std
        weights = np.column_stack([weights, weight])
    return np.asarray(posterior.mean + errors - weights @ gains(since, len(posterior.mean)))


def gains(fantasies: Sequence[Fantasy], n_pixels: int) -> Floats:
    """Gains of pixels taken as measured, shape ``(r, N)``: ``g.T @ g`` is what they took off the covariance."""
    return np.array([fantasy.gain for fantasy in fantasies]).reshape(-1, n_pixels)


def log_information(z: Floats) -> Floats:
    r"""Logarithm of :math:`z \varphi(z) / 2 \Phi(z) - \log \Phi(z)`, to full precision however large z is."""
    z = np.asarray(z, dtype=np.float64)
    result, above = _log_information_below(np.maximum(z, 0.0)), z < 0.0
    if above.any():
        result[above] = _log_information_above(-z[above])
    return result


def _log_information_below(z: Floats) -> Floats:
    # Both terms with the density taken out: it is zero in floating point from 39 on, and they are not.
    over_density = np.sqrt(0.5 * np.pi) * erfcx(z / np.sqrt(2.0))  # (1 - Phi) / phi
    log_density = -0.5 * z * z - LOG_SQRT_2PI
    rest = np.maximum(np.exp(log_density) * over_density, _LEAST_PROBABILITY)  # 1 - Phi
    return np.asarray(log_density + np.log(0.5 * z / (1.0 - rest) - over_density * np.log1p(-rest) / rest))


def _log_information_above(t: Floats) -> Floats:
    # phi / Phi at -t is t + 1 / t - 2 / t^3 ...: beyond 1e3 the difference to t has lost half of its digits.
    near = np.minimum(t, 1e3)
    exact = 0.5 * near * (near - np.sqrt(2.0 / np.pi) / erfcx(near / np.sqrt(2.0)))
    series = np.maximum(t, 1e3) ** -2.0 - 0.5
    return np.asarray(np.log(np.where(t < 1e3, exact, series) - np.log(0.5 * erfcx(t / np.sqrt(2.0)))))
