"""What the latest fit found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bluesky_gp.gp import Covariance, theta_names
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
    log_marginal_likelihood: float = np.nan
    trouble: str = ""
    contribution: Contribution | None = field(default=None, repr=False)  # of an overview image; None: there is none

    @cached_property
    def theta(self) -> Floats:
        """Logarithms of the kernel's hyperparameters, shape ``(n_theta,)``."""
        return np.asarray(self.covariance.kernel.theta)

    @cached_property
    def at_bounds(self) -> list[str]:
        """Names of the hyperparameters that are at a bound."""
        kernel = self.covariance.kernel
        low, high = np.asarray(kernel.bounds).reshape(-1, 2).T
        at = (self.theta - low < _AT) | (high - self.theta < _AT)
        return np.array(theta_names(kernel))[at].tolist() if at.any() else []
