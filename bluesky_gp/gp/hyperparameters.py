"""Hyperparameters: marginal likelihood, priors and the fit.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
theta   log hyperparameters, in scikit-learn's order              (n_theta,)
y, S    values and flat indices of the pixels that have one       (m,)
alpha   K^-1 (y - trend)                                          (m,)
A       linear combinations of theta that have a prior            (k, n_theta)
======  ========================================================  ============
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from scipy.spatial import KDTree
from scipy.special import chdtri
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

from bluesky_gp.gp.blas import blas_threads
from bluesky_gp.gp.covariance import DenseCovariance, LatticeCovariance, Pairs
from bluesky_gp.gp.kernels import Dial, RotatedMatern
from bluesky_gp.gp.solvers import CholeskySolver
from bluesky_gp.gp.trend import Trend
from bluesky_gp.typing import Floats, Indices

_MANY_STARTS = 60  # measured pixels up to which every fit starts from all of `starts`
_RESTARTS = (80, 100, 150, 200)  # and counts at which it starts from the first of them once more
LIKELIHOOD = 1000  # measured pixels that a fit looks at
_CLUSTER = 100
_FEW = 600  # values beyond which a part of them compares the starts
_FTOL = 1e-6  # of the log posterior density: a thousandth of what tells hyperparameters apart
_FIRST_STEPS = 4  # of L-BFGS from every start, after which the highest goes on alone: it is the one that leads highest
_BROKEN = 1e25  # negative log density where there is none: a number, as L-BFGS goes on from it
_ROUGHNESS = 0.05  # typical, as a share of the variance: a smooth map
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


@dataclass(frozen=True)
class KernelChoice:
    """A kernel to be fitted: where the fit starts and what is believed before the first pixel."""

    kernel: Kernel
    prior: LinearPrior | None = None
    starts: tuple[Floats, ...] = ()
    scale: Floats | None = None  # (n_theta,), how open data typically leave each: fits step in it; None: all alike

    @classmethod
    def of(cls, kernel: Kernel) -> Self:
        """Take a user's kernel: its own values are where fits start, its bounds are all that is believed."""
        return cls(kernel, None, (kernel.theta,))

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


class Likelihood(NamedTuple):
    """Log marginal likelihood of theta and its gradient."""

    value: float
    gradient: Floats


def log_marginal_likelihood(
    kernel: Kernel, pairs: Pairs, trend: Trend, S: Indices, y: Floats, noise: Floats
) -> Likelihood:
    r"""Logarithm of the probability of the values at S, the trend's coefficients at their estimate.

    .. math:: -\tfrac12 r^T K^{-1} r - \tfrac12 \log\det K - \tfrac m2 \log 2\pi, \quad
              \partial_\theta = \tfrac12 \mathrm{tr}\,(\alpha\alpha^T - K^{-1})\,\partial_\theta K

    Rasmussen & Williams (2006), eqs. 5.8 and 5.9. The estimate of the trend minimises the first term, so that the
    gradient has no part from it.

    Parameters
    ----------
    kernel : scikit-learn kernel
    pairs : Pairs
        What the covariance has among S, from ``covariance.among(S)``.
    trend : Trend
    S, y, noise : ndarray, shape (m,)
        Pixels, their values, and noise variances beside the kernel's.
    """
    K = pairs.matrix(kernel)
    K[np.diag_indices(len(S))] += noise
    solver = CholeskySolver.factorise(K)
    fitted = trend.estimate(S, y, solver)
    quadratic = float(fitted.residual @ fitted.alpha)
    value = -0.5 * (quadratic + solver.log_determinant + len(y) * np.log(2.0 * np.pi))
    W = np.outer(fitted.alpha, fitted.alpha) - solver.inverse()
    return Likelihood(float(value), 0.5 * pairs.contract(kernel, W))


class Fit(NamedTuple):
    """What a fit found."""

    theta: Floats
    log_marginal_likelihood: float
    evaluations: int
    converged: bool = True


