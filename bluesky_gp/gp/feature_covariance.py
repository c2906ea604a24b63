r"""The prior covariance of pixels that also share features: a lattice's, and one of low rank beside it.

======  ==================================================  =======================
symbol  meaning                                             shape
======  ==================================================  =======================
N       pixels of the lattice, flat index 0 .. N - 1
S, T    flat indices of some pixels                         (m,), (k,)
U       features of all pixels, group beside group          (N, r)
a       relevance of each feature: that of its group        (r,)
V       features times the root of their relevance          (N, r)
W       weights of pairs, symmetric                         (m, m)
======  ==================================================  =======================

.. math:: K = K_{lattice} + \sum_g a_g U_g U_g^T = K_{lattice} + V V^T

Low-rank covariances: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), section 8.1; a sum with a
spatial one: Cressie & Johannesson 2008, J. R. Stat. Soc. B 70, 209.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas, cholesky, solve_triangular
from sklearn.gaussian_process.kernels import Sum

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.feature_kernel import FeatureKernel
from bluesky_gp.gp.features_left import FeaturesLeft, Nearest
from bluesky_gp.gp.interfaces import Covariance, Pairs, Solver
from bluesky_gp.gp.iterative import IterativeSolver
from bluesky_gp.gp.lattice_covariance import DENSE_BEFORE, LatticeCovariance
from bluesky_gp.gp.window import Window
from bluesky_gp.typing import Floats, Indices

_OFF = 1e-5  # relevance up to which a group is switched off: a thousandth of what noise there is


@dataclass(frozen=True)
class FeaturePairs:
    """Pairs of pixels, and what each group of features has in common among them."""

    pairs: Pairs
    lower: npt.NDArray[np.bool_]  # (m, m)
    common: Floats  # (groups, m (m + 1) / 2), U_g U_g^T, its lower triangle row by row

    @classmethod
    def of(cls, pairs: Pairs, groups: list[Floats]) -> Self:
        """Take the features of the pixels, shape ``(m, r_g)`` for each group."""
        lower = np.tri(len(groups[0]), dtype=bool)
        return cls(pairs, lower, np.stack([(group @ group.T)[lower] for group in groups]))

    def matrix(self, kernel: Sum) -> Floats:
        """``K_SS`` with the kernel's white noise; its lower triangle."""
        K = self.pairs.matrix(kernel.k1)
        K[self.lower] += np.atleast_1d(kernel.k2.relevance) @ self.common
        return K

    def contract(self, kernel: Sum, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS)_ij / d theta``, of a group ``a_g sum_ij W_ij (U_g U_g^T)_ij``."""
        by_kernel = self.pairs.contract(kernel.k1, W)
        if kernel.k2.hyperparameter_relevance.fixed:
            return by_kernel
        twice = 2.0 * W
        twice[np.diag_indices(len(W))] *= 0.5  # the diagonal counts once
        return np.concatenate([by_kernel, kernel.k2.relevance * (self.common @ twice[self.lower])])

    def times(self, kernel: Sum, v: Floats) -> Floats:
        """``d(K_SS) / d theta @ v``, shape ``(m, n_theta)``."""
        by_kernel = self.pairs.times(kernel.k1, v)
        if kernel.k2.hyperparameter_relevance.fixed:
            return by_kernel
        products = [blas.dspmv(len(v), 1.0, common, v) for common in self.common]
        return np.column_stack([by_kernel, kernel.k2.relevance * np.stack(products, axis=1)])


@dataclass(frozen=True)
class FeatureCovariance:
    """Another covariance plus ``V V^T``: r numbers a pixel are held and multiplied, nothing N x N."""

    base: Covariance
    kernel: Sum  # of the base's kernel and a `FeatureKernel`
    U: Floats = field(repr=False)

    @classmethod
    def of(cls, base: Covariance, features: FeatureKernel, U: Floats) -> Self:
        """Add features to a covariance."""
        return cls(base, Sum(base.kernel, features), U)

    def with_theta(self, theta: Floats) -> Self:
        """Return the same kernel with other hyperparameters."""
        kernel = self.kernel.clone_with_theta(theta)
        return type(self)(self.base.with_theta(kernel.k1.theta), kernel, self.U)

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis, of a lattice."""
        return self.base.shape  # type: ignore[attr-defined, no-any-return]

    @cached_property
    def V(self) -> Floats:
        """Features times the root of their relevance, shape ``(N, r)``, without groups that are switched off."""
        weights = self.kernel.k2.weights
        used = weights > _OFF
        V = np.take(self.U, np.flatnonzero(used), axis=1) if self.quick else self.U[:, used]  # row by row
        V *= np.sqrt(weights[used])
        return V

    @cached_property
    def variance(self) -> Floats:
        """Prior variance of every pixel, shape ``(N,)``."""
        V = self.V
        return np.asarray(
            self.base.variance + (np.einsum("ij,ij->i", V, V) if self.quick else np.square(V).sum(axis=1))
        )

    @property
    def noise(self) -> float:
        """Variance of the white noise in the kernel."""
        return self.base.noise

    @property
    def quick(self) -> bool:
        """Whether sums are taken in the quicker order."""
        return self.base.quick

    @property
    def neighbourhood(self) -> Floats:
        """That of the base: what pixels far apart have in common is known after a few of them."""
        return self.base.neighbourhood

    @cached_property
    def eigenvalues(self) -> tuple[Floats, Floats] | None:
        """Those of both parts together, as if they had no eigenvectors in common."""
        lattice = self.base.eigenvalues
        if lattice is None:
            return None
        lam = np.maximum(np.linalg.eigvalsh(self.V.T @ self.V), 0.0)
        return np.append(lattice[0], lam), np.append(lattice[1], np.full(len(lam), 1.0 / len(self.V)))

    def block(self, S: Indices, T: Indices) -> Floats:
        """Covariance of pixels S with T, shape ``(m, k)``."""
        block = self.base.block(S, T)
        block += self.V[S] @ self.V[T].T
        return block

    def pairs(self, S: Indices, T: Indices) -> Floats:
        """Covariance of each pixel of S with that of T in its place; any shapes that broadcast."""
        return np.asarray(self.base.pairs(S, T) + np.einsum("...i,...i->...", self.V[S], self.V[T]))

    def column(self, pixel: int) -> Floats:
        """Covariance of one pixel with all, shape ``(N,)``."""
        return np.asarray(self.base.column(pixel) + self.V @ self.V[pixel])

    def dot(self, S: Indices, weights: Floats) -> Floats:
        """``K_NS @ weights``, shape ``(N,)``."""
        return np.asarray(self.base.dot(S, weights) + self.V @ (weights @ self.V[S]))

    def among(self, S: Indices) -> FeaturePairs:
        """Return the pairs of the base, and what the features have in common."""
        return FeaturePairs.of(self.base.among(S), self.kernel.k2.groups(self.U[S]))

    def sample(self, rng: np.random.Generator) -> Floats:
        """Draw one sample of all pixels, mean zero, shape ``(N,)``."""
        return np.asarray(self.base.sample(rng) + self.V @ rng.standard_normal(self.V.shape[1]))

    @property
    def ndim(self) -> int:
        """Number of axes of the lattice."""
        return self.base.ndim

    def solver(self, S: Indices, noise: Floats, earlier: Solver | None = None) -> Solver:
        """Return a dense factor for up to `DENSE_BEFORE` measured pixels, and beyond a solver by iteration."""
        if len(S) > DENSE_BEFORE and isinstance(self.base, LatticeCovariance):
            return IterativeSolver.after(earlier, self, S, self.noise + noise)
        return CholeskySolver.of(self, S, noise, quick=self.quick)

    def nearest_variance(self, S: Indices, noise: Floats) -> Nearest | None:
        r"""Variance of all pixels, of the base by those of S that are nearest to each, of the features by all of S.

        .. math:: \sigma^2_{base} + g^T (1 + V_S^T A^{-1} V_S)^{-1} g, \qquad g = V - V_S^T A^{-1} K_{S}, \quad
                  A = K_{base, SS} + noise

        Rasmussen & Williams (2006), eq. 2.42, with a prior on the coefficients. None where the exact one costs little.
        """
        nearest = self.base.nearest_variance(S, noise)
        if nearest is None or not self.V.shape[1]:
            return nearest
        near = nearest.variance
        weighted = self.base.solver(S, noise).solve(self.V[S], rough=True)
        root = cholesky(np.eye(self.V.shape[1]) + self.V[S].T @ weighted, lower=True)
        if not self.quick:
            gap = self.V - np.stack([self.base.dot(S, column) for column in weighted.T], axis=1)
            return Nearest(np.asarray(near + np.square(solve_triangular(root, gap.T, lower=True)).sum(axis=0)))
        gap = self.V.copy(order="F")
        for i, column in enumerate(weighted.T):
            gap[:, i] -= self.base.dot(S, column)
        G = (solve_triangular(root, np.eye(len(root)), lower=True) @ gap.T).T
        return Nearest(near + np.einsum("ij,ij->i", G, G), FeaturesLeft(self.base, S, noise, G, np.eye(G.shape[1])))

    def near_column(self, pixel: int, S: Indices, noise: Floats) -> tuple[Window, Floats] | None:
        """That of the base where no group is used; else None: by its features a pixel has to do with all others."""
        return None if self.V.shape[1] or not self.quick else self.base.near_column(pixel, S, noise)
