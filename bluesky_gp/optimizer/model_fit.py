"""What the latest fit found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.gp import Covariance, log_bounds, theta_names
from bluesky_gp.optimizer.contribution import Contribution
from bluesky_gp.optimizer.units import Units
from bluesky_gp.typing import Floats

_AT = 1e-6  # of a logarithm: as near to a bound as a fit comes


@dataclass(frozen=True, eq=False)
class ModelFit:
    """Units of the target and hyperparameters, as of the latest fit."""

    units: Units
    covariance: Covariance = field(repr=False)
    other_theta: Mapping[str, Floats] = field(default_factory=dict, repr=False)  # of auxiliary quantities
    n_fitted: int = 0  # pixels with a value
    n_likelihood: int = 0  # and how many of them the likelihood looked at
    n_blocks: int = 0  # in which it took them as independent; 0: together
    log_marginal_likelihood: float = np.nan
    trouble: str = ""
    contribution: Contribution | None = field(default=None, repr=False)  # of an overview image; None: there is none
    time: Kernel | None = None  # of seconds; None: the target stands still

    @cached_property
    def kernel(self) -> Kernel:
        """The kernel of pixels, and behind it that of seconds."""
        return self.covariance.kernel if self.time is None else self.covariance.kernel + self.time

    def parted(self, theta: Floats) -> tuple[Covariance, Kernel | None]:
        """Return covariance and kernel of seconds by other hyperparameters."""
        n = self.covariance.kernel.n_dims
        time = None if self.time is None else self.time.clone_with_theta(theta[n:])
        return self.covariance.with_theta(theta[:n]), time

    @cached_property
    def theta(self) -> Floats:
        """Logarithms of the kernel's hyperparameters, shape ``(n_theta,)``."""
        return np.asarray(self.kernel.theta)

    @property
    def approximation(self) -> str:
        """Of the likelihood, in words for the record; empty: none."""
        blocks = f" in {self.n_blocks} blocks" if self.n_blocks else ""
        if not blocks and self.n_likelihood >= self.n_fitted:
            return ""
        return f"likelihood of {self.n_likelihood} of {self.n_fitted} pixels{blocks}"

    @cached_property
    def at_bounds(self) -> list[str]:
        """Names of the hyperparameters that are at a bound."""
        kernel = self.kernel
        low, high = log_bounds(kernel).T
        at = (self.theta - low < _AT) | (high - self.theta < _AT)
        return np.array(theta_names(kernel))[at].tolist() if at.any() else []
