"""Acquisition functions: where the next measurement is worth most; larger is better.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
mean    posterior mean of the noise-free target at the candidates          (k,)
std     its standard deviation                                             (k,)
best    incumbent: the best posterior mean among the measured pixels       ()
z       (mean - best - xi) / std                                           (k,)
======  =================================================================  =====
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from bluesky_gp.protocols import AcquisitionContext
from bluesky_gp.settings import check_number
from bluesky_gp.typing import Floats

LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
NO_SPREAD = 1e-150  # stands for a standard deviation of zero
FAR = 1e150  # standard deviations: as far below the incumbent as a square is still a number


@dataclass(frozen=True)
class ExpectedImprovement:
    r"""Logarithm of the expected improvement over the incumbent.

    .. math:: \log \left( \sigma \left( \varphi(z) + z \Phi(z) \right) \right)

    The incumbent is the best posterior mean of the measured pixels, not the best value, which would be noise in part:
    this is the improvement for noisy targets.

    Its logarithm, because the improvement itself is zero in floating point 39 standard deviations below the
    incumbent, where a choice still has to be made. Jones, Schonlau & Welch 1998, eq. 15; logarithm: Ament et al.
    2023, arXiv:2310.20708, eq. 9.

    Parameters
    ----------
    xi : float
        What an improvement must exceed to count, in the target's unit.
    """

    xi: float = 0.0

    logarithmic: ClassVar[bool] = True  # for `combined`: the score is a logarithm
    by_pixel: ClassVar[bool] = True  # the score of a pixel follows from its own mean and deviation

    def __post_init__(self) -> None:
        check_number("ExpectedImprovement", "xi", self.xi)

    def __call__(self, mean: Floats, std: Floats, best: float, *, rng: np.random.Generator) -> Floats:
        """Score candidates, shape ``(k,)``."""
        return log_expected_improvement(mean, std, best + self.xi)


@dataclass(frozen=True)
class ProbabilityOfImprovement:
    r"""Logarithm of the probability to exceed the incumbent, :math:`\log \Phi(z)`. Kushner 1964.

    Parameters
    ----------
    xi : float
        By how much it must be exceeded, in the target's unit. At zero the function creeps along beside the incumbent.
    """

    xi: float = 0.0

    logarithmic: ClassVar[bool] = True  # for `combined`: the score is a logarithm
    by_pixel: ClassVar[bool] = True  # the score of a pixel follows from its own mean and deviation

    def __post_init__(self) -> None:
        check_number("ProbabilityOfImprovement", "xi", self.xi)

    def __call__(self, mean: Floats, std: Floats, best: float, *, rng: np.random.Generator) -> Floats:
        """Score candidates, shape ``(k,)``."""
        return np.asarray(log_ndtr(deviations(mean, std, best + self.xi)))


@dataclass(frozen=True)
class ConfidenceBound:
    r"""Upper confidence bound, :math:`\mu + \beta \sigma`. Srinivas et al. 2010, arXiv:0912.3995, eq. 6.

    Parameters
    ----------
    beta : float
        Standard deviations added to the mean; the larger, the more is explored.
    """

    beta: float = 2.0

    by_pixel: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("ConfidenceBound", "beta", self.beta)

    def __call__(self, mean: Floats, std: Floats, best: float, *, rng: np.random.Generator) -> Floats:
        """Score candidates, shape ``(k,)``."""
        return np.asarray(mean + self.beta * std)


@dataclass(frozen=True)
class ConfidenceSchedule:
    r"""Upper confidence bound whose width grows with the number of values: no regret in the long run ("GP-UCB").

    .. math:: \mu + \sqrt{s \beta_t} \sigma, \quad \beta_t = 2 \log \frac{|D| t^2 \pi^2}{6 \delta}

    Srinivas et al. 2010, arXiv:0912.3995, theorem 1: t values, a grid of :math:`|D|` pixels that are not masked.

    Parameters
    ----------
    delta : float
        Probability, at most, with which the theorem's bound fails.
    scale : float
        What the theorem's :math:`\beta_t` is multiplied by. Its authors took 1/5 in their experiments (section 6); the
        theorem itself is 1.
    """

    delta: float = 0.1
    scale: float = 0.2

    def __post_init__(self) -> None:
        check_number("ConfidenceSchedule", "delta", self.delta, above=0.0)
        check_number("ConfidenceSchedule", "scale", self.scale, above=0.0)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        t, size = max(len(context.measured), 1), int(context.grid.allowed.sum())
        beta = 2.0 * np.log(size * t**2 * np.pi**2 / (6.0 * self.delta))
        return np.asarray(context.mean + np.sqrt(self.scale * max(beta, 0.0)) * context.std)


@dataclass(frozen=True)
class PosteriorUncertainty:
    """Standard deviation of the posterior: active learning of the whole map. MacKay 1992."""

    by_pixel: ClassVar[bool] = True

    def __call__(self, mean: Floats, std: Floats, best: float, *, rng: np.random.Generator) -> Floats:
        """Score candidates, shape ``(k,)``."""
        return std


def deviations(mean: Floats, std: Floats, bar: float | Floats) -> Floats:
    """By how many standard deviations the mean lies above a bar; at least -1e150, which has a square."""
    with np.errstate(over="ignore"):
        return np.asarray(np.maximum((mean - bar) / np.maximum(std, NO_SPREAD), -FAR))


def log_expected_improvement(mean: Floats, std: Floats, bar: float | Floats) -> Floats:
    """Logarithm of the expected improvement over a bar, of any shape; see `ExpectedImprovement`."""
    return np.asarray(log_improvement(deviations(mean, std, bar)) + np.log(np.maximum(std, NO_SPREAD)))


def log_improvement(z: Floats) -> Floats:
    r"""Logarithm of :math:`h(z) = \varphi(z) + z \Phi(z)`, to full precision however negative z is."""
    z = np.asarray(z, dtype=np.float64)
    near = z > -1.0
    if not near.any():
        return _log_h_far(z)
    result = np.empty(z.shape)
    result[near] = _log_h_near(z[near])
    result[~near] = _log_h_far(z[~near])
    return result


def _log_h_near(z: Floats) -> Floats:
    density = np.exp(-0.5 * np.minimum(z, 40.0) ** 2 - LOG_SQRT_2PI)  # zero beside z from 9 on; z * z may overflow
    return np.asarray(np.log(density + z * ndtr(z)))


def _log_h_far(z: Floats) -> Floats:
    # h = phi(z) (1 - r), r = |z| sqrt(pi / 2) erfcx(|z| / sqrt 2) -> 1: the difference cancels as z^-2, and beyond
    # 1e3 standard deviations (half of the digits) its series 1 / z^2 - 3 / z^4 is closer.
    near = np.maximum(z, -1e3)
    factor = np.asarray(np.log1p(np.sqrt(0.5 * np.pi) * near * erfcx(-near / np.sqrt(2.0))))
    beyond = z < -1e3
    if beyond.any():
        inverse_square = z[beyond] ** -2.0
        factor[beyond] = np.log(inverse_square) + np.log1p(-3.0 * inverse_square)
    return np.asarray(-0.5 * z * z - LOG_SQRT_2PI + factor)
