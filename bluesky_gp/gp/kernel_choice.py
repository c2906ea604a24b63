"""The kernel to be fitted, with what is believed of its hyperparameters before the first pixel.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
theta   log hyperparameters, in scikit-learn's order              (n_theta,)
A       linear combinations of theta that have a prior            (k, n_theta)
======  ========================================================  ============
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

from bluesky_gp.gp.block_diagonal import block_diagonal
from bluesky_gp.gp.feature_kernel import FeatureKernel
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.gp.starts import CANDIDATES, candidate_starts
from bluesky_gp.typing import Floats

_ROUGHNESS = 0.05  # typical, as a share of the variance: a smooth map
_RELEVANCE = 0.02, 2.0  # typical, as a share of the variance, and by what factor it may be off, as a logarithm
_RELEVANCE_SCALE = 0.5  # how open data leave it
_RELEVANT = (0.05, 0.01)  # where fits start
_LENGTH = 6.0  # pixels: the typical length scale of a map that somebody chose the step for


@dataclass(frozen=True)
class LinearPrior:
    """Independent normal priors on linear combinations of theta: ``A theta ~ N(mean, std^2)``."""

    A: Floats
    mean: Floats
    std: Floats

    def log_density(self, theta: Floats) -> tuple[float, Floats]:
        """Return the logarithm of the density, without its constant, and its gradient."""
        z = (self.A @ theta - self.mean) / self.std
        return -0.5 * float(z @ z), -self.A.T @ (z / self.std)

    @property
    def precision(self) -> Floats:
        """Minus its curvature, shape ``(n_theta, n_theta)``."""
        scaled = self.A / self.std[:, None]
        return scaled.T @ scaled


@dataclass(frozen=True)
class KernelChoice:
    """A kernel to be fitted: where the fit starts and what is believed before the first pixel."""

    kernel: Kernel
    prior: LinearPrior | None = None
    starts: tuple[Floats, ...] = ()
    scale: Floats | None = None  # (n_theta,), how open data typically leave each: fits step in it; None: all alike
    candidates: tuple[Floats, ...] = ()  # further starts, of which the most probable are taken
    n_restarts: int = 0  # so many
    by_curvature: bool = False  # see `FitProblem`

    @classmethod
    def of(cls, kernel: Kernel) -> Self:
        """Take a user's kernel: its own values are where fits start, its bounds are all that is believed."""
        return cls(kernel, None, (kernel.theta,))

    def searching(self, shape: tuple[int, ...], n_restarts: int) -> Self:
        """Return the same kernel, fitted from so many starts more, which are chosen for a grid of this shape."""
        candidates = candidate_starts(self.kernel, shape, CANDIDATES * n_restarts)
        return replace(self, candidates=candidates, n_restarts=n_restarts)

    def believing(self, theta: Floats, std: float) -> Self:
        """Return the same kernel with another fit's hyperparameters as its prior, and as where fits start.

        Parameters
        ----------
        theta : ndarray, shape (n_theta,)
            Logarithms of the hyperparameters of another map, as `gp_kernel_theta` of its run.
        std : float
            How far they may be off: 0.5 is a factor of 1.6.
        """
        theta, n = np.asarray(theta, dtype=np.float64), len(self.kernel.theta)
        if theta.shape != (n,) or not np.isfinite(theta).all() or not std > 0.0:
            raise ValueError(
                f"PixelOptimizer: prior must hold 'theta', {n} logarithms of the hyperparameters of {self.kernel}, "
                f"and a positive 'std', got {theta.tolist()} and {std}"
            )
        belief = LinearPrior(np.eye(n), theta, np.full(n, std))
        return replace(self, kernel=self.kernel.clone_with_theta(theta), prior=belief, starts=(theta,))

    def sharing(self, ranks: Sequence[int]) -> Self:
        """Return the same kernel plus one of features, in groups of so many; log relevance ~ N(log 0.02, 2) for each.

        Fits start where a group explains a twentieth of the variance, and where it explains next to nothing.
        """
        n, groups = len(self.kernel.theta), len(ranks)
        typical, std = np.full(groups, np.log(_RELEVANCE[0])), np.full(groups, _RELEVANCE[1])
        known = _none(n) if self.prior is None else self.prior
        A = block_diagonal(known.A, np.eye(groups))
        prior = LinearPrior(A, np.append(known.mean, typical), np.append(known.std, std))
        relevance = np.exp(typical) if groups > 1 else float(np.exp(typical[0]))
        starts = [np.append(start, np.full(groups, np.log(a))) for start in self.starts[:2] for a in _RELEVANT]
        return type(self)(
            self.kernel + FeatureKernel(relevance, tuple(ranks)),
            prior,
            tuple(starts),
            None if self.scale is None else np.append(self.scale, np.full(groups, _RELEVANCE_SCALE)),
            tuple(np.append(candidate, typical) for candidate in self.candidates),
            self.n_restarts,
            self.by_curvature,
        )

    def timed(self, time: "KernelChoice") -> Self:
        """Return the same kernel plus one of seconds, behind it in theta, with the priors of both."""
        n, k = len(self.kernel.theta), len(time.kernel.theta)
        priors = [_none(n) if self.prior is None else self.prior, _none(k) if time.prior is None else time.prior]
        means, stds = (np.concatenate([getattr(prior, name) for prior in priors]) for name in ("mean", "std"))
        scales = [np.ones(n) if self.scale is None else self.scale, np.ones(k) if time.scale is None else time.scale]
        return type(self)(
            self.kernel + time.kernel,
            LinearPrior(block_diagonal(*(prior.A for prior in priors)), means, stds),
            tuple(np.append(start, other) for start in self.starts for other in time.starts),
            None if self.scale is None else np.concatenate(scales),
            tuple(np.append(candidate, time.kernel.theta) for candidate in self.candidates),
            self.n_restarts,
            self.by_curvature,
        )

    @classmethod
    def default(cls, shape: tuple[int, ...]) -> Self:
        """Return the default: Matern 5/2, on two axes rotated and as rough as it takes, with weakly informative priors.

        In pixels and standardised units: mean of log length scales ~ N(log 6, 1), their differences ~ N(0, 0.7),
        rotation t ~ N(0, 0.7), log roughness ~ N(log 0.05, 2), log(noise / amplitude variance) ~ N(log 0.02, 1.5).
        """
        ndim = len(shape)
        bounds = (0.7, 1.5 * max(shape) + 1.0)
        scales = (min(_LENGTH, bounds[1]),) * ndim
        if ndim == 2:
            shape_kernel = RotatedMatern(scales, 1.0, bounds, roughness=_ROUGHNESS, roughness_bounds=(1e-4, 1e2))
        else:
            shape_kernel = Matern(scales, bounds, nu=2.5)
        kernel = ConstantKernel(1.0, (1e-4, 1e4)) * shape_kernel + WhiteKernel(0.01, (1e-7, 1e2))
        return cls(kernel, _default_prior(ndim), _default_starts(ndim, bounds), _default_scale(ndim))


