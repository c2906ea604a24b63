"""Every acquisition function by the name that the command line and queues have for it."""

from typing import Any

from bluesky_gp.acquisition.goal import Goal
from bluesky_gp.acquisition.improvement import (
    ConfidenceBound,
    ConfidenceSchedule,
    ExpectedImprovement,
    PosteriorUncertainty,
    ProbabilityOfImprovement,
)
from bluesky_gp.acquisition.integrated_variance import IntegratedVariance
from bluesky_gp.acquisition.knowledge_gradient import KnowledgeGradient
from bluesky_gp.acquisition.map_gradient import MapGradient
from bluesky_gp.acquisition.sampling import MaxValueEntropy, ThompsonSampling

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
