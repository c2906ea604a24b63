"""The kernel of features that are given: linear in each group of them, with a relevance for each group."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

from bluesky_gp.typing import Floats


class FeatureKernel(Kernel):  # type: ignore[misc]
    r"""Kernel of features in groups, each with a relevance of its own.

    .. math:: k(x, x') = \sum_g a_g \, x_g \cdot x'_g

    Parameters
    ----------
    relevance : float or sequence of float
        ``a``, one a group: the variance that it explains, where the squares of its features add up to one.
    ranks : sequence of int
        Number of features in each group; their sum is the number of columns of X.
    relevance_bounds : pair of float or "fixed"
    """

    def __init__(self, relevance: Any = 0.01, ranks: Sequence[int] = (1,), relevance_bounds: Any = (1e-6, 1e2)) -> None:
        self.relevance = relevance
        self.ranks = ranks
        self.relevance_bounds = relevance_bounds

    @property
    def hyperparameter_relevance(self) -> Hyperparameter:
        """The relevance of every group."""
        return Hyperparameter("relevance", "numeric", self.relevance_bounds, len(self.ranks))

    @property
    def weights(self) -> Floats:
        """Relevance of every feature, shape ``(r,)``."""
        return np.repeat(np.broadcast_to(self.relevance, len(self.ranks)), self.ranks)

    def groups(self, X: Floats) -> list[Floats]:
        """Return the columns of each group."""
        return np.split(X, np.cumsum(self.ranks)[:-1], axis=1)

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """Return the kernel of X with Y, or with itself and its gradient by theta."""
        X = np.atleast_2d(X)
        K = (X * self.weights) @ (X if Y is None else np.atleast_2d(Y)).T
        if not eval_gradient:
            return K
        if self.hyperparameter_relevance.fixed:
            return K, np.empty((*K.shape, 0))
        weighted = self.groups(X * np.sqrt(self.weights))
        return K, np.stack([part @ part.T for part in weighted], axis=-1)

    def diag(self, X: Any) -> Floats:
        """Return the variance at each of X, shape ``(n,)``."""
        return np.asarray(np.square(np.atleast_2d(X)) @ self.weights)

    def is_stationary(self) -> bool:
        """False: features do not follow from lags."""
        return False

    def __repr__(self) -> str:
        relevance = ", ".join(f"{a:.3g}" for a in np.broadcast_to(self.relevance, len(self.ranks)))
        return f"FeatureKernel(relevance=[{relevance}], ranks={list(self.ranks)})"
