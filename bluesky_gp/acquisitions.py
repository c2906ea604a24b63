"""Every acquisition function by the name that the command line and queues have for it."""

from typing import Any

from bluesky_gp.acquisition import (
    ConfidenceBound,
    ConfidenceSchedule,
    ExpectedImprovement,
    PosteriorUncertainty,
    ProbabilityOfImprovement,
)
from bluesky_gp.goals import Goal
from bluesky_gp.gradient import MapGradient
from bluesky_gp.integrated import IntegratedVariance
from bluesky_gp.knowledge import KnowledgeGradient
from bluesky_gp.sampling import MaxValueEntropy, ThompsonSampling

BY_NAME: dict[str, type[Any]] = {
    "ei": ExpectedImprovement,
    "pi": ProbabilityOfImprovement,
    "ucb": ConfidenceBound,
    "gp-ucb": ConfidenceSchedule,
    "thompson": ThompsonSampling,
    "mes": MaxValueEntropy,
    "kg": KnowledgeGradient,
    "uncertainty": PosteriorUncertainty,
    "ivr": IntegratedVariance,
    "goal": Goal,
    "gradient": MapGradient,
}
"""What can be made without a parameter."""
