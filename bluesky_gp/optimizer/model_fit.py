"""What the latest fit found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bluesky_gp.gp import Covariance
from bluesky_gp.optimizer.contribution import Contribution
from bluesky_gp.optimizer.units import Units
from bluesky_gp.typing import Floats


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
    def bounds(self) -> Floats:
        """Their bounds, shape ``(n_theta, 2)``."""
        return np.asarray(self.covariance.kernel.bounds)