def _none(n: int) -> LinearPrior:
    """Return that nothing is believed of so many hyperparameters."""
    return LinearPrior(np.empty((0, n)), np.empty(0), np.empty(0))


def _default_prior(ndim: int) -> LinearPrior:
    """Normal priors over theta = (log amplitude, log l of each axis, [log roughness, t], log noise)."""
    unit = np.eye(1 + ndim + 2 * (ndim == 2) + 1)
    lengths = unit[1 : 1 + ndim]
    beliefs = [(lengths.mean(axis=0), np.log(_LENGTH), 1.0)]
    beliefs += [(first - second, 0.0, 0.7) for first, second in zip(lengths[:-1], lengths[1:], strict=True)]
    if ndim == 2:
        beliefs += [(unit[3], np.log(_ROUGHNESS), 2.0), (unit[4], 0.0, 0.7)]
    beliefs.append((unit[-1] - unit[0], np.log(0.02), 1.5))
    return LinearPrior(*(np.array(column) for column in zip(*beliefs, strict=True)))


def _default_starts(ndim: int, bounds: tuple[float, float]) -> tuple[Floats, ...]:
    """Short length scales first: from long ones a rough map is taken for noise and stays so."""

    def start(length: float, t: float) -> Floats:
        metric = [np.log(_ROUGHNESS), t] if ndim == 2 else []
        return np.array([0.0, *[np.log(min(length, bounds[1]))] * ndim, *metric, np.log(0.01)])

    tilts = (0.8, -0.8) if ndim == 2 else ()
    return (start(3.0, 0.0), start(8.0, 0.0), *[start(3.0, t) for t in tilts])


def _default_scale(ndim: int) -> Floats:
    """In units of these, L-BFGS takes three quarters of the evaluations: roughness is known least, by far."""
    metric = [1.0, 0.15] if ndim == 2 else []
    return np.array([0.3, *[0.15] * ndim, *metric, 0.3])
