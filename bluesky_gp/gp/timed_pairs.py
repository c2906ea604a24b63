"""Covariance among values of a target that changes with time: that of their pixels, and that of their times.

======  ==================================================  ========
symbol  meaning                                             shape
======  ==================================================  ========
F, C    see `Course`                                        (m, q), (q, q)
W       weights of pairs, symmetric                         (m, m)
theta   log hyperparameters, the pixels' before the times'  (n_theta,)
======  ==================================================  ========
"""

from dataclasses import dataclass

import numpy as np
from sklearn.gaussian_process.kernels import Sum

from bluesky_gp.gp.course import Course
from bluesky_gp.gp.interfaces import Pairs
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class TimedPairs:
    """Pairs by the sum of a kernel of pixels and one of seconds."""

    pairs: Pairs
    course: Course

    def matrix(self, kernel: Sum) -> Floats:
        """``K_SS + F C F^T`` with the kernel's white noise."""
        K, at_knots = self.pairs.matrix(kernel.k1), self.course.F
        K += at_knots @ (at_knots @ self.course.covariance(kernel.k2)).T
        return K

    def contract(self, kernel: Sum, W: Floats) -> Floats:
        """``sum_ij W_ij d(K_SS + F C F^T)_ij / d theta``."""
        at_knots = self.course.F
        below = at_knots.T @ np.tril(W) @ at_knots
        weights = below + below.T - at_knots.T @ (np.diagonal(W)[:, None] * at_knots.toarray())
        by_time = np.einsum("ij,ijk->k", weights, self.course.gradient(kernel.k2))
        return np.concatenate([self.pairs.contract(kernel.k1, W), by_time])

    def times(self, kernel: Sum, v: Floats) -> Floats:
        """``d(K_SS + F C F^T) / d theta @ v``, shape ``(m, n_theta)``."""
        at_knots = self.course.F
        changed = np.einsum("ijk,j->ik", self.course.gradient(kernel.k2), at_knots.T @ v)
        return np.column_stack([self.pairs.times(kernel.k1, v), at_knots @ changed])