@dataclass(frozen=True)
class FitProblem:
    """Values whose posterior density of theta is to be maximised."""

    covariance: LatticeCovariance | DenseCovariance
    prior: LinearPrior | None
    trend: Trend
    S: Indices
    y: Floats
    noise: Floats
    scale: Floats | None = None  # of the steps, see `KernelChoice`

    @cached_property
    def _pairs(self) -> Pairs:
        return self.covariance.among(self.S)

    @cached_property
    def _kernel_of(self) -> Dial:
        return Dial(self.covariance.kernel)

    def objective(self, theta: Floats) -> tuple[float, Floats]:
        """Return the negative log posterior density of theta and its gradient; infinite where K breaks down."""
        kernel = self._kernel_of(theta)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                value, gradient = log_marginal_likelihood(kernel, self._pairs, self.trend, self.S, self.y, self.noise)
        except np.linalg.LinAlgError:
            return _BROKEN, np.zeros_like(theta)
        if self.prior is not None:
            log_density, by_theta = self.prior.log_density(theta)
            value, gradient = value + log_density, gradient + by_theta
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return _BROKEN, np.zeros_like(theta)
        return -value, -gradient

    def solve(self, starts: list[Floats]) -> Fit:
        """Maximise within the kernel's bounds: a few steps from each start, then on from the highest place reached.

        With very many values a part of them decides which start that is.
        """
        bounds = self.covariance.kernel.bounds
        if not len(bounds):
            return Fit(np.empty(0), -self.objective(np.empty(0))[0], 1)
        starts = [np.clip(start, bounds[:, 0], bounds[:, 1]) for start in starts]
        evaluations = 0
        with blas_threads(len(self.S)):
            if len(starts) > 1:
                looked_at = self if len(self.S) <= _FEW else self._some(_FEW // 2)
                tried = [looked_at.climb(start, _FIRST_STEPS) for start in starts]
                evaluations = sum(each.nfev for each in tried)
                starts = [min(tried, key=lambda each: float(each.fun)).x]
            best = self.climb(starts[0])
        log_prior = 0.0 if self.prior is None else self.prior.log_density(best.x)[0]
        return Fit(np.asarray(best.x), float(-best.fun - log_prior), evaluations + best.nfev, bool(best.success))

    def climb(self, start: Floats, steps: int = 15000) -> OptimizeResult:
        """Maximise from one start, by at most so many steps of L-BFGS."""
        bounds, options = self.covariance.kernel.bounds, {"ftol": _FTOL, "maxiter": steps}
        scale = np.ones(len(bounds)) if self.scale is None else self.scale

        def scaled(z: Floats) -> tuple[float, Floats]:
            value, gradient = self.objective(z * scale)
            return value, gradient * scale

        within = bounds / scale[:, None]
        found = minimize(scaled, start / scale, jac=True, method="L-BFGS-B", bounds=within, options=options)
        found.x = np.clip(found.x * scale, *bounds.T)
        return found

    def _some(self, count: int) -> "FitProblem":
        """Return the problem of a random part of the values."""
        chosen = np.sort(np.random.default_rng(len(self.S)).choice(len(self.S), count, replace=False))
        return replace(self, S=self.S[chosen], y=self.y[chosen], noise=self.noise[chosen])


def refit_due(n_measured: int, n_fitted: int) -> bool:
    """Say whether enough pixels came since the last fit.

    Every batch to 150, then 20 more, then 40 more or a tenth: the share of new pixels falls, and with it what they
    can change, while the cost of a fit grows as m^3.
    """
    fresh = n_measured - n_fitted
    if n_measured <= 150:
        return fresh > 0
    return fresh >= (20 if n_measured <= 250 else max(40, n_fitted // 10))


def contradicts(z: Floats) -> bool:
    """Say whether new values contradict the model: their standardised errors of prediction, shape ``(k,)``.

    The sum of squares of k of them is chi-squared distributed with k degrees of freedom where the model is right (the
    correlation of neighbours apart); beyond its 0.1 % quantile the hyperparameters are fitted again at once.
    """
    return bool(z @ z > chdtri(len(z), 1e-3)) if len(z) else False


def likelihood_pixels(S: Indices, places: Floats) -> Indices:
    """Choose which of very many measured pixels a fit looks at: places in S, shape ``(min(m, 1000),)``.

    Ten clusters of a hundred neighbours: pairs at short lags, which say what the noise is and how smooth the map, and
    at long ones. A thousand pixels know the hyperparameters to a few per cent, and cost 40 ms an evaluation.
    """
    if len(S) <= LIKELIHOOD:
        return np.arange(len(S))
    rng = np.random.default_rng(len(S))
    centres = rng.choice(len(S), LIKELIHOOD // _CLUSTER, replace=False)
    chosen = np.unique(KDTree(places).query(places[centres], k=_CLUSTER)[1])
    others = np.setdiff1d(np.arange(len(S)), chosen)
    return np.sort(np.concatenate([chosen, rng.choice(others, LIKELIHOOD - len(chosen), replace=False)]))


def starts_for(choice: KernelChoice, theta: Floats, n_measured: int, n_fitted: int) -> list[Floats]:
    """Return where a fit starts: at the last hyperparameters, and elsewhere while few pixels may have misled them."""
    if n_measured <= _MANY_STARTS:
        return [theta, *choice.starts]
    restart = any(n_fitted < count <= n_measured for count in _RESTARTS)
    return [theta, *choice.starts[:1]] if restart else [theta]


def outlier_noise(problem: FitProblem, theta: Floats, threshold: float) -> Floats:
    """Variance to add to values that the others contradict, shape ``(m,)``; zero for all the rest.

    The value with the largest leave-one-out error (Rasmussen & Williams 2006, eq. 5.12) gets so much noise that its
    error is `threshold` standard deviations of its prediction; then the next, until none exceeds that. One after
    another, because an outlier makes its neighbours look like ones. At most a tenth of the values are doubted.
    """
    K = problem.covariance.among(problem.S).matrix(problem.covariance.kernel.clone_with_theta(theta))
    K[np.diag_indices(len(problem.S))] += problem.noise
    extra = np.zeros(len(problem.S))
    for _ in range(max(1, len(extra) // 10)):
        solver = CholeskySolver.factorise(K + np.diag(extra))
        precision = np.diagonal(solver.inverse())
        error = problem.trend.estimate(problem.S, problem.y, solver).alpha / precision
        too_far = (error / threshold) ** 2 - 1.0 / precision
        worst = int(np.argmax(too_far * precision))
        if too_far[worst] * precision[worst] <= 1e-6:
            break
        extra[worst] += too_far[worst]
    return extra
