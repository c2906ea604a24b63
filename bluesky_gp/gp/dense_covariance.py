"""The prior covariance of the pixels of a grid by any kernel, from their coordinates.

======  ==================================================  =======================
symbol  meaning                                             shape
======  ==================================================  =======================
N       pixels of the lattice, flat index 0 .. N - 1
S, T    flat indices of some pixels                         (m,), (k,)
W       weights of pairs, symmetric                         (m, m)
======  ==================================================  =======================
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.interfaces import Solver
from bluesky_gp.gp.kernels import noise_variance
from bluesky_gp.gp.samplers import FactorSampler
from bluesky_gp.gp.tiles import tiled
from bluesky_gp.grid import PixelGrid
from bluesky_gp.typing import Floats, Indices

_SIDE = 64  # of a block of which the diagonal alone is wanted


@dataclass(frozen=True)
class DensePairs:
    """Coordinates of some pixels."""

    kernel: Kernel
    coordinates: Floats  # (m, ndim)

    def matrix(self, kernel: Kernel) -> Floats:
        """``K_SS`` with the kernel's white noise, shape ``(m, m)``."""
        return np.asarray(kernel(self.coordinates))

    def contract(self, kernel: Kernel, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS)_ij / d theta``, shape ``(n_theta,)``."""
        gradient = kernel(self.coordinates, eval_gradient=True)[1]
        full = np.tril(W) + np.tril(W, -1).T
        return np.asarray(np.einsum("ij,ijk->k", full, gradient))

    def times(self, kernel: Kernel, v: Floats) -> Floats:
        """``d(K_SS) / d theta @ v``, shape ``(m, n_theta)``."""
        return np.asarray(np.einsum("ijk,j->ik", kernel(self.coordinates, eval_gradient=True)[1], v))


@dataclass(frozen=True)
class DenseCovariance:
    """Any scikit-learn kernel on the coordinates of the pixels: every block is a call of the kernel."""

    kernel: Kernel
    coordinates: Floats = field(repr=False)  # (N, ndim)
    variance: Floats = field(repr=False)
    noise: float
    quick: bool = True  # whether sums are taken in the quicker order

    @classmethod
    def of(cls, kernel: Kernel, grid: PixelGrid, *, quick: bool = True) -> Self:
        """Take a kernel of the pixels' coordinates, in pixels.

        Raises
        ------
        ValueError
            If its white noise is not the same everywhere.
        """
        corners = grid.coordinates[[0, -1]]
        noise = kernel.diag(corners) - np.diagonal(kernel(corners, corners))
        if not np.isclose(*noise):
            raise ValueError(f"the white noise of kernel {kernel} is not the same at every pixel")
        return cls._evaluate(kernel, grid.coordinates, quick)

    @classmethod
    def _evaluate(cls, kernel: Kernel, coordinates: Floats, quick: bool) -> Self:
        noise = noise_variance(kernel, coordinates.shape[1])
        return cls(kernel, coordinates, np.asarray(kernel.diag(coordinates)) - noise, noise, quick)

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        return self._evaluate(self.kernel.clone_with_theta(theta), self.coordinates, self.quick)

    @property
    def neighbourhood(self) -> Floats:
        """One for every pixel: without lags the sum of all squared correlations would cost N^2 calls of the kernel."""
        return np.ones(len(self.coordinates))

    @property
    def eigenvalues(self) -> None:
        """None: without lags they would cost O(N^3)."""

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        return np.asarray(self.kernel(self.coordinates[S], self.coordinates[T]))

    def pairs(self, S: Indices, T: Indices) -> Floats:
        """Covariance of each pixel of S with that of T in its place, shape ``(k,)``."""
        tiles = np.array_split(np.arange(len(S)), max(1, len(S) // _SIDE))
        return np.concatenate([np.diagonal(self.block(S[tile], T[tile])) for tile in tiles])

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``."""
        return np.asarray(self.kernel(self.coordinates, self.coordinates[[pixel]])[:, 0])

    def dot(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``."""
        tiles = tiled(len(self.coordinates), len(S))
        return np.concatenate([self.block(tile, S) @ weights for tile in tiles])

    def among(self, S: Indices) -> DensePairs:
        """Return the coordinates of pixels S."""
        return DensePairs(self.kernel, self.coordinates[S])

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``: O(N^3) once."""
        return self._sampler(rng)

    @cached_property
    def _sampler(self) -> FactorSampler:
        return FactorSampler.of(self.block, len(self.coordinates))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self.coordinates.shape[1])

    def solver(self, S: Indices, noise: Floats, earlier: Solver | None = None) -> Solver:
        """Return a dense factor: without lags nothing is faster."""
        return CholeskySolver.of(self, S, noise, quick=self.quick)

    def nearest_variance(self, S: Indices, noise: Floats) -> None:
        """None: without lags the nearest pixels need not be those that say most."""

    def near_column(self, pixel: int, S: Indices, noise: Floats) -> None:
        """None: without lags a pixel may share something with any other."""
