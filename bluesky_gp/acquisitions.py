"""Every acquisition function by the name that the command line and queues have for it."""

from typing import Any

from bluesky_gp.acquisition import (
    ConfidenceBound,
    ExpectedImprovement,
    PosteriorUncertainty,
    ProbabilityOfImprovement,
)

BY_NAME: dict[str, type[Any]] = {
    "ei": ExpectedImprovement,
    "pi": ProbabilityOfImprovement,
    "ucb": ConfidenceBound,
    "uncertainty": PosteriorUncertainty,
}
"""What can be made without a parameter."""
