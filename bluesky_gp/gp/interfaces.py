"""The seams inside the Gaussian process: who implements each, and who calls it when.

======  ==================================================  =======================
symbol  meaning                                             shape
======  ==================================================  =======================
N       pixels of the lattice, flat index 0 .. N - 1
S, T    flat indices of some pixels                         (m,), (k,)
K       K_SS + noise                                        (m, m)
W       weights of pairs, symmetric                         (m, m)
======  ==================================================  =======================
"""

from typing import Protocol, Self

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.features_left import Nearest
from bluesky_gp.gp.window import Window
from bluesky_gp.typing import Floats, Indices

NO_VARIANCE = 1e-300
"""Stands for a variance of zero where one is divided by it."""


class Solving(Protocol):
    """Solutions with some K; implemented by every `Solver` and by `BlockSolver`, called by a trend."""

    def solve(self, b: Floats, start: Floats | None = None, *, rough: bool = False) -> Floats:
        """Return ``K^-1 b``, shape ``(m,)`` or ``(m, k)``, from a first guess if there is one.

        `rough`: to six digits, which is enough for a variance.
        """
        ...


class Solver(Solving, Protocol):
    """Solutions with K, the covariance of the measured pixels.

    Implemented by `CholeskySolver` and `IterativeSolver`; made by a `Covariance`, called by posterior and trend.
    """

    @property
    def jitter(self) -> float:
        """Variance added to the diagonal of K, relative to its mean, for want of a factor; 0: none."""
        ...

    @property
    def notes(self) -> str:
        """Approximations made, in words for the record; empty: none."""
        ...

    def reduce(self, cross: Floats) -> Floats:
        """Return ``diag(cross^T K^-1 cross)``, shape ``(k,)``: what measurements take off the variance of k pixels."""
        ...

    def halves(self, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Return a and b with ``a^T b = left^T K^-1 right``, shape ``(m, k)`` each; one array where left is right."""
        ...

    def precision(self) -> Floats | None:
        """Return ``diag(K^-1)``, shape ``(m,)``; None where it would cost a solution a pixel."""
        ...

    def extend(self, prior: "Covariance", S: Indices, new: Indices, noise: Floats) -> Self:
        """Return the solver of pixels S, those of this one, and of some more, whose noise variances are given."""
        ...


class Covariance(Protocol):
    """Covariance of the noise-free target between pixels.

    Implemented by `LatticeCovariance`, `DenseCovariance` and `FeatureCovariance`; called by the posterior, the fit and
    the forecast.
    """

    @property
    def kernel(self) -> Kernel:
        """The scikit-learn kernel, length scales in pixels."""
        ...

    @property
    def variance(self) -> Floats:
        """Prior variance of every pixel, shape ``(N,)``."""
        ...

    @property
    def noise(self) -> float:
        """Variance of the white noise in the kernel."""
        ...

    @property
    def quick(self) -> bool:
        """Whether sums are taken in the quicker order of `numerics` 0.3: other roundings."""
        ...

    @property
    def neighbourhood(self) -> Floats:
        """Sum of the squared correlations of every pixel with all, up to a factor, shape ``(N,)``."""
        ...

    @property
    def ndim(self) -> int:
        """Number of axes."""
        ...

    @property
    def eigenvalues(self) -> tuple[Floats, Floats] | None:
        """Eigenvalues of ``K_NN`` and how many there are of each, per pixel; None where they would cost O(N^3)."""
        ...

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        ...

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        ...

    def pairs(self, S: Indices, T: Indices) -> Floats:
        """Covariance of each pixel of S with that of T in its place, shape ``(m,)``."""
        ...

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``."""
        ...

    def dot(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``."""
        ...

    def among(self, S: Indices) -> "Pairs":
        """Return what a fit to pixels S evaluates, hyperparameters after hyperparameters."""
        ...

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``."""
        ...

    def solver(self, S: Indices, noise: Floats, earlier: Solver | None = None) -> Solver:
        """Return the solver for measured pixels S, whose noise variances beside the kernel's are given.

        `earlier`: that of the first of S for other hyperparameters, from which something may be taken over.
        """
        ...

    def near_column(self, pixel: int, S: Indices, noise: Floats) -> tuple[Window, Floats] | None:
        """Covariance of a pixel with all inside a window around it, outside of which there is none, given S.

        None where it is known everywhere for as little, or to be exact.
        """
        ...

    def nearest_variance(self, S: Indices, noise: Floats) -> Nearest | None:
        """Variance of all pixels, given those of S that are nearest to each; None where the exact one costs little."""
        ...


class StationaryCovariance(Covariance, Protocol):
    """Covariance by the lag of two pixels; implemented by `LatticeCovariance`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis."""
        ...


class TiledCovariance(StationaryCovariance, Protocol):
    """Covariance of pixels with those of a box for little; implemented by `LatticeCovariance`."""

    def box(self, S: Indices, low: Indices, high: Indices) -> Floats:
        """Covariance of pixels S with those of a box, `high` not in it, shape ``(m, k)``."""
        ...


class Pairs(Protocol):
    """Covariance among some pixels, for many hyperparameters.

    Implemented by `LatticePairs`, `DensePairs` and `FeaturePairs`; made by a `Covariance`, called by a fit.
    """

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise, shape ``(m, m)``; of it only the lower triangle counts."""
        ...

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS)_ij / d theta``, shape ``(n_theta,)``, W symmetric: its lower triangle counts."""
        ...

    def times(self, kernel: Kernel, v: Floats) -> Floats:
        """``d(K_SS) / d theta @ v``, shape ``(m, n_theta)``."""
        ...
